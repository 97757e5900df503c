"""What all calls of a server share of its media."""

from __future__ import annotations

from dataclasses import dataclass

from inzwa_rtc.noise.choice import NewSuppressor, no_suppressor
from inzwa_rtc.transport.clock import MediaClock
from signaling.admission import Admission
from signaling.detectors import Detectors


@dataclass(frozen=True, slots=True)
class Media:
    """Made once; the clock is run by the server."""

    clock: MediaClock
    detectors: Detectors
    admission: Admission
    new_suppressor: NewSuppressor = no_suppressor
