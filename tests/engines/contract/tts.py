"""What every synthesizer promises, whichever library or server is behind it.

The class of tests of an engine inherits `SynthesizerContract` and gives its fixture `subject`.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import aclosing, closing
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
from structlog.testing import capture_logs

from inzwa_rtc.engines.contracts import Ability, SpeechChunk, SpeechRequest, WordTime
from inzwa_rtc.errors import EngineError
from tests.engines.contract.isolation import at_home, tidy
from tests.support.memory import resident

GUARD_S = 60.0
KEPT_BYTES = 60_000_000
LONGEST_CHUNK_S = 5.0  # whoever streams a long text holds no more of it at once
FIRST_CHUNK_S = 0.15  # of an engine that streams


@dataclass(frozen=True, slots=True)
class Subject:
    """An engine to be tested."""

    make: Callable[..., Any]
    """Build it; keywords are its options."""
    text: str = "The river listens, and the wind in the reeds answers slowly."
    """A sentence that it can speak."""
    language: str = "en"
    is_exact: bool = True
    """Whether a request always gets the same sound."""
    tells_voices: bool = True
    """Whether it knows all its voices, so that others are refused."""
    larger: Callable[[], Any] | None = None
    """Build one that holds 30 MB or more, if its memory is to be watched."""
    kept_bytes: int = KEPT_BYTES
    """How much memory would at least be gone if three of these had been kept."""
    default: Callable[[str], dict[str, Any]] = lambda voice: {"voice": voice}
    """The options that make the voice of this id the default one."""
    stays_home: bool = True
    """Whether it has no business beyond this machine."""


async def spoken(engine: Any, request: SpeechRequest) -> list[SpeechChunk]:
    """All chunks of a request."""
    async with asyncio.timeout(GUARD_S), aclosing(engine.synthesize(request)) as chunks:
        return [chunk async for chunk in chunks]


def sound(chunks: list[SpeechChunk]) -> bytes:
    return b"".join(chunk.pcm for chunk in chunks)


def words(chunks: list[SpeechChunk]) -> list[WordTime]:
    return [word for chunk in chunks for word in chunk.words]


def check(chunks: list[SpeechChunk], request: SpeechRequest, rate: int) -> None:
    """Whole samples, of a length that memory bears; words in order, in the text, in time."""
    made = 0
    for chunk in chunks:
        assert len(chunk.pcm) % 2 == 0
        assert len(chunk.pcm) <= LONGEST_CHUNK_S * rate * 2
        made += len(chunk.pcm) // 2
        for word in chunk.words:
            json.dumps(asdict(word), allow_nan=False)
            assert 0 <= word.start_ms <= made * 1000 / rate
            assert 0 <= word.offset < word.offset + word.length <= len(request.text)
            assert request.text[word.offset : word.offset + word.length].strip()
    for earlier, later in pairwise(words(chunks)):
        assert earlier.offset + earlier.length <= later.offset
        assert earlier.start_ms <= later.start_ms


class SynthesizerContract:
    def request(self, subject: Subject, text: str | None = None, **values: Any) -> SpeechRequest:
        said = subject.text if text is None else text
        return SpeechRequest(said, **{"language": subject.language, **values})

    async def test_a_sentence_becomes_sound(self, subject: Subject) -> None:
        with closing(subject.make()) as engine:
            request = self.request(subject)
            chunks = await spoken(engine, request)
            assert 8000 <= engine.sample_rate <= 48_000
            check(chunks, request, engine.sample_rate)
            assert np.frombuffer(sound(chunks), "<i2").any()
            if "streams" in engine.abilities:
                assert 0 < len(chunks[0].pcm) <= FIRST_CHUNK_S * engine.sample_rate * 2
                assert len(chunks) > 2
            if "word times" in engine.abilities:
                # A voice may run two short words together and tell one time.
                assert len(words(chunks)) > len(subject.text.split()) / 2
                assert not any(word.is_estimated for word in words(chunks))
            else:
                assert not words(chunks)

    async def test_it_tells_what_it_is(self, subject: Subject) -> None:
        told = []
        for _ in range(2):
            with closing(subject.make()) as engine:
                assert set(engine.abilities) <= set(get_args(Ability))
                assert engine.details["model"]
                assert engine.fingerprint
                assert len({voice.id for voice in engine.voices}) == len(engine.voices) > 0
                assert all(voice.id and voice.name and not voice.engine for voice in engine.voices)
                told.append((engine.fingerprint, [asdict(voice) for voice in engine.voices]))
        assert told[0] == told[1]
        json.dumps(told)

    async def test_its_default_voice_is_the_first_that_it_tells(self, subject: Subject) -> None:
        """By that, what was said in another one is known not to be the same."""
        with closing(subject.make()) as engine:
            ids = [voice.id for voice in engine.voices]
        if len(ids) == 1:
            pytest.skip("has one voice")
        for id in (ids[1], ids[0]):
            with closing(subject.make(**subject.default(id))) as engine:
                assert engine.voices[0].id == id
                language = engine.voices[0].language
                # Where it speaks any language, another one that has just this may come before it.
                if subject.is_exact and (language or not any(v.language for v in engine.voices)):
                    language = language or subject.language
                    own = self.request(subject, language=language)
                    named = self.request(subject, language=language, voice=id)
                    assert sound(await spoken(engine, own)) == sound(await spoken(engine, named))

    @pytest.mark.parametrize(
        "text", ["", "   ", "\n\n", "...", "?!", "\0", "\x07\x1b\u200b\ufeff", "—", "\ud83d"]
    )
    async def test_text_with_nothing_to_say_makes_no_sound_and_no_error(
        self, subject: Subject, text: str
    ) -> None:
        with closing(subject.make()) as engine:
            assert await spoken(engine, self.request(subject, text)) == []

    @pytest.mark.parametrize(
        "text",
        [
            "🐦",
            "a\0b",
            "x\ud83dy",
            "مرحبا بالعالم",
            "漢字かな交じり文",
            "e\u0301a\u0300\u0323",
            "<break time='9s'/> [[h@l'oU]] {x}",
            "Hello\r\nthere\t\tagain",
            "w" * 200,
        ],
    )
    async def test_odd_text_does_no_harm(self, subject: Subject, text: str) -> None:
        with closing(subject.make()) as engine:
            request = self.request(subject, text)
            check(await spoken(engine, request), request, engine.sample_rate)
            assert sound(await spoken(engine, self.request(subject)))

    async def test_a_text_longer_than_its_limit_is_refused(self, subject: Subject) -> None:
        with closing(subject.make()) as engine:
            longest = getattr(engine, "max_chars", None)
            if longest is None:
                pytest.skip("takes a text of any length")
            too_long = ("word " * longest)[: longest + 1]
            with pytest.raises(EngineError) as refused:
                await spoken(engine, self.request(subject, too_long))
            assert refused.value.code == "text_too_long"
            assert str(longest) in str(refused.value)
            assert sound(await spoken(engine, self.request(subject)))

    @pytest.mark.parametrize("voice", ["nobody", "../../etc/passwd\0", "", "a" * 10_000])
    async def test_an_unknown_voice_is_refused(self, subject: Subject, voice: str) -> None:
        if not subject.tells_voices:
            pytest.skip("only its server knows")
        with closing(subject.make()) as engine:
            with pytest.raises(EngineError) as refused:
                await spoken(engine, self.request(subject, voice=voice))
            assert refused.value.code == "unknown_voice"
            assert engine.voices[0].id in refused.value.action
            assert sound(await spoken(engine, self.request(subject)))

    async def test_every_voice_that_it_lists_speaks(self, subject: Subject) -> None:
        with closing(subject.make()) as engine:
            for voice in engine.voices[:12]:
                request = self.request(subject, voice=voice.id)
                check(chunks := await spoken(engine, request), request, engine.sample_rate)
                assert sound(chunks)

    async def test_an_unknown_language_is_refused_or_read_all_the_same(
        self, subject: Subject
    ) -> None:
        with closing(subject.make()) as engine:
            try:
                assert sound(await spoken(engine, self.request(subject, language="tlh")))
            except EngineError as error:
                assert error.code == "unknown_language"
                assert error.action
            assert sound(await spoken(engine, self.request(subject)))

    async def test_slower_speech_is_longer(self, subject: Subject) -> None:
        with closing(subject.make()) as engine:
            lengths = [
                len(sound(await spoken(engine, self.request(subject, speed=speed))))
                for speed in (0.25, 0.5, 1.0, 2.0, 4.0)
            ]
        assert lengths == sorted(lengths, reverse=True)
        assert lengths[0] > 2 * lengths[2] > 2 * lengths[4]

    async def test_a_speech_closed_in_the_midst_leaves_the_engine_to_others(
        self, subject: Subject
    ) -> None:
        with closing(subject.make()) as engine:
            before = sound(await spoken(engine, self.request(subject)))
            for _ in range(4):
                chunks = engine.synthesize(self.request(subject))
                async with asyncio.timeout(GUARD_S):
                    await anext(chunks)
                    await chunks.aclose()
            after = sound(await spoken(engine, self.request(subject)))
        assert after == before if subject.is_exact else after

    @pytest.mark.parametrize("turns", [0, 1, 5, 30])
    async def test_a_request_cancelled_at_any_moment_leaves_the_engine_to_others(
        self, subject: Subject, turns: int
    ) -> None:
        with closing(subject.make()) as engine:
            for _ in range(4):
                waiting = asyncio.create_task(spoken(engine, self.request(subject)))
                for _ in range(turns):  # of the loop
                    await asyncio.sleep(0)
                waiting.cancel()
                async with asyncio.timeout(GUARD_S):
                    await asyncio.wait({waiting})
            assert sound(await spoken(engine, self.request(subject)))

    async def test_several_at_once_are_spoken_as_if_alone(self, subject: Subject) -> None:
        requests = [self.request(subject, speed=speed) for speed in (0.8, 1.0, 1.2, 1.5)]
        with closing(subject.make()) as engine:
            alone = [sound(await spoken(engine, request)) for request in requests]
            async with asyncio.timeout(GUARD_S):
                together = await asyncio.gather(*(spoken(engine, one) for one in requests))
        assert all(alone)
        assert all(map(sound, together))
        if subject.is_exact:
            assert [sound(chunks) for chunks in together] == alone

    async def test_no_word_of_the_text_is_logged(self, subject: Subject) -> None:
        secret = "canary7531"
        with capture_logs() as lines, closing(subject.make()) as engine:
            await spoken(engine, self.request(subject, f"{subject.text} {secret}"))
        assert secret not in repr(lines)
        assert subject.text.split()[0] not in repr(lines)

    async def test_it_leaves_nothing_in_the_temporary_folder_and_stays_at_home(
        self, subject: Subject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        folder = tmp_path / "temporary"
        folder.mkdir()
        if not subject.stays_home:
            pytest.skip("its server is elsewhere")
        with tidy(folder, monkeypatch), at_home(monkeypatch), closing(subject.make()) as engine:
            assert sound(await spoken(engine, self.request(subject)))

    async def test_closing_it_gives_its_memory_back(self, subject: Subject) -> None:
        if subject.larger is None:
            pytest.skip("too small to be seen")
        used = []
        for _ in range(4):
            with closing(subject.larger()) as engine:
                await spoken(engine, self.request(subject))
            del engine
            used.append(resident())
        assert used[-1] - used[0] < subject.kept_bytes
