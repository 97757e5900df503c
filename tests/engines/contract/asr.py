"""What every recogniser promises, whichever library or server is behind it.

The class of tests of an engine inherits `RecognizerContract` and gives its fixture `subject`.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import aclosing, closing
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest

from inzwa_rtc.engines.contracts import Ability, RecognizeRequest, TranscriptChunk
from inzwa_rtc.errors import EngineError
from tests.engines.contract.isolation import at_home, tidy
from tests.support.memory import resident

GUARD_S = 60.0
PIECE = 3200  # bytes of 100 ms
KEPT_BYTES = 40_000_000  # three models of 20 MB are more


@dataclass(frozen=True, slots=True)
class Subject:
    """An engine to be tested."""

    make: Callable[..., Any]
    """Build it; keywords are its options."""
    speech: bytes
    """About two seconds of what it takes for speech, int16 at 16 kHz without a pause."""
    language: str = "en"
    streaming: Mapping[str, Any] | None = None
    """Options with which it gives partial transcripts of speech that goes on; None if it
    cannot."""
    is_exact: bool = True
    """Whether an utterance always gets the same words. Not so where pauses are decoded as they
    come: how much silence the model is given then depends on when it was free."""
    larger: Callable[..., Any] | None = None
    """Build one with a model of at least 20 MB, if its memory is to be watched."""
    kept_bytes: int = KEPT_BYTES
    """How much memory would at least be gone if three of these models had been kept."""
    stays_home: bool = True
    """Whether it has no business beyond this machine."""


class Caller:
    """Speaks piece by piece, as the test says."""

    def __init__(self) -> None:
        self._pieces: asyncio.Queue[bytes | None] = asyncio.Queue()

    def say(self, audio: bytes, size: int = PIECE) -> None:
        for start in range(0, len(audio), size):
            self._pieces.put_nowait(audio[start : start + size])

    def end(self) -> None:
        self._pieces.put_nowait(None)

    async def audio(self) -> AsyncGenerator[bytes, None]:
        while (piece := await self._pieces.get()) is not None:
            yield piece


async def spoken(audio: bytes, size: int = PIECE) -> AsyncIterator[bytes]:
    for start in range(0, len(audio), size):
        yield audio[start : start + size]


async def until(condition: Callable[[], object]) -> None:
    """Let others run until it holds."""
    async with asyncio.timeout(GUARD_S):
        while not condition():  # noqa: ASYNC110 - threads change it, who know no asyncio.Event
            await asyncio.sleep(0)


async def hang_up(reading: asyncio.Task[Any], stream: AsyncGenerator[Any, None]) -> None:
    """What becomes of a stream whose consumer is cancelled."""
    reading.cancel()
    await asyncio.wait({reading})
    await stream.aclose()
    await asyncio.sleep(0)  # the loop's turn in which a thread is told


async def heard(
    engine: Any, audio: bytes, request: RecognizeRequest, size: int = PIECE
) -> list[TranscriptChunk]:
    """All chunks of one utterance."""
    stream = engine.recognize(spoken(audio, size), request)
    async with asyncio.timeout(GUARD_S), aclosing(stream):
        return [chunk async for chunk in stream]


def noise(seconds: float, *, seed: int = 0, level: int = 8000) -> bytes:
    samples = np.random.default_rng(seed).normal(0, level, int(seconds * 16_000))
    return samples.clip(-32768, 32767).astype("<i2").tobytes()


def check(chunks: list[TranscriptChunk], audio_ms: int) -> None:
    """Every chunk says only what one may, and only the last is final."""
    assert [chunk.is_final for chunk in chunks] == [False] * (len(chunks) - 1) + [True]
    for chunk in chunks:
        json.dumps(asdict(chunk), allow_nan=False)
        assert 0 <= chunk.confidence <= 1
        assert 0 <= chunk.stable <= len(chunk.text)
        assert 0 <= chunk.start_ms <= chunk.end_ms <= audio_ms
        for word in chunk.words:
            assert word.text
            assert not any(letter.isspace() for letter in word.text)
            assert 0 <= word.start_ms <= word.end_ms <= audio_ms
            assert 0 <= word.confidence <= 1
        for earlier, later in pairwise(chunk.words):
            assert earlier.start_ms <= later.start_ms


class RecognizerContract:
    async def test_partial_transcripts_come_while_the_caller_speaks_and_one_final_one_after(
        self, subject: Subject
    ) -> None:
        request = RecognizeRequest(subject.language)
        with closing(subject.make(**(subject.streaming or {}))) as engine:
            caller = Caller()
            stream = engine.recognize(caller.audio(), request)
            async with asyncio.timeout(GUARD_S), aclosing(stream):
                caller.say(subject.speech)
                chunks = [await anext(stream)] if subject.streaming else []
                caller.say(subject.speech)
                caller.end()
                chunks += [chunk async for chunk in stream]
        check(chunks, audio_ms=2 * len(subject.speech) // 32)

    @pytest.mark.parametrize(
        "audio",
        [
            pytest.param(b"", id="nothing"),
            pytest.param(b"\0", id="half a sample"),
            pytest.param(b"\1", id="half a loud one"),
            pytest.param(b"\0\0", id="one sample"),
            pytest.param(bytes(64_000), id="silence"),
            pytest.param(noise(0.02), id="20 ms"),
            pytest.param(noise(1, level=30), id="hiss"),
            pytest.param(noise(31), id="a sermon"),
        ],
    )
    async def test_any_audio_ends_in_one_final_transcript(
        self, subject: Subject, audio: bytes
    ) -> None:
        with closing(subject.make()) as engine:
            chunks = await heard(engine, audio, RecognizeRequest(subject.language))
        check(chunks, audio_ms=max(1000, len(audio) // 32))
        if not any(audio):
            assert chunks[-1].text == ""

    async def test_pieces_may_have_any_length(self, subject: Subject) -> None:
        with closing(subject.make()) as engine:
            request = RecognizeRequest(subject.language)
            whole = await heard(engine, subject.speech, request, size=len(subject.speech))
            odd = await heard(engine, subject.speech, request, size=1234)
        if subject.is_exact:
            assert odd[-1].text == whole[-1].text
        check(odd, audio_ms=len(subject.speech) // 32 + 1000)

    @pytest.mark.parametrize("said", ["nothing", "a little", "more", "all"])
    async def test_who_hangs_up_at_any_moment_leaves_the_place_to_others(
        self, subject: Subject, said: str
    ) -> None:
        share = {"nothing": 0.0, "a little": 0.1, "more": 0.8, "all": 1.0}[said]
        request = RecognizeRequest(subject.language)
        with closing(subject.make(**(subject.streaming or {}))) as engine:
            for _ in range(3):
                caller = Caller()
                caller.say(subject.speech[: int(share * len(subject.speech)) // 2 * 2])
                if said == "all":
                    caller.end()
                stream = engine.recognize(caller.audio(), request)
                reading = asyncio.create_task(anext(stream, None))
                for _ in range(30):  # turns of the loop, in which decoding begins
                    await asyncio.sleep(0)
                await hang_up(reading, stream)
            chunks = await heard(engine, subject.speech, request)
        check(chunks, audio_ms=len(subject.speech) // 32 + 1000)

    async def test_four_utterances_at_once_do_not_mix(self, subject: Subject) -> None:
        request = RecognizeRequest(subject.language)
        cut = len(subject.speech) // 8 * 2
        utterances = [subject.speech[number * cut // 2 // 2 * 2 :] for number in range(4)]
        with closing(subject.make()) as engine:
            alone = [await heard(engine, audio, request) for audio in utterances]
            together = await asyncio.gather(
                *(heard(engine, audio, request) for audio in utterances)
            )
        for one, other, audio in zip(alone, together, utterances, strict=True):
            check(other, audio_ms=len(audio) // 32 + 1000)
            if not subject.is_exact:
                continue
            assert (one[-1].text, one[-1].words) == (other[-1].text, other[-1].words)

    async def test_a_language_that_it_does_not_know_is_refused_by_name(
        self, subject: Subject
    ) -> None:
        with closing(subject.make()) as engine:
            with pytest.raises(EngineError, match="tlh") as refused:
                await heard(engine, subject.speech, RecognizeRequest("tlh"))
            assert refused.value.action
            check(await heard(engine, b"", RecognizeRequest(subject.language)), audio_ms=0)

    def test_it_tells_what_it_runs_and_on_what(self, subject: Subject) -> None:
        with closing(subject.make()) as engine:
            assert engine.details["model"]
            assert all(isinstance(value, str) for value in engine.details.values())

    def test_it_tells_what_it_can_do(self, subject: Subject) -> None:
        with closing(subject.make(**(subject.streaming or {}))) as engine:
            assert set(engine.abilities) <= set(type(engine).abilities) <= set(get_args(Ability))
            if subject.streaming:
                assert "partials" in engine.abilities

    async def test_it_leaves_no_file_behind(
        self, subject: Subject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with tidy(tmp_path, monkeypatch), closing(subject.make()) as engine:
            await heard(engine, subject.speech, RecognizeRequest(subject.language))

    async def test_it_never_contacts_a_hub(
        self, subject: Subject, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        if not subject.stays_home:
            pytest.skip("asks a server elsewhere, as it should")
        with at_home(monkeypatch), closing(subject.make()) as engine:
            await heard(engine, subject.speech, RecognizeRequest(subject.language))

    async def test_closing_it_gives_its_memory_back(self, subject: Subject) -> None:
        if subject.larger is None:
            pytest.skip("no model of its own")
        for number in range(5):
            with closing(subject.larger()) as engine:
                await heard(engine, subject.speech, RecognizeRequest(subject.language))
            if number == 1:  # what the library takes once and keeps, it has by now
                before = resident()
        assert resident() - before < subject.kept_bytes
