"""Settings of what is told to those who watch the server from outside."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, field_validator

from inzwa_rtc.settings.group import Group


class TelemetrySettings(Group):
    """Where traces go, if anywhere: the address of an OpenTelemetry collector that takes OTLP over
    HTTP."""

    otlp_endpoint: str | None = None
    trace_share: Annotated[float, Field(ge=0, le=1)] = 1.0
    service_name: Annotated[str, Field(min_length=1)] = "inzwa-rtc"

    @field_validator("otlp_endpoint")
    @classmethod
    def _is_address(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("http://", "https://")):
            raise ValueError("must be a URL such as http://localhost:4318")
        return value
