"""From a text to phonemes, by eSpeak NG: what Piper's voices and many of Coqui's read.

The phonemizer is that of piper-tts, GPL-3. It is loaded only here, in the process that the
server starts for this engine, and it is an optional part of the installation. The eSpeak NG of
espeakng-loader, which the engine `espeak` speaks with, does not tell which punctuation ended a
clause; voices were trained to hear it.
"""

from __future__ import annotations

import threading
import unicodedata
from collections.abc import Sequence
from functools import partial
from importlib.metadata import version
from typing import Any, Literal

from inzwa_rtc.engines.tts.alignment import align
from inzwa_rtc.engines.tts.clauses import Span, word_spans
from inzwa_rtc.engines.tts.onnx.runtime import Stop
from inzwa_rtc.engines.tts.vits.symbols import Spelling, SymbolTable
from inzwa_rtc.errors import EngineUnavailable

Form = Literal["NFC", "NFD"]
Clusters = frozenset[tuple[str, ...]]

# The library keeps one state per process.
_lock = threading.Lock()
_library: Any = None


class Phonemes:
    """Reads phoneme by phoneme."""

    def __init__(
        self,
        table: SymbolTable,
        voice: str,
        *,
        form: Form = "NFD",
        clusters: Clusters = frozenset(),
    ) -> None:
        """`voice` is eSpeak's name of a language; `clusters` are phonemes that the voice knows
        as one. Raises `ModuleNotFoundError` where the phonemizer is not installed, and
        `EngineUnavailable` for a language that it does not have."""
        self._table = table
        self._form = form
        self._clusters = set(clusters) or None
        self._voice = _known(voice)
        self.largest_id = table.largest_id
        self.identity = f"{version('piper-tts')} {self._voice} {form} {sorted(clusters)} {table}"

    def spell(self, text: str, stop: Stop) -> Sequence[Spelling]:
        """A spelling or more for each sentence that eSpeak takes it for."""
        stop.check()
        readable = "".join(" " if _is_control(one) else one for one in text)
        sentences = [_composed(one, self._form) for one in self._phonemes(readable)]
        groups = [
            (number, start, "".join(symbols))
            for number, sentence in enumerate(sentences)
            for start, symbols in _groups(sentence)
        ]
        words = [
            span for span in word_spans(readable) if _is_readable(readable[span.start : span.end])
        ]
        pairs = align(
            [symbols for _, _, symbols in groups],
            [readable[span.start : span.end] for span in words],
            partial(self._alone, stop),
        )
        begun: list[dict[int, Span]] = [{} for _ in sentences]
        for group, word in pairs:
            number, start, _ = groups[group]
            begun[number][start] = words[word]
        spoken = {number for number, _, _ in groups}
        return [
            spelling
            for number, sentence in enumerate(sentences)
            if number in spoken
            for spelling in self._table.spellings(sentence, begun[number])
        ]

    def _phonemes(self, text: str) -> list[list[str]]:
        with _lock:
            sentences: list[list[str]] = _loaded().phonemize(self._voice, text, self._clusters)
        return sentences

    def _alone(self, stop: Stop, word: str) -> str:
        stop.check()
        return "".join(symbol for sentence in self._phonemes(word) for symbol in sentence)


def _groups(sentence: list[str]) -> list[tuple[int, list[str]]]:
    """What lies between spaces and has a sound, each with its place."""
    groups: list[tuple[int, list[str]]] = [(0, [])]
    for place, symbol in enumerate(sentence):
        if symbol == " ":
            groups.append((place + 1, []))
        else:
            groups[-1][1].append(symbol)
    return [one for one in groups if any(symbol.isalpha() for symbol in one[1])]


def _composed(sentence: list[str], form: Form) -> list[str]:
    """Coqui's voices know a letter and its mark as one."""
    return sentence if form == "NFD" else list(unicodedata.normalize(form, "".join(sentence)))


def _known(voice: str) -> str:
    """The name under which eSpeak has a language: `en-gb` is its `en`."""
    base = voice.partition("-")[0]
    with _lock:
        for name in dict.fromkeys((voice, base)):
            try:
                _loaded().phonemize(name, "a")
            except (RuntimeError, ValueError):
                continue
            return name
    raise EngineUnavailable(
        f"eSpeak NG has no language `{voice[:40]}`, by which this voice reads.",
        action="Check the voice's JSON file against the one that it was published with.",
    )


def _loaded() -> Any:
    global _library
    if _library is None:
        from piper.phonemize_espeak import EspeakPhonemizer

        _library = EspeakPhonemizer()
    return _library


def _is_control(character: str) -> bool:
    return unicodedata.category(character) in ("Cc", "Cs")


def _is_readable(word: str) -> bool:
    """Whether eSpeak makes phonemes of it: letters, digits and signs, but no punctuation."""
    return any(unicodedata.category(one)[0] in "LNS" for one in word)
