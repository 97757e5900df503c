"""From a text to the symbols that Kokoro knows, by eSpeak NG.

Kokoro was trained on the phonemes of misaki, which for its European languages and Hindi come
from eSpeak; in English they are written a little otherwise. Japanese and Chinese it reads by
dictionaries of misaki's, which eSpeak has none of: their voices cannot be used here.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from inzwa_rtc.engines.tts.alignment import align
from inzwa_rtc.engines.tts.clauses import Span, word_spans
from inzwa_rtc.engines.tts.espeak.library import ESpeakLibrary
from inzwa_rtc.engines.tts.onnx.runtime import Stop

LANGUAGES = {
    "en-US": "gmw/en-US",
    "en-GB": "gmw/en",
    "es": "roa/es",
    "fr-FR": "roa/fr",
    "hi": "inc/hi",
    "it": "roa/it",
    "pt-BR": "roa/pt-BR",
}
"""The languages that can be read, and eSpeak's voice file of each."""

MOST_SYMBOLS = 510
"""Of one run: the longest that the model was trained on."""

_TIE = "^"
# Sounds of two letters that Kokoro has one symbol for; eSpeak ties the letters of one sound.
_TIED = {
    "a^ɪ": "I", "a^ʊ": "W", "d^z": "ʣ", "d^ʒ": "ʤ", "e^ɪ": "A", "t^s": "ʦ", "t^ʃ": "ʧ", "ɔ^ɪ": "Y",
}  # fmt: skip
_ENGLISH = {
    "e": "A", "r": "ɹ", "x": "k", "ç": "k", "ɐ": "ə", "ə^l": "ᵊl", "ɚ": "əɹ", "ɬ": "l",
    "ʔˌn\u0329": "tᵊn", "ʔn\u0329": "tᵊn", "ʔn": "tᵊn", "ʔ": "t", "ʲ": "", "\u0303": "",
    "l\u0329": "ᵊl",
    "n\u0329": "ᵊn", "m\u0329": "ᵊm", "ɾ": "T",
}  # fmt: skip
_OF = {
    "en-US": {
        **_TIED, **_ENGLISH, "o^ʊ": "O", "ɜːɹ": "ɜɹ", "ɜː": "ɜɹ", "ɪə": "iə", "ː": "",
    },
    "en-GB": {**_TIED, **_ENGLISH, "ə^ʊ": "Q", "e^ə": "ɛː", "iə": "ɪə"},
}  # fmt: skip
_OTHERS = {**_TIED, "o^ʊ": "O", "ə^ʊ": "Q"}

_MARKS = ';:,.!?—…"()“”'
_OPENING = '"(“'
# Marks within a number, a time or an address are eSpeak's to read.
_PUNCTUATION = re.compile(
    rf"\s*[{_MARKS}]+(?=[\s{_MARKS}]|$)(?:\s+[{_OPENING}]*)?|\s+[{_OPENING}]+|^[{_OPENING}]+"
)
_MOST_MARKS = 3  # of one kind after another
_OTHER_VOICE = re.compile(r"\([\^a-z-]+\)")  # eSpeak's note that it takes another language's sounds


@dataclass(frozen=True, slots=True)
class Spelling:
    """Symbols of one run, without the padding, and the words that begin at some of them."""

    ids: Sequence[int]
    words: Sequence[tuple[int, Span]]


class Speller:
    """Reads a text of any of `LANGUAGES`, with the symbols of one model's `vocabulary`."""

    def __init__(self, library: ESpeakLibrary, vocabulary: Mapping[str, int]) -> None:
        self._library = library
        self._vocabulary = vocabulary

    def spell(self, text: str, language: str, stop: Stop) -> Iterator[Spelling]:
        """Yield the text in runs, none of it left out; nothing where it has nothing to say.
        Raises `Stopped`."""
        ids: list[int] = []
        words: list[tuple[int, Span]] = []
        has_sound = False
        for symbols, span in self._groups(text, language, stop):
            added = [self._vocabulary[one] for one in symbols if one in self._vocabulary]
            if ids and len(ids) + len(added) > MOST_SYMBOLS:
                if has_sound:
                    yield Spelling(ids, words)
                ids, words, has_sound = [], [], False
            if span is not None and added:
                words.append((len(ids), span))
            has_sound = has_sound or any(symbol.isalpha() for symbol in symbols)
            ids += added
            while len(ids) > MOST_SYMBOLS:  # a word without an end
                yield Spelling(ids[:MOST_SYMBOLS], words)
                ids, words = ids[MOST_SYMBOLS:], []
        if has_sound and ids:
            yield Spelling(ids, words)

    def _groups(self, text: str, language: str, stop: Stop) -> Iterator[tuple[str, Span | None]]:
        """The phonemes of a word or several, with the word that begins there; and what stands
        between them."""
        start = 0
        for mark in _PUNCTUATION.finditer(text):
            yield from self._phrase(text, start, mark.start(), language, stop)
            yield _spaced(mark.group()), None
            start = mark.end()
        yield from self._phrase(text, start, len(text), language, stop)

    def _phrase(
        self, text: str, start: int, end: int, language: str, stop: Stop
    ) -> Iterator[tuple[str, Span | None]]:
        phrase = text[start:end]
        if not any(map(_is_readable, phrase)):
            return

        def read(words: str) -> str:
            stop.check()
            return self._phonemes(words, language)

        groups = read(phrase).split()
        spans = [
            span
            for span in word_spans(phrase)
            if any(map(_is_readable, phrase[span.start : span.end]))
        ]
        pairs = dict(align(groups, [phrase[span.start : span.end] for span in spans], read))
        for number, group in enumerate(groups):
            if number:
                yield " ", None
            word = pairs.get(number)
            span = None if word is None else spans[word]
            yield group, span and Span(start + span.start, start + span.end)

    def _phonemes(self, text: str, language: str) -> str:
        told = self._library.phonemes(text, LANGUAGES[language], tie=_TIE)
        told = _OTHER_VOICE.sub("", told)
        changes = _OF.get(language, _OTHERS)
        for old in sorted(changes, key=len, reverse=True):
            told = told.replace(old, changes[old])
        return told.replace(_TIE, "")


def _spaced(marks: str) -> str:
    """Punctuation with single spaces around it where there was white space, none before what
    closes."""
    before = " " if marks[0].isspace() and marks.lstrip()[:1] in _OPENING else ""
    after = " " if marks[-1].isspace() else ""
    return before + " ".join(part[:_MOST_MARKS] for part in marks.split()) + after


def _is_readable(character: str) -> bool:
    """Whether eSpeak makes a sound of it: letters, digits and signs, but no punctuation."""
    return unicodedata.category(character)[0] in "LNS"
