"""Figures of HTTP requests."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Histogram

# Few: there is a line for each of them, for each operation, twice.
_SECONDS = (0.01, 0.05, 0.2, 0.8, 3.0, 15.0)


class RequestMetrics:
    """All requests of one server. An operation is a method and a path as it is declared, so that
    there are no more of them than there are in the API's document."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._requests = Counter(
            "inzwa_requests", "Requests answered", ("operation", "status"), registry=registry
        )
        self._seconds = Histogram(
            "inzwa_request_seconds",
            "Request to the end of its answer",
            ("operation",),
            registry=registry,
            buckets=_SECONDS,
        )
        self._first = Histogram(
            "inzwa_request_first_byte_seconds",
            "Request to the beginning of its answer",
            ("operation",),
            registry=registry,
            buckets=_SECONDS,
        )

    def answered(self, operation: str, status: int, seconds: float, first_byte_s: float) -> None:
        """A request is over."""
        self._requests.labels(operation, str(status)).inc()
        if status == 101:
            return  # a socket lasts as long as its call
        self._seconds.labels(operation).observe(seconds)
        self._first.labels(operation).observe(first_byte_s)
