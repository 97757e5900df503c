"""Speech made faster or slower than a model without a pace of its own speaks."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from inzwa_rtc.engines.contracts import SpeechChunk
from inzwa_rtc.engines.tts.espeak.stretch import Stretch

_FASTEST_AT_ONCE = 2.0  # beyond, the filter leaves sound out instead of laying it over


async def at_pace(
    speech: AsyncGenerator[SpeechChunk, None], rate: int, tempo: float
) -> AsyncGenerator[SpeechChunk, None]:
    """The same speech, its pitch unchanged, at `tempo` (0.25 to 4) times its pace."""
    if tempo == 1.0:
        stretches: list[Stretch] = []
    elif 1 / _FASTEST_AT_ONCE <= tempo <= _FASTEST_AT_ONCE:
        stretches = [Stretch(rate, tempo)]
    else:
        stretches = [Stretch(rate, tempo**0.5), Stretch(rate, tempo**0.5)]
    async with aclosing(speech) as chunks:
        async for chunk in chunks:
            if (changed := _fed(chunk, stretches)).pcm:
                yield changed
    for number, stretch in enumerate(stretches):
        if (rest := _fed(stretch.flush(), stretches[number + 1 :])).pcm:
            yield rest


def _fed(chunk: SpeechChunk, stretches: list[Stretch]) -> SpeechChunk:
    for stretch in stretches:
        chunk = stretch.feed(chunk)
    return chunk
