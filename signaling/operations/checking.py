"""What of a dialogue a model may see, and what of its reply may be told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby

from inzwa_rtc.conversation.phrases import PhraseCutter
from inzwa_rtc.engines.contracts import Message
from inzwa_rtc.safety import ALLOWED, Checked, ReplyCheck, Safety, Verdict, joined


def judged(
    messages: Sequence[Message], language: str, safety: Safety
) -> tuple[list[Message], Verdict]:
    """The dialogue without what the user may not have said earlier, as in a call no part of it
    would reach the model again; and the verdict on what they said last. Messages of theirs
    that follow each other are one saying. Blocks for 2 ms for each thousand characters."""
    kept: list[Message] = []
    verdict = ALLOWED
    for role, group in groupby(messages, lambda message: message.role):
        said = list(group)
        if role == "user":
            text = joined(message.content for message in said)
            verdict = safety.check(text, language)
            if not verdict.is_allowed:
                continue
        kept += said
    is_last = bool(messages) and messages[-1].role == "user"
    return kept, verdict if is_last else ALLOWED


class CheckedText:
    """One reply on its way to somebody: feed it tokens, and tell what it gives. Once `verdict`
    does not allow it, nothing more comes."""

    def __init__(self, new_check: Callable[[], ReplyCheck]) -> None:
        self.verdict = ALLOWED
        self._new_check = new_check
        self._check = new_check()
        self._cutter = PhraseCutter()

    def feed(self, token: str, now: float) -> str:
        """What may be told by now, perhaps nothing."""
        complete = self._cutter.feed(token, now)
        return self._told([*complete, *self._cutter.on_time(now)])

    def finish(self) -> str:
        """What is left of it: at its end, and before something that is no text. What follows is
        checked by itself."""
        told = self._told(self._cutter.flush())
        if self.verdict.is_allowed:
            told += self._take(self._check.finish())
            self._check = self._new_check()
        return told

    def _told(self, phrases: Sequence[str]) -> str:
        told = ""
        for phrase in phrases:
            if self.verdict.is_allowed:
                told += self._take(self._check.feed(phrase))
        return told

    def _take(self, checked: Checked) -> str:
        self.verdict = checked.verdict
        return checked.text
