"""Figures of the voice detector, which listens to all calls at once."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Histogram

_SECONDS = (0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05)


class ListeningMetrics:
    """Written at each tick at which there is anything to judge."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._seconds = Histogram(
            "inzwa_voice_detection_seconds",
            "Time that the voice detector takes for all calls together",
            registry=registry,
            buckets=_SECONDS,
        )
        self._windows = Counter(
            "inzwa_voice_windows",
            "Windows of 32 ms that were judged",
            ["sound"],
            registry=registry,
        )
        self._heard, self._silent = (self._windows.labels(name) for name in ("some", "none"))

    def tick(self, seconds: float, windows: int, silent: int) -> None:
        """So many windows were judged in so long; the silent ones had no sound at all."""
        self._seconds.observe(seconds)
        self._heard.inc(windows - silent)
        self._silent.inc(silent)
