"""When a caller over WebRTC was last heard from.

Two things can only come from them: RTP that could be decrypted, and answers to the checks of the
path that this side makes all the time (RFC 7675). A muted or merely listening caller gives the
latter. aioice tells nobody of them, so its request method is wrapped where it is used.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aioice.ice import Connection, StunProtocol


class SignsOfLife:
    """`packets` counts RTP packets that were accepted; `now` is in seconds."""

    def __init__(self, packets: Callable[[], int], now: Callable[[], float]) -> None:
        self._packets = packets
        self._now = now
        self._counted = 0
        self._at = now()

    @property
    def at(self) -> float:
        """The time of the newest; of packets, when they were first counted here."""
        count = self._packets()
        if count != self._counted:
            self._counted = count
            self._at = self._now()
        return self._at

    def watch(self, connection: Connection) -> None:
        """Note answers to checks from now on. To be called once it has gathered."""
        for protocol in connection._protocols:
            self._watch(protocol)

    def _watch(self, protocol: StunProtocol) -> None:
        request = protocol.request

        async def noted(*args: Any, **options: Any) -> Any:
            answer = await request(*args, **options)
            self._at = self._now()
            return answer

        protocol.request = noted  # type: ignore[method-assign]
