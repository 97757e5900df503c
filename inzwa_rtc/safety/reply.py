"""Checks one reply while it is made: phrase by phrase, before anything of it is told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from inzwa_rtc.safety.pieces import Waiting
from inzwa_rtc.safety.redaction import Redactor
from inzwa_rtc.safety.rulebook import Follower, Subject
from inzwa_rtc.safety.ruleset import Kind
from inzwa_rtc.safety.verdict import ALLOWED, Verdict


@dataclass(frozen=True, slots=True)
class Checked:
    """`text` may be told and spoken by now: redacted, and perhaps nothing yet. Where `verdict`
    does not allow the reply, it ends here."""

    text: str
    verdict: Verdict = ALLOWED


LONGEST_SUSPECTED = 300
"""Characters of a sentence that wait for what may excuse them."""


class ReplyCheck:
    """For one reply: `feed` it phrase by phrase, then `finish`."""

    def __init__(
        self, follower: Follower, redactor: Redactor, judged: Callable[[Subject, str], Verdict]
    ) -> None:
        self._follower = follower
        self._redactor = redactor
        self._judged = judged
        self._unread = Waiting()
        self._suspected = ""
        self._verdict = ALLOWED

    @property
    def redacted(self) -> Sequence[Kind]:
        """What was taken out by now, in order."""
        return self._redactor.found

    def feed(self, phrase: str) -> Checked:
        """The next phrase. It comes back at once, but for a tail of it that may be the beginning
        of personal data, and for a sentence that breaks a rule so far and may yet be excused:
        these come with what follows."""
        whole = self._unread.add(phrase)
        self._unread.take(len(whole))
        found = self._follower.read(whole)
        self._suspected += phrase
        if found is None and (suspect := self._follower.suspected) is not None:
            if self._verdict.is_allowed and len(self._suspected) <= LONGEST_SUSPECTED:
                return Checked("")
            found = suspect
        return self._checked(found)

    def finish(self) -> Checked:
        """The reply is over: what was held back."""
        rest = self._unread.take_all()
        checked = self._checked(self._follower.read(rest) or self._follower.end())
        if not checked.verdict.is_allowed:
            return checked
        return Checked(checked.text + self._redactor.finish())

    def _checked(self, found: Subject | None) -> Checked:
        text, self._suspected = self._suspected, ""
        if found is not None and self._verdict.is_allowed:
            self._verdict = self._judged(found, text)
        if not self._verdict.is_allowed:
            return Checked("", self._verdict)
        return Checked(self._redactor.feed(text))
