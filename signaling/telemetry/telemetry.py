"""All that is measured of one server, and who is told."""

from __future__ import annotations

import time

from prometheus_client import CollectorRegistry, ProcessCollector

from inzwa_rtc.machine.load import MachineLoad
from inzwa_rtc.metrics.calls import CallMetrics
from inzwa_rtc.metrics.figures import Figures
from inzwa_rtc.metrics.listening import ListeningMetrics
from inzwa_rtc.metrics.requests import RequestMetrics
from inzwa_rtc.metrics.state import loop_lag
from inzwa_rtc.pseudonym import Pseudonyms
from inzwa_rtc.settings import Settings
from inzwa_rtc.tracing.traces import NoTraces, Traces
from inzwa_rtc.turntaking.ear import Judged
from signaling.telemetry.watch import CallWatch


class Telemetry:
    """One for each server: several in one process share nothing."""

    def __init__(self, settings: Settings, traces: Traces | None = None) -> None:
        self.registry = CollectorRegistry()
        self.calls = CallMetrics(self.registry)
        self.requests = RequestMetrics(self.registry)
        self.lag = loop_lag(self.registry)
        self.listening = ListeningMetrics(self.registry)
        self.figures = Figures(time.monotonic)
        self.traces = traces or NoTraces()
        self.pseudonyms = Pseudonyms(settings.hmac_key)
        self.load = MachineLoad(0, 0)
        """The machine's, as it was last read."""
        ProcessCollector(registry=self.registry)

    def watch(self, call_id: str, transport: str) -> CallWatch:
        """Who watches over a new call."""
        return CallWatch(self.calls, self.figures, self.traces.call(call_id, transport))

    def note_load(self, load: MachineLoad) -> None:
        """How busy the machine is now."""
        self.load = load

    def note_judged(self, judged: Judged) -> None:
        """What the voice detector did at one tick."""
        self.listening.tick(judged.seconds, judged.windows, judged.silent)

    def pseudonym(self, user: str | None) -> str | None:
        """How a user is named wherever people may read it."""
        return None if user is None else self.pseudonyms.of(user)
