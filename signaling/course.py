"""The course of a call as it is accounted for: its first and last log line, and the figures."""

from __future__ import annotations

import asyncio
from typing import Any

import structlog

from inzwa_rtc.conversation.dictation import Dictation
from inzwa_rtc.conversation.session import Session
from inzwa_rtc.events import EndReason
from inzwa_rtc.speech.cost import OTHERS
from signaling.call import Call
from signaling.switchboard import Switchboard
from signaling.telemetry.telemetry import Telemetry

log = structlog.get_logger(__name__)


async def accounted(
    call: Call, session: Session | Dictation, telemetry: Telemetry, switchboard: Switchboard[Any]
) -> EndReason:
    """Run the session to its end."""
    transport = call.transport  # by which it counts; it may go on over another one
    log.info("call.started", transport=transport)
    telemetry.calls.started(transport)
    reason: EndReason = "error"
    try:
        reason = await session.run()
    except asyncio.CancelledError:
        reason = "connection_lost"  # aiohttp cancels a request whose client is gone
        raise
    finally:
        _count(call, transport, session, telemetry, reason)
        log.info(
            "call.ended",
            reason=reason,
            seconds=round(session.elapsed_s, 1),
            turns=session.turns,
            dropped_s=round(session.dropped_s, 1),
            **_spent(call, switchboard),
        )
    return reason


def _count(
    call: Call,
    transport: str,
    session: Session | Dictation,
    telemetry: Telemetry,
    reason: EndReason,
) -> None:
    telemetry.calls.ended(transport, reason, session.elapsed_s)
    if call.line is not None:
        call.watch.report(call.line)
    telemetry.calls.dropped(recogniser_s=session.dropped_s, inbox_s=call.watch.dropped_s)


def _spent(call: Call, switchboard: Switchboard[Any]) -> dict[str, Any]:
    """What speech the call was given, and what that cost, by currency."""
    spending = switchboard.now.spending
    cost = spending.hand_over(call.id, call.owner.user or OTHERS)
    told = {"speech_cost": cost.shown()} if cost.amounts else {}
    return {"speech_characters": cost.characters, **told}
