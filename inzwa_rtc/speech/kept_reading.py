"""Reading aloud in calls: what was spoken before is not synthesized again."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from inzwa_rtc.engines.contracts import SpeechChunk, SpeechRequest
from inzwa_rtc.speech.cache.cache import PhraseCache
from inzwa_rtc.speech.cache.phrase import KeptPhrase
from inzwa_rtc.speech.reading import Reading


class KeptReading:
    """A `Reading` of which each phrase comes as it was kept, if it was.

    A phrase is kept when it is spoken for the second time: most of what is said in calls is
    said once, and encoding it to no purpose would take a part of what the call itself does.
    Pinned phrases are kept at once.
    """

    def __init__(self, reading: Reading, cache: PhraseCache) -> None:
        self._reading = reading
        self._cache = cache

    @property
    def sample_rate(self) -> int:
        """Rate of the audio in chunks, in Hz."""
        return self._reading.sample_rate

    @property
    def is_between_pieces(self) -> bool:
        """Whether the next audio is the first of a piece, for which an engine takes longer."""
        return self._reading.is_between_pieces

    async def phrase(
        self, request: SpeechRequest
    ) -> AsyncGenerator[SpeechChunk | KeptPhrase, None]:
        """Yield the kept phrase and nothing else, or the speech of `Reading.synthesize`, and
        raise what that raises."""
        pieces = tuple(self._reading.pieces(request))
        key = self._reading.key(request, pieces) if pieces else None
        if key is not None and (kept := await self._cache.find(key)):
            yield kept
            return
        recording = None
        if key is not None and self._cache.recurs(key):
            recording = self._cache.recording(key, self.sample_rate)
        is_its_own = True
        async with aclosing(self._reading.speak(request, pieces)) as chunks:
            async for chunk in chunks:
                if recording is not None and key is not None:
                    recording.add(chunk.pcm, chunk.words)
                    is_its_own = is_its_own and chunk.engine == key.engine
                yield chunk
        if recording is not None and key is not None and is_its_own:
            self._cache.keep_soon(key, recording)
