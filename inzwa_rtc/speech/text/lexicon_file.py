"""Reads lexicons from files: YAML by language, or W3C PLS with aliases."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from xml.parsers import expat

import yaml

from inzwa_rtc.errors import ConfigError
from inzwa_rtc.speech.text.lexicon import Lexicon, merged

MAX_BYTES = 10_000_000
MAX_SPOKEN_CHARS = 500
_EXAMPLE = "A lexicon is YAML such as:\n\nen:\n  Inzwa: in zwah\n  St. Albans: Saint Albans"


def load(paths: Iterable[Path]) -> Lexicon:
    """The lexicons of some files as one, later files before earlier ones.

    Raises `ConfigError` that names file and line. To read changed files, load again: a lexicon
    never changes, so a text that is being read keeps the one it began with, and a broken file
    leaves the old one in use.
    """
    return merged([_load(path) for path in paths])


def _load(path: Path) -> Lexicon:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ConfigError(
                f"The lexicon {path} is larger than {MAX_BYTES // 1_000_000} MB.",
                action="Split it, or leave out what is read well without it.",
            )
        content = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ConfigError(
            f"The lexicon {path} cannot be read: {error.strerror}.",
            action="Check speech.lexicon in the settings.",
        ) from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise _wrong(path, line, "this is not UTF-8", "Save the file as UTF-8.") from error
    if path.suffix.lower() in (".pls", ".xml"):
        return _Pls(path).read(content)
    return _from_yaml(path, content)


def _from_yaml(path: Path, content: str) -> Lexicon:
    try:
        root = yaml.compose(content, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        what = ", ".join(filter(None, (error.context, error.problem))) or "this is not YAML"
        raise _wrong(path, line, what, _EXAMPLE) from error
    except yaml.YAMLError as error:  # a character that YAML does not take
        raise _wrong(path, 1, "this is not YAML", _EXAMPLE) from error
    entries: dict[str, dict[str, str]] = {}
    for language, words in _pairs(path, root):
        tag = str(language.value)
        known = entries.setdefault(tag, {})
        for written, said in _pairs(path, words):
            line = written.start_mark.line + 1
            if not isinstance(said, yaml.ScalarNode):
                raise _wrong(path, line, "this is not one spoken text", _EXAMPLE)
            _add(path, line, known, str(written.value), str(said.value))
    return Lexicon(entries)


def _pairs(path: Path, node: yaml.Node | None) -> Iterator[tuple[yaml.ScalarNode, yaml.Node]]:
    if node is None:
        return
    if isinstance(node, yaml.ScalarNode) and not node.value:
        return  # a language without entries yet
    if not isinstance(node, yaml.MappingNode):
        raise _wrong(path, node.start_mark.line + 1, "this is not a list of pairs", _EXAMPLE)
    for key, value in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise _wrong(path, key.start_mark.line + 1, "this is not a word", _EXAMPLE)
        yield key, value


def _add(path: Path, line: int, known: dict[str, str], written: str, said: str) -> None:
    written = " ".join(written.split())
    if not written:
        raise _wrong(path, line, "the written word is empty", "Write it before the colon.")
    if written in known:
        raise _wrong(path, line, f"{written!r} is there twice", "Keep one of the two.")
    if len(said) > MAX_SPOKEN_CHARS:
        raise _wrong(path, line, f"{written!r} is said too long", f"{MAX_SPOKEN_CHARS} at most.")
    known[written] = " ".join(said.split())


def _wrong(path: Path, line: int, what: str, action: str) -> ConfigError:
    return ConfigError(f"The lexicon {path}, line {line}: {what}.", action=action)


class _Pls:
    """W3C Pronunciation Lexicon Specification 1.0: `alias` entries. Phonemes are no spelling,
    and each engine has signs of its own for them: such entries are refused by name."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._entries: dict[str, dict[str, str]] = {}
        self._language = ""
        self._graphemes: list[str] = []
        self._said: str | None = None
        self._text: list[str] = []
        self._parser = expat.ParserCreate(namespace_separator=" ")
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._text.append
        self._parser.StartDoctypeDeclHandler = self._refuse_doctype

    def read(self, content: str) -> Lexicon:
        try:
            self._parser.Parse(content, True)
        except expat.ExpatError as error:
            what = expat.ErrorString(error.code)
            raise _wrong(self._path, error.lineno, what, "Make it well-formed XML.") from error
        return Lexicon(self._entries)

    def _line(self) -> int:
        return self._parser.CurrentLineNumber

    def _refuse_doctype(self, *_: object) -> None:
        raise _wrong(self._path, self._line(), "a DOCTYPE is not taken", "Remove it.")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        match name.rpartition(" ")[2]:
            case "lexicon":
                self._language = attributes.get("http://www.w3.org/XML/1998/namespace lang", "*")
            case "lexeme":
                self._graphemes, self._said = [], None
        self._text.clear()

    def _end(self, name: str) -> None:
        text = "".join(self._text)
        self._text.clear()
        match name.rpartition(" ")[2]:
            case "grapheme":
                self._graphemes.append(text)
            case "alias" if self._said is None:  # the first one is the preferred one
                self._said = text
            case "lexeme":
                if self._said is None:
                    raise _wrong(
                        self._path,
                        self._line(),
                        "this entry has no alias",
                        "Phonemes are not taken: give an <alias>, a spelling that sounds right.",
                    )
                known = self._entries.setdefault(self._language, {})
                for grapheme in self._graphemes:
                    _add(self._path, self._line(), known, grapheme, self._said)
