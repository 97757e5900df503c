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
from inzwa_rtc.speech.text.say_as import said_as
from inzwa_rtc.speech.text.ssml import Ssml, Stretch, is_ssml
from inzwa_rtc.speech.text.tracked import Tracked


class TextReader:
    """Reads one text aloud, part after part; remembers what is open between parts (a code
    block, SSML elements)."""

    def __init__(self, language: str, rules: Rules = Rules()) -> None:  # noqa: B008
        self._rules = rules
        self._manner = Manner(language)
        self._blocks = Blocks(rules.code_blocks, language_of(language).code_notice)
        self._flow = Flow(self._worded)
        self._ssml: Ssml | None = None
        self._has_begun = False

    def read(self, text: str, limit: int) -> Iterator[Piece]:
        """The pieces of the next part of the text, of at most `limit` characters each. The spans
        count in `text`. Nothing to say (only emoji, say) gives no pieces. Memory does not grow
        with the text: pieces are made as they are taken.

        Raises `PeerError` (`bad_ssml`) for a text that begins with `<speak` and is no SSML.
        """
        if limit < 1:
            raise ValueError("a piece holds at least one character")
        if not self._has_begun and text.strip():
            self._has_begun = True
            self._ssml = Ssml(self._manner.language) if is_ssml(text) else None
        self._flow.limit(limit)
        yield from self._marked_up(self._ssml, text) if self._ssml else self._written(text)
        yield from self._flow.end()

    def finish(self) -> None:
        """The text was read to its end: raises `PeerError` (`bad_ssml`) where SSML elements are
        still open. A reply that was cut short is not finished."""
        if self._ssml:
            self._ssml.finish()

    def _written(self, text: str) -> Iterator[Piece]:
        for line in self._blocks.lines(text):
            clean = plain(self._sayable(line.text, self._manner.language))
            yield from self._flow.add(Line(clean, line.before_ms, line.after_ms), self._manner)

    def _marked_up(self, ssml: Ssml, text: str) -> Iterator[Piece]:
        for one in ssml.feed(text):
            if isinstance(one, Stretch):
                yield from self._flow.add(Line(self._stretch(one)), one.manner)
            elif one.ends_sentence:
                yield from self._flow.close(one.duration_ms)
            else:
                yield from self._flow.pause(one.duration_ms)

    def _stretch(self, one: Stretch) -> Tracked:
        language = one.manner.language
        if one.said_as and len(one.text):
            said = said_as(one.text.text, one.said_as, one.format, language_of(language))
            return Tracked.all_for(said, one.text.starts[0], one.text.ends[-1])
        return self._sayable(one.text, language)

    def _sayable(self, text: Tracked, language: str) -> Tracked:
        return sayable(text, self._rules.emoji, language)

    def _worded(self, sentence: Tracked, language: str) -> Tracked:
        spoken = language_of(language)
        own = self._rules.lexicon.rules(language)
        return tidy(expanded(sentence, (*own, *spoken.rules)), spoken.signs)
