"""Reads a text aloud: what is written becomes what is said, piece by piece."""

from __future__ import annotations

from collections.abc import Iterator

from inzwa_rtc.speech.piece import Piece
from inzwa_rtc.speech.text.blocks import Blocks, Line
from inzwa_rtc.speech.text.characters import sayable
from inzwa_rtc.speech.text.expansion import expanded, tidy
from inzwa_rtc.speech.text.flow import Flow, Manner
from inzwa_rtc.speech.text.inline import plain
from inzwa_rtc.speech.text.languages import language_of
from inzwa_rtc.speech.text.rules import Rules
from inzwa_rtc.speech.text.tracked import Tracked


class TextReader:
    """Reads one text aloud, part after part; remembers what is open between parts (a code
    block, SSML elements)."""

    def __init__(self, language: str, rules: Rules = Rules()) -> None:  # noqa: B008
        self._rules = rules
        self._manner = Manner(language)
        self._blocks = Blocks(rules.code_blocks, language_of(language).code_notice)
        self._flow = Flow(self._worded)

    def read(self, text: str, limit: int) -> Iterator[Piece]:
        """The pieces of the next part of the text, of at most `limit` characters each. The spans
        count in `text`. Nothing to say (only emoji, say) gives no pieces. Memory does not grow
        with the text: pieces are made as they are taken.

        Raises `PeerError` (`bad_ssml`) for a text that begins with `<speak` and is no SSML.
        """
        if limit < 1:
            raise ValueError("a piece holds at least one character")
        self._flow.limit(limit)
        for line in self._blocks.lines(text):
            clean = plain(sayable(line.text, self._rules.emoji, self._manner.language))
            yield from self._flow.add(Line(clean, line.before_ms, line.after_ms), self._manner)
        yield from self._flow.end()

    def _worded(self, sentence: Tracked, language: str) -> Tracked:
        spoken = language_of(language)
        own = self._rules.lexicon.rules(language)
        return tidy(expanded(sentence, (*own, *spoken.rules)), spoken.signs)
