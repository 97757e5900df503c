"""All settings: defaults, then profiles, a YAML file, the environment; the last one wins.

`load()` returns validated `Settings` and where each value came from. Every
setting `some_name` is `INZWA_SOME_NAME` in the environment; members of a group
such as `turn:` are `INZWA_TURN__SILENCE_MS`. `Settings(...)` itself reads nothing:
it holds what it is given and the defaults.
"""

from inzwa_rtc.settings.groups import (
    CallSettings,
    LimitSettings,
    LoadSettings,
    TimeoutSettings,
    TurnSettings,
)
from inzwa_rtc.settings.loading import PROFILES, Loaded, flatten, load, names
from inzwa_rtc.settings.network import parse_udp_ports
from inzwa_rtc.settings.refusals import Origin
from inzwa_rtc.settings.settings import NoiseSuppression, Settings
from inzwa_rtc.settings.sources import read_assignments
from inzwa_rtc.settings.speech import PhraseCacheSettings, SpeechSettings

__all__ = [
    "PROFILES",
    "CallSettings",
    "LimitSettings",
    "LoadSettings",
    "Loaded",
    "NoiseSuppression",
    "Origin",
    "PhraseCacheSettings",
    "Settings",
    "SpeechSettings",
    "TimeoutSettings",
    "TurnSettings",
    "flatten",
    "load",
    "names",
    "parse_udp_ports",
    "read_assignments",
]
