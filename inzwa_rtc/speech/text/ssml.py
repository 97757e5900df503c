"""Reads a subset of SSML, part after part; what it does not know is passed over, its text kept.

By expat itself and not through a tree: it takes parts that end anywhere, and says for each
character where it stands. A document type is refused, so there are no entities to expand and
nothing outside the text to fetch; depth is bounded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from xml.parsers import expat

from inzwa_rtc.errors import PeerError
from inzwa_rtc.speech.text.blocks import PARAGRAPH_PAUSE_MS
from inzwa_rtc.speech.text.flow import Manner
from inzwa_rtc.speech.text.ssml_values import emphasis, pause_ms, speed
from inzwa_rtc.speech.text.tracked import Tracked

MAX_DEPTH = 100  # far above what anybody writes by hand
_SLICE_CHARS = 2000  # what is parsed before anything of it is spoken

_BEGINS = re.compile(
    r"\s*\ufeff?(?:<\?xml[^<>]{0,200}\?>\s{0,100})?<(?:!DOCTYPE\s+)?speak(?:[\s>/]|$)"
)
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
_SILENT = ("desc", "metadata")  # about the text, not of it


def is_ssml(text: str) -> bool:
    """Whether a text begins with `<speak`."""
    return _BEGINS.match(text[:500]) is not None


@dataclass(frozen=True, slots=True)
class Stretch:
    """Text that is spoken in one manner; `said_as` is what `say-as` asks for."""

    text: Tracked
    manner: Manner
    said_as: str = ""
    format: str = ""


@dataclass(frozen=True, slots=True)
class Pause:
    """Silence. One that `ends_sentence` (a paragraph's) is as long as it or what is there
    already; others (a break's) come on top."""

    duration_ms: int
    ends_sentence: bool


@dataclass(frozen=True, slots=True)
class _Element:
    name: str
    manner: Manner
    said_as: str = ""
    format: str = ""
    alias: str | None = None
    is_silent: bool = False


@dataclass(slots=True)
class _Slice:
    """A part of the text as it went to the parser: where it begins, in bytes and characters."""

    data: bytes
    first_byte: int
    first_char: int


class Ssml:
    """The elements that are open, between the parts of a text."""

    def __init__(self, language: str) -> None:
        self._open: list[_Element] = [_Element("", Manner(language))]
        self._found: list[Stretch | Pause] = []
        self._whole: list[Tracked] = []  # of an element that is said as one
        self._slices = [_Slice(b"", 0, 0)]
        self._part = ""
        self._part_char = 0
        self._chars = 0
        self._in_cdata = False
        self._parser = expat.ParserCreate("utf-8")
        if hasattr(self._parser, "SetReparseDeferralEnabled"):
            self._parser.SetReparseDeferralEnabled(False)  # speak what is there
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._text
        self._parser.StartCdataSectionHandler = self._cdata_begins
        self._parser.EndCdataSectionHandler = self._cdata_ends
        self._parser.StartDoctypeDeclHandler = self._refuse_doctype

    @property
    def is_open(self) -> bool:
        """Whether elements wait for their end."""
        return len(self._open) > 1

    def feed(self, part: str) -> Iterator[Stretch | Pause]:
        """What the next part of the text asks for. Places count in this part.

        Raises `PeerError` (`bad_ssml`) with line and column in the whole text.
        """
        start = len(part) - len(part.lstrip("\ufeff \t\r\n")) if not self._chars else 0
        self._part, self._part_char = part, self._chars
        for at in range(start, len(part), _SLICE_CHARS):
            text = _ILLEGAL.sub(" ", part[at : at + _SLICE_CHARS])
            before = self._slices[-1]
            # Two slices: what begins at the end of one may be known in the next one only.
            self._slices = [
                before,
                _Slice(text.encode(), before.first_byte + len(before.data), self._part_char + at),
            ]
            self._parse(self._slices[-1].data)
            yield from self._found
            self._found = []
        self._chars = self._part_char + len(part)

    def finish(self) -> None:
        """The text is over: raises `PeerError` (`bad_ssml`) where an element is still open."""
        if self.is_open:
            name = self._open[-1].name
            raise self._wrong(f"<{name}> is never closed", f"Add </{name}>.")

    def _parse(self, data: bytes) -> None:
        try:
            self._parser.Parse(data, False)
        except expat.ExpatError as error:
            what = expat.ErrorString(error.code)
            raise _bad(error.lineno, error.offset + 1, what, _remedy(error.code)) from error

    def _wrong(self, what: str, action: str) -> PeerError:
        line, column = self._parser.CurrentLineNumber, self._parser.CurrentColumnNumber + 1
        return _bad(line, column, what, action)

    def _refuse_doctype(self, *_: object) -> None:
        raise self._wrong("a document type is not accepted", "Remove <!DOCTYPE ...>.")

    def _cdata_begins(self) -> None:
        self._in_cdata = True

    def _cdata_ends(self) -> None:
        self._in_cdata = False

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if len(self._open) > MAX_DEPTH:
            raise self._wrong(f"more than {MAX_DEPTH} elements lie in each other", "Close some.")
        outer = self._open[-1]
        manner = outer.manner
        if language := attributes.get("xml:lang", "").strip():
            manner = replace(manner, language=language)
        element = replace(outer, name=name, manner=manner)
        match name:
            case "prosody":
                rate = speed(attributes.get("rate", ""), manner.speed)
                element = replace(element, manner=replace(manner, speed=rate))
            case "emphasis":
                pace, gain_db = emphasis(attributes.get("level", "moderate"))
                manner = replace(
                    manner, speed=manner.speed * pace, gain_db=manner.gain_db + gain_db
                )
                element = replace(element, manner=manner)
            case "break":
                self._found.append(Pause(pause_ms(attributes), ends_sentence=False))
            case "p":
                self._found.append(Pause(PARAGRAPH_PAUSE_MS, ends_sentence=True))
            case "s":
                self._found.append(Pause(0, ends_sentence=True))
            case "sub" if "alias" in attributes:
                element = replace(element, alias=attributes["alias"])
            case "say-as" if outer.alias is None:
                element = replace(
                    element,
                    said_as=attributes.get("interpret-as", "").strip().lower(),
                    format=attributes.get("format", "").strip().lower(),
                )
            case _ if name in _SILENT:
                element = replace(element, is_silent=True)
        self._open.append(element)

    def _end(self, name: str) -> None:
        element = self._open.pop()
        outer = self._open[-1]
        if self._whole and (element.said_as, element.alias) != (outer.said_as, outer.alias):
            self._found.append(self._as_one(element))
            self._whole = []
        if name in ("p", "s"):
            pause = PARAGRAPH_PAUSE_MS if name == "p" else 0
            self._found.append(Pause(pause, ends_sentence=True))

    def _as_one(self, element: _Element) -> Stretch:
        first, last = self._whole[0].starts[0], self._whole[-1].ends[-1]
        said = element.alias
        if said is None:
            said = "".join(part.text for part in self._whole)
        text = Tracked.all_for(said, first, last)
        return Stretch(text, element.manner, element.said_as, element.format)

    def _text(self, data: str) -> None:
        element = self._open[-1]
        if element.is_silent:
            return
        start = max(0, self._place(self._parser.CurrentByteIndex) - self._part_char)
        end = min(start + len(data), len(self._part))
        text = Tracked(data, range(start, start + len(data)), range(start + 1, end + 1))
        if self._part[start : start + 1] == "&" and not self._in_cdata:
            semicolon = self._part.find(";", start, start + 20)
            text = Tracked.all_for(data, start, semicolon + 1 or end)
        elif len(text.ends) < len(data):  # begun in the part before
            text = Tracked.all_for(data, start, end)
        if element.said_as or element.alias is not None:
            self._whole.append(text)
        else:
            self._found.append(Stretch(text, element.manner))

    def _place(self, byte: int) -> int:
        """The character at a byte of all that was fed."""
        for piece in reversed(self._slices):
            if byte >= piece.first_byte:
                before = piece.data[: byte - piece.first_byte]
                return piece.first_char + len(before.decode(errors="replace"))
        return self._slices[0].first_char


def _remedy(code: int) -> str:
    if code == expat.errors.codes[expat.errors.XML_ERROR_UNDEFINED_ENTITY]:
        return "Write the character itself, or its number, such as &#160;."
    if code == expat.errors.codes[expat.errors.XML_ERROR_TAG_MISMATCH]:
        return "Close each element before the one around it."
    return "Make it well-formed XML: write &amp; for & and &lt; for <, close what is opened."


def _bad(line: int, column: int, what: str, action: str) -> PeerError:
    return PeerError(
        f"The SSML cannot be read at line {line}, column {column}: {what}.",
        action=action,
        code="bad_ssml",
    )
