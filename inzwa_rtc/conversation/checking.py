"""What of a turn may be said: the caller's words before a reply is asked for, and the reply phrase
by phrase before it is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import NamedTuple

from inzwa_rtc.conversation.dialogue import Dialogue
from inzwa_rtc.conversation.history import History
from inzwa_rtc.conversation.phrases import PhraseCutter
from inzwa_rtc.safety import Checked, ReplyCheck, Safety, Verdict

_THREAD_CHARS = 128
"""Most of what is said in a turn is shorter, and judged in a tenth of a millisecond. Of 5,000
characters it takes 3 to 7 ms, and 100 where each stands for many, in which no call has audio."""


class Told(NamedTuple):
    """A phrase of a reply, and how many characters of the reply come before it."""

    offset: int
    text: str


async def judged(text: str, dialogue: Dialogue, history: History, safety: Safety) -> Verdict:
    """Of what the caller said, which is not in the history yet, by itself and together with
    what they said before a pause. What only together is refused goes from the history as well:
    no part of it reaches the reply engine again."""
    verdict = await _verdict(text, dialogue.language, safety)
    if verdict.is_allowed and history.unanswered:
        verdict = await _verdict(dialogue.unanswered(text), dialogue.language, safety)
        if not verdict.is_allowed:
            history.forget_unanswered()
    return verdict


async def _verdict(text: str, language: str, safety: Safety) -> Verdict:
    if len(text) > _THREAD_CHARS:
        return await asyncio.to_thread(safety.check, text, language)
    return safety.check(text, language)


async def checked_phrases(
    tokens: asyncio.Queue[str | None], check: ReplyCheck
) -> AsyncGenerator[Checked, None]:
    """The phrases of a reply, as soon as they may be told; none is empty. One that must not be
    told is the last."""
    cutter = PhraseCutter()
    token: str | None = ""
    while token is not None:
        try:
            async with asyncio.timeout_at(cutter.deadline):
                token = await tokens.get()
        except TimeoutError:
            complete = cutter.on_time(_now())
        else:
            complete = cutter.flush() if token is None else cutter.feed(token, _now())
        for phrase in complete:
            checked = check.feed(phrase)
            if token is None and checked.verdict.is_allowed:
                checked = _joined(checked, check.finish())
            if checked.text or not checked.verdict.is_allowed:
                yield checked
            if not checked.verdict.is_allowed:
                return
    if not complete and (rest := check.finish()) and (rest.text or not rest.verdict.is_allowed):
        yield rest


def _joined(one: Checked, other: Checked) -> Checked:
    """The end of a reply with what was held back of it."""
    return Checked(one.text + other.text, other.verdict)


def _now() -> float:
    return asyncio.get_running_loop().time()
