"""Speech whose every sample tells its turn, written in the two ways that there are."""

from __future__ import annotations

from inzwa_rtc.audio.frame import PlayoutFrame
from inzwa_rtc.engines.contracts import WordTime
from inzwa_rtc.events import Event
from inzwa_rtc.playout.playout import Playout
from inzwa_rtc.playout.speech import Speech

RATE = 16_000
FRAME = RATE // 50 * 2


def marked(turn: int, frames: int) -> bytes:
    """Audio whose every sample names its turn."""
    return turn.to_bytes(2, "little") * (FRAME // 2 * frames)


def playout() -> tuple[Playout, list[Event]]:
    events: list[Event] = []
    return Playout(RATE, events.append), events


def encoded(turn: int, frames: int) -> list[PlayoutFrame]:
    """The same audio in frames that were encoded before."""
    return [PlayoutFrame(marked(turn, 1), b"opus")] * frames


def pulled(out: Playout) -> bytes | None:
    frame = out.pull()
    return frame.pcm if frame else None


async def say_samples(
    speech: Speech, text: str, frames: int, words: tuple[WordTime, ...] = ()
) -> None:
    speech.begin_phrase(text, 0)
    await speech.write(marked(speech.turn, frames), words)
    speech.end_phrase()


async def say_frames(
    speech: Speech, text: str, frames: int, words: tuple[WordTime, ...] = ()
) -> None:
    speech.begin_phrase(text, 0)
    await speech.write_frames(encoded(speech.turn, frames), words)
    speech.end_phrase()
