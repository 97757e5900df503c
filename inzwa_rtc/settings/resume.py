"""Settings of how a call is taken up again whose connection was lost."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from inzwa_rtc.settings.group import Group

Seconds = Annotated[float, Field(ge=0, le=600)]


class ResumeSettings(Group):
    """For how long a call waits for its caller, in seconds; 0 ends it at once. `closed_s` counts
    where the client has closed the connection itself, `lost_s` where it broke."""

    lost_s: Seconds = 60.0
    closed_s: Seconds = 5.0
