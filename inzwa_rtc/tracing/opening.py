"""Chooses whether anything is traced."""

from __future__ import annotations

from inzwa_rtc.errors import ConfigError
from inzwa_rtc.settings.telemetry import TelemetrySettings
from inzwa_rtc.tracing.traces import NoTraces, Traces


def opened(settings: TelemetrySettings) -> Traces:
    """As the settings say. Raises `ConfigError` where the extra is not installed."""
    if settings.otlp_endpoint is None:
        return NoTraces()
    try:
        from inzwa_rtc.tracing.otel import OtelTraces
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "opentelemetry":
            raise
        raise ConfigError(
            "`telemetry.otlp_endpoint` is set, and OpenTelemetry is not installed.",
            action="Install the extra: pip install 'inzwa-rtc[otel]', or leave the setting out.",
        ) from None
    return OtelTraces(settings)
