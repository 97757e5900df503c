"""A call that goes on while something else is done to its server, and what its caller hears."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise

from inzwa_rtc.engines.contracts import ReplyRequest, TokenChunk
from tests.support.caller import FRAME, RATE, Caller, calling
from tests.support.server import Serving, serving

LATER = 25
"""Packets, half a second of speech, that are waited for behind what was done."""
_WORDS = 100  # 20 s of speech
_ENOUGH = 10 * RATE


class Talker:
    """A model that always has much to say."""

    async def reply(self, request: ReplyRequest) -> AsyncGenerator[TokenChunk, None]:
        for number in range(_WORDS):
            yield TokenChunk(f"word{number} ")


class LiveCall:
    """A call in which the assistant speaks for as long as it is asked to."""

    def __init__(self, caller: Caller, server: Serving) -> None:
        self.caller = caller
        self.server = server
        self._speaks_until = 0  # samples of the call

    async def speaks(self) -> None:
        """Return once an answer is heard that lasts longer than any test."""
        if len(self.caller.audio()) < self._speaks_until:
            return
        before = len(self.caller.all("tts.start"))
        self.caller.send(type="text", text="Tell me more.")
        await self.caller.told("tts.start", lambda _: len(self.caller.all("tts.start")) > before)
        self._speaks_until = len(self.caller.audio()) + _ENOUGH

    async def is_unharmed(self) -> None:
        """More of the answer is heard, and no packet is missing, of this or of any before."""
        samples = len(self.caller.audio())
        await self.caller.heard(samples + LATER * FRAME)
        numbers = [sequence for sequence, _ in self.caller.packets]
        steps = {(b - a) % 65536 for a, b in pairwise(numbers)}
        assert steps == {1}, "packets were lost, doubled or out of order"
        assert not self.caller.all("session.ended")

    @property
    def ports(self) -> list[tuple[str, int]]:
        """Where the server takes this call's packets."""
        return ports_of(self.caller.pc.remoteDescription.sdp)


def ports_of(answer: str) -> list[tuple[str, int]]:
    """The addresses that an answer tells."""
    lines = (line.split() for line in answer.splitlines() if line.startswith("a=candidate:"))
    return sorted({(fields[4], int(fields[5])) for fields in lines})


@asynccontextmanager
async def live_call() -> AsyncIterator[LiveCall]:
    """A server, and a call on it."""
    async with serving(llm=Talker(), call={"greeting": ""}) as server:
        async with calling(server.url) as caller:
            yield LiveCall(caller, server)
