"""A question put to the assistant aloud, and put again when the assistant asks for that."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from tests.support.voice import CLEAR_VOICE, Samples, speech

ATTEMPTS = 3


class Speaker(Protocol):
    """A caller of a test, by whatever stack."""

    events: list[dict[str, Any]]

    async def say(self, samples: Samples) -> None:
        """Begin to speak this into the microphone (48 kHz)."""
        ...

    async def told(
        self, kind: str, where: Callable[[dict[str, Any]], bool] = ...
    ) -> dict[str, Any]:
        """The first event of this type (and property), now or later."""
        ...


async def ask(caller: Speaker, question: str) -> dict[str, Any]:
    """Say the question until it is understood; its `asr.final`.

    "I did not understand" is a legal answer of the recogniser, other words are not.
    """
    samples = await speech(question, voice=CLEAR_VOICE)
    understood: list[str] = []
    while len(understood) < ATTEMPTS and not any(understood):
        newest = max((event.get("turn", -1) for event in caller.events), default=-1)
        await caller.say(samples)
        final = await caller.told("asr.final", _after(newest))
        understood.append(final["text"])
    assert understood[-1] == question, f"asked {question!r}, understood {understood}"
    return final


def _after(turn: int) -> Callable[[dict[str, Any]], bool]:
    return lambda event: event["turn"] > turn
