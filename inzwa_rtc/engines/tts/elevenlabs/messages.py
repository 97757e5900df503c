"""What ElevenLabs sends, by HTTP or by WebSocket, in one form. No I/O."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from inzwa_rtc.engines.remote.answers import Refusal
from inzwa_rtc.engines.remote.http import MAX_ANSWER_BYTES
from inzwa_rtc.engines.tts.elevenlabs.refusals import code_of
from inzwa_rtc.engines.tts.served import is_error


@dataclass(frozen=True, slots=True)
class Said:
    """A piece of sound, int16, and when its characters are spoken, in milliseconds."""

    pcm: bytes
    characters: Sequence[Any] = ()
    starts_ms: Sequence[Any] = ()
    is_final: bool = False


def said_by(told: Any) -> Said | Refusal:
    """What a message says. Raises one of `answers.UNREADABLE` for what is none."""
    sound = told.get("audio_base64", told.get("audio"))
    is_final = bool(told.get("isFinal") or told.get("is_final"))
    if sound is None and not is_final:
        if "audio" in told or "audio_base64" in told:  # times alone
            sound = ""
        elif is_error(told):
            return Refusal(0, code_of(told))
        else:
            raise ValueError("not a message")
    pcm = base64.b64decode(sound or "", validate=True)
    times = told.get("alignment") or {}
    if "chars" in times:
        return Said(pcm, times["chars"] or (), times.get("charStartTimesMs") or (), is_final)
    starts_ms = [start * 1000 for start in times.get("character_start_times_seconds", ())]
    return Said(pcm, times.get("characters", ()), starts_ms, is_final)


class Lines:
    """JSON values, one on each line, that come in pieces."""

    def __init__(self) -> None:
        self._held = b""

    def feed(self, data: bytes) -> Iterator[Any]:
        """Yield the values that are complete. Raises `ValueError` for a line that is none."""
        *lines, self._held = (self._held + data).split(b"\n")
        if len(self._held) > MAX_ANSWER_BYTES:
            raise ValueError("a line that does not end")
        yield from (json.loads(line) for line in lines if line.strip())

    def end(self) -> Iterator[Any]:
        """The last value, if no line ended after it."""
        if self._held.strip():
            yield json.loads(self._held)
