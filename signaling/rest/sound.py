"""How sound is named in HTTP."""

from __future__ import annotations

from inzwa_rtc.audio.container import MEDIA_TYPES, Format
from signaling.operations.encoding import PCM_RATE


def content_type(name: Format) -> str:
    """The media type of a format, with what a player has to know."""
    match name:
        case "opus":
            return "audio/ogg; codecs=opus"
        case "pcm":
            return f"audio/pcm; rate={PCM_RATE}; channels=1"
        case _:
            return MEDIA_TYPES[name]
