"""How sound is named in HTTP."""

from __future__ import annotations

from inzwa_rtc.audio.container import FORMATS, MEDIA_TYPES, Format
from signaling.api.operation import Answer
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


SOUNDS = tuple(
    Answer(200, "The sound, as it is made.", media_type=content_type(name).partition(";")[0])
    for name in FORMATS
)
"""How speech is answered, in each format."""
