"""All operations of administrators, but for the reload."""

from __future__ import annotations

from typing import Any

from signaling.administration.calls import LiveCalls
from signaling.administration.configuration import Configuration
from signaling.administration.drain import Drain
from signaling.administration.engines import EngineStates
from signaling.administration.figures import Charts
from signaling.administration.warmup import WarmUp
from signaling.api.operation import Operation
from signaling.calls import Calls
from signaling.switchboard import Switchboard


def administration(calls: Calls, switchboard: Switchboard[Any]) -> list[Operation]:
    """To be added to the application."""
    return [
        *LiveCalls(calls).operations(),
        *EngineStates(switchboard).operations(),
        *Drain(calls).operations(),
        *Configuration(switchboard).operations(),
        *Charts(calls).operations(),
        *WarmUp(switchboard).operations(),
    ]
