"""What all calls of a server share of its media: one clock, one ear, one measure of the room
that there is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from inzwa_rtc.engines.contracts import Microphone, SharedVoiceDetector
from inzwa_rtc.noise.choice import NewSuppressor, no_suppressor
from inzwa_rtc.transport.clock import MediaClock
from inzwa_rtc.turntaking import silero
from inzwa_rtc.turntaking.ear import Ear, tried
from signaling.access.caller import Caller
from signaling.admission import Admission


class Media:
    """Made once; the server runs its clock, which has the ear listen."""

    def __init__(
        self,
        clock: MediaClock,
        ear: Ear,
        admission: Admission,
        new_suppressor: NewSuppressor = no_suppressor,
    ) -> None:
        self.clock = clock
        self.admission = admission
        self.ear = ear
        self._new_suppressor = new_suppressor
        clock.listeners.append(ear)

    def to(self, caller: Caller) -> tuple[MediaClock, SharedVoiceDetector]:
        """What a transport of this caller's needs."""
        return self.clock, self.listening_to(caller)

    def listening_to(self, caller: Caller) -> SharedVoiceDetector:
        """Who listens to this caller's next call."""
        if caller.settings.voice_mode == "tts_only":
            return _Clocked(self.clock, self.ear.unheard())
        return _Clocked(self.clock, self.ear.of_call(self._new_suppressor()))


@dataclass(frozen=True, slots=True)
class _Clocked:
    """Satisfies `SharedVoiceDetector`: the clock ticks while it listens."""

    clock: MediaClock
    detector: SharedVoiceDetector

    @contextmanager
    def listening(self, microphone: Microphone) -> Iterator[None]:
        with self.clock.kept(), self.detector.listening(microphone):
            yield


def warm_network() -> silero.Silero:
    """The voice detector's network, which has heard a sound: what its libraries put off until
    they are first used is done. Blocks for some milliseconds. Raises `ConfigError`."""
    network = silero.load()
    tried(network)
    return network
