"""When a silent caller is asked, when an idle call ends, and when a call has been too long.

Counts samples; decides nothing but time.
"""

from __future__ import annotations

import enum

from inzwa_rtc.engines.contracts import ASR_SAMPLE_RATE
from inzwa_rtc.settings import CallSettings

FORCED_END_S = 20  # of the goodbye at the time limit, should it not get through


class Due(enum.Enum):
    """What it is time for."""

    IDLE_PROMPT = enum.auto()
    IDLE_LIMIT = enum.auto()
    TIME_LIMIT = enum.auto()
    FORCED_END = enum.auto()


class CallClock:
    """Tick it with each frame; it says once what has become due."""

    def __init__(self, settings: CallSettings) -> None:
        self._settings = settings
        self._total = 0
        self._idle = 0  # since anybody spoke
        self._unanswered = 0  # idle since the caller was last active
        self._prompts = 0
        self._since_limit: int | None = None  # since it was told that the time limit is reached

    @property
    def elapsed_s(self) -> float:
        """Length of the call so far."""
        return self._total / ASR_SAMPLE_RATE

    def caller_is_active(self) -> None:
        """The caller spoke or typed."""
        self._idle = self._unanswered = self._prompts = 0

    def been_away(self, seconds: float) -> None:
        """For so long there was no connection. The call is longer by that, and nobody was idle."""
        self._total += round(seconds * ASR_SAMPLE_RATE)
        self.caller_is_active()

    def tick(self, samples: int, is_busy: bool) -> Due | None:
        """`samples` have passed; `is_busy` while a turn is running or the caller speaks."""
        settings = self._settings
        self._total += samples
        if self.elapsed_s >= settings.max_length_s:
            return self._over_time(samples)
        if is_busy:
            self._idle = 0
            return None
        self._idle += samples
        self._unanswered += samples
        if self._unanswered >= settings.idle_limit_s * ASR_SAMPLE_RATE:
            self.caller_is_active()
            return Due.IDLE_LIMIT
        is_prompted = 0 < settings.idle_prompt_s * ASR_SAMPLE_RATE <= self._idle
        if is_prompted and self._prompts < settings.idle_prompts:
            self._prompts += 1
            self._idle = 0
            return Due.IDLE_PROMPT
        return None

    def _over_time(self, samples: int) -> Due | None:
        if self._since_limit is None:
            self._since_limit = 0
            return Due.TIME_LIMIT
        self._since_limit += samples
        is_stuck = self._since_limit >= FORCED_END_S * ASR_SAMPLE_RATE
        return Due.FORCED_END if is_stuck else None
