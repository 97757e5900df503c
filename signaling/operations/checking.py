"""What of a dialogue a model may see, and what of its reply may be told."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from itertools import groupby

from inzwa_rtc.conversation.phrases import PhraseCutter
from inzwa_rtc.engines.contracts import Message
from inzwa_rtc.safety import ALLOWED, Checked, ReplyCheck, Safety, Verdict, joined

OF_USERS = frozenset(("user",))
"""The roles that are checked of whoever has a key: the application's own back end, which answers
for its instructions and its tools as the operator does for theirs."""

OF_ANYBODY = frozenset(("user", "assistant", "system", "tool"))
"""Of those who came without one, where the server is open."""


def judged(
    messages: Sequence[Message], language: str, safety: Safety, checked: Collection[str]
) -> tuple[list[Message], Verdict]:
    """The dialogue without what may not have been said earlier, as in a call no part of it would
    reach the model again; and the verdict on what the user said last, be there instructions behind
    it, or on instructions and results of tools that they may not have sent. Messages of one role
    that follow each other are one saying; those of the roles in `checked` are. Blocks for 2 ms for
    each thousand characters."""
    kept: list[Message] = []
    verdict = ALLOWED
    for role, group in groupby(messages, lambda message: message.role):
        said = list(group)
        found = ALLOWED
        text = joined(message.content for message in said)
        if role in checked and (role == "user" or text):
            found = safety.check(text, language)
        if role == "user":
            verdict = found
        elif found.category == "topic":  # of questions alone it matters what they are about
            found = ALLOWED
        elif role != "assistant" and not found.is_allowed:
            return kept, found
        if found.is_allowed:
            kept += said
    roles = [message.role for message in messages if message.role != "system"]
    is_last = roles[-1:] == ["user"]
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
