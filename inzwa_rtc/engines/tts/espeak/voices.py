"""The voices of eSpeak that are offered."""

from __future__ import annotations

from dataclasses import dataclass

from inzwa_rtc.engines.contracts import Voice

_LICENCE = "GPL-3.0-or-later"  # of eSpeak NG, its data included


@dataclass(frozen=True, slots=True)
class VoiceFile:
    """A voice, and the `path` of its file in eSpeak's data.

    `reads_numbers` is whether eSpeak knows how numbers are read in its language.
    """

    path: str
    voice: Voice
    reads_numbers: bool = True


def _file(path: str, id: str, name: str, language: str, gender: str) -> tuple[str, VoiceFile]:
    return id, VoiceFile(
        path, Voice(id, name, language, gender, licence=_LICENCE), language != "sn"
    )


VOICES: dict[str, VoiceFile] = dict(
    (
        _file("gmw/en", "en-gb", "British English", "en-GB", "male"),
        _file("gmw/en-US", "en-us", "American English", "en-US", "male"),
        _file("gmw/en+f3", "en-gb+f3", "British English, woman", "en-GB", "female"),
        _file("gmw/en-US+f2", "en-us+f2", "American English, woman", "en-US", "female"),
        _file("gmw/en+anika", "en-gb+anika", "British English, light", "en-GB", "female"),
        _file("gmw/en+Michael", "en-gb+michael", "British English, deep", "en-GB", "male"),
        _file("gmw/en-GB-scotland", "en-gb-scotland", "Scottish English", "en-GB", "male"),
        _file("gmw/en-GB-x-rp", "en-gb-x-rp", "British English, formal", "en-GB", "male"),
        # Our own rules over Swahili's sounds: see shona/sn_rules.
        _file("sn", "sn", "Shona (stopgap, Swahili sounds)", "sn", "male"),
        _file("sn+f3", "sn+f3", "Shona, woman (stopgap, Swahili sounds)", "sn", "female"),
        _file("bnt/sw", "sw", "Swahili", "sw", "male"),
        _file("bnt/sw+f3", "sw+f3", "Swahili, woman", "sw", "female"),
        _file("bnt/tn", "tn", "Setswana", "tn", "male"),
    )
)
"""By id, the default one first."""
