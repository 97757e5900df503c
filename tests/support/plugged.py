"""The embedded engines as a test plugs them in: they remember what they spoke, and stall.

They come the way that a third party's do, by entry points, so they run in processes of
their own, whether the server is in the test's process or not. All that passes between them
and the test lies in one folder: see `tests.support.plugin`.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from pathlib import Path

from inzwa_rtc.engines.asr.pocketsphinx.engine import PocketSphinx, PocketSphinxOptions
from inzwa_rtc.engines.contracts import (
    EngineKind,
    RecognizeRequest,
    ReplyRequest,
    SpeechChunk,
    SpeechRequest,
    TokenChunk,
    ToolCall,
    TranscriptChunk,
)
from inzwa_rtc.engines.llm.scripted import Scripted, ScriptedOptions
from inzwa_rtc.engines.tts.espeak.engine import ESpeak, ESpeakOptions

STALL = "stall-{}"
"""While a file of this name with an engine's kind is there, requests get stuck half-way."""
END = "end-{}"
"""While a file of this name is there, requests have the process send itself the signal that it
holds the number of: before the first token, and when all speech is in."""
UNFINISHED = "half a word"  # what is understood of speech when the recogniser gets stuck
TOKENS_BEFORE_STALL = 16  # behind the first clause of the story: some of the reply is told


def end_if_asked(folder: Path, kind: EngineKind) -> None:
    """Send this process the signal that a test left for it."""
    mark = folder / END.format(kind)
    if mark.exists():
        os.kill(os.getpid(), int(mark.read_text()))


class PluggedPocketSphinxOptions(PocketSphinxOptions):
    folder: Path


class PluggedPocketSphinx(PocketSphinx):
    """Gets stuck, or ends, when all speech is in and its words are awaited."""

    Options: type[PocketSphinxOptions] = PluggedPocketSphinxOptions

    def __init__(self, options: PluggedPocketSphinxOptions) -> None:
        super().__init__(options)
        self._folder = options.folder
        self._stall = options.folder / STALL.format("asr")

    async def recognize(
        self, audio: AsyncIterator[bytes], request: RecognizeRequest
    ) -> AsyncGenerator[TranscriptChunk, None]:
        if self._stall.exists():
            async for _ in audio:
                pass
            yield TranscriptChunk(UNFINISHED, 0, 0, False, 1.0, "en")
            await asyncio.Event().wait()
        async with (
            aclosing(self._to_the_end(audio)) as pieces,
            aclosing(super().recognize(pieces, request)) as chunks,
        ):
            async for chunk in chunks:
                yield chunk

    async def _to_the_end(self, audio: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
        async for piece in audio:
            yield piece
        end_if_asked(self._folder, "asr")


class PluggedScriptedOptions(ScriptedOptions):
    folder: Path


class PluggedScripted(Scripted):
    """Gets stuck between two tokens, or ends before the first."""

    Options: type[ScriptedOptions] = PluggedScriptedOptions

    def __init__(self, options: PluggedScriptedOptions) -> None:
        super().__init__(options)
        self._folder = options.folder
        self._stall = options.folder / STALL.format("llm")

    async def reply(self, request: ReplyRequest) -> AsyncGenerator[TokenChunk | ToolCall, None]:
        end_if_asked(self._folder, "llm")
        count = 0
        async with aclosing(super().reply(request)) as chunks:
            async for chunk in chunks:
                if count == TOKENS_BEFORE_STALL and self._stall.exists():
                    await asyncio.Event().wait()
                count += 1
                yield chunk


class PluggedESpeakOptions(ESpeakOptions):
    folder: Path


class PluggedESpeak(ESpeak):
    """Writes down all that it speaks, for no two syntheses of a text are the same: eSpeak's
    voices flutter. Gets stuck in the midst of a sentence."""

    Options: type[ESpeakOptions] = PluggedESpeakOptions

    def __init__(self, options: PluggedESpeakOptions) -> None:
        super().__init__(options)
        self._folder = options.folder

    async def synthesize(self, request: SpeechRequest) -> AsyncGenerator[SpeechChunk, None]:
        # The clock is the machine's: it orders what several processes wrote.
        path = self._folder / f"{time.monotonic_ns():020d}.said"
        about = {
            "text": request.text,
            "voice": request.voice,
            "language": request.language,
            "speed": request.speed,
            "sample_rate": self.sample_rate,
        }
        stalls = (self._folder / STALL.format("tts")).exists()
        with path.open("wb") as file:
            file.write(json.dumps(about).encode() + b"\n")
            async with aclosing(super().synthesize(request)) as chunks:
                async for chunk in chunks:
                    file.write(chunk.pcm)
                    file.flush()
                    yield chunk
                    if stalls and chunk.words:
                        await asyncio.Event().wait()
