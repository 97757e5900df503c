"""Speech from any server with OpenAI's interface: Kokoro-FastAPI, speaches, vLLM, OpenAI itself.

Through OpenAI's own client (Apache-2.0). A speech that is closed early closes its connection,
which is what makes these servers stop.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from functools import partial
from typing import Annotated, Any, Literal

import httpx2
import openai
from openai._response import AsyncStreamedBinaryAPIResponse
from pydantic import AfterValidator, ConfigDict, Field

from inzwa_rtc.engines.contracts import Ability, SpeechChunk, SpeechRequest, Voice
from inzwa_rtc.engines.remote import answers, http
from inzwa_rtc.engines.remote.answers import Failed
from inzwa_rtc.engines.remote.asking import Asking
from inzwa_rtc.engines.remote.openai import UNREADABLE, connect_for_sound, failed
from inzwa_rtc.engines.remote.options import OPENAI_URL, Server, WebAddress, is_openai
from inzwa_rtc.engines.tts.decoding import NOT_SOUND, Decoders
from inzwa_rtc.engines.tts.samples import Samples
from inzwa_rtc.engines.tts.served import (
    SampleRate,
    SpeakingOptions,
    begins_as_text,
    check_length,
    is_text,
    longest_s,
    no_sound,
    says_something,
    sendable,
    sound,
    unknown_voice,
)
from inzwa_rtc.engines.tts.wav import Wav
from inzwa_rtc.errors import EngineError

_SLOWEST, _FASTEST = 0.25, 4.0  # that the interface takes
_LONGEST_ERROR = 64 * 1024
_RATE = re.compile(r";\s*rate=(\d+)")

Format = Literal["pcm", "wav", "mp3", "opus", "aac", "flac"]

_SIGNS: tuple[tuple[bytes, Format], ...] = (
    (b"RIFF", "wav"),
    (b"OggS", "opus"),
    (b"fLaC", "flac"),
    (b"ID3", "mp3"),
)
"""How files begin that are none of samples alone."""


def _leaves_ours(value: dict[str, Any]) -> dict[str, Any]:
    if taken := {"input", "model", "response_format", "speed", "voice"} & value.keys():
        raise ValueError(f"must not set {', '.join(sorted(taken))}")
    return value


def _named_once(value: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(value)) != len(value) or not all(map(str.strip, value)):
        raise ValueError("must be names of voices, each one once")
    return value


class OpenAISpeechOptions(SpeakingOptions):
    """Options under `tts:` in the configuration."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: Annotated[str, Field(min_length=1)]
    """The model's name at the server, such as `gpt-4o-mini-tts` or `kokoro`."""
    base_url: WebAddress = OPENAI_URL
    """The server's address, without the `/audio/speech` at its end."""
    voices: Annotated[tuple[str, ...], Field(min_length=1), AfterValidator(_named_once)] = (
        "alloy",
        "echo",
        "fable",
        "onyx",
        "nova",
        "shimmer",
    )
    """The server's voices, the default one first: the interface has no list of them."""
    instructions: str | None = None
    """How to speak, in words, for a model that takes them."""
    response_format: Format = "pcm"
    """What the server is to send. `pcm` needs no decoding; the others are for servers without."""
    sample_rate: SampleRate = 24_000
    """Samples per second: of what a server sends as `pcm`, and of what others are made into."""
    max_chars: Annotated[int, Field(ge=1, le=1_000_000)] = 4096
    """The longest text that the model takes."""
    extra_body: Annotated[dict[str, Any], AfterValidator(_leaves_ours)] = Field(
        default_factory=dict
    )
    """Members to set in each request, for what your server has beside these; null removes one."""


class OpenAISpeech:
    """Has a server speak."""

    Options = OpenAISpeechOptions
    abilities: tuple[Ability, ...] = ("streams",)

    def __init__(self, options: OpenAISpeechOptions) -> None:
        """Raises `EngineUnavailable` where the server is not there or does not take the key."""
        self._options = options
        name = "OpenAI" if is_openai(options.base_url) else "The speech server"
        self._server = Server("tts", name, options.base_url, options.model)
        self._asking = Asking(self._server, options.max_concurrent)
        self._decoders = Decoders(options.max_concurrent)
        self._client = connect_for_sound(options, self._server)
        self._closing: asyncio.Task[None] | None = None
        self.voices: Sequence[Voice] = [Voice(one, one.capitalize(), "") for one in options.voices]
        self.details = {"model": options.model, "server": options.base_url}

    @property
    def sample_rate(self) -> int:
        """As the options say: 24,000 Hz if nothing else."""
        return self._options.sample_rate

    @property
    def max_chars(self) -> int:
        """As the options say: 4,096 if nothing else."""
        return self._options.max_chars

    @property
    def fingerprint(self) -> str:
        """Of the server, the model, and what else is asked of it. What a server changes behind
        the same name nobody can see."""
        asked = [self._server.url, self._server.model, self._asked({}), self.sample_rate]
        return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:16]

    def close(self) -> None:
        """Let the idle connections and the threads go."""
        self._decoders.close()
        self._closing = http.closing(self._client.close)

    async def aclose(self) -> None:
        """Close the idle connections, and let the threads go."""
        self._decoders.close()
        await self._client.close()

    async def synthesize(self, request: SpeechRequest) -> AsyncGenerator[SpeechChunk, None]:
        """Yield the sound as it comes, after its first 20 ms at once.

        The interface takes no language: the voice speaks that of the text. Raises `EngineError`.
        """
        voice = self.voices[0].id if request.voice is None else request.voice
        if voice not in self._options.voices:
            raise unknown_voice(
                self._server, self.voices, "`tts.voices` has those that the server knows."
            )
        check_length(self._server, request.text, self.max_chars)
        if not says_something(request.text):
            return
        attempt = partial(self._attempt, request, voice)
        async with aclosing(self._asking.stream(attempt, self._options)) as chunks:
            async for chunk in chunks:
                yield chunk

    async def _attempt(
        self, request: SpeechRequest, voice: str
    ) -> AsyncGenerator[SpeechChunk, None]:
        """Ask once; raises `Failed`."""
        speed = min(max(request.speed, _SLOWEST), _FASTEST)
        samples = Samples(self.sample_rate, longest_s(request, speed))
        try:
            async with self._client.audio.speech.with_streaming_response.create(
                model=self._options.model,
                voice=voice,
                input=sendable(request.text),
                extra_body=self._asked({"speed": speed if speed != 1 else None}),
            ) as response:
                async with (
                    aclosing(self._decoded(response)) as decoded,
                    aclosing(sound(self._server, decoded, samples)) as chunks,
                ):
                    async for chunk in chunks:
                        if chunk.pcm:
                            yield chunk
        except (httpx2.HTTPError, *UNREADABLE) as error:
            raise self._failed(error) from None

    def _asked(self, asked: dict[str, Any]) -> dict[str, Any]:
        """What is asked for besides the model, the voice and the text."""
        options = self._options
        body = {
            "response_format": options.response_format,
            "instructions": options.instructions,
            **asked,
            **options.extra_body,
        }
        return {name: value for name, value in body.items() if value is not None}

    async def _decoded(
        self, response: AsyncStreamedBinaryAPIResponse
    ) -> AsyncGenerator[bytes, None]:
        """int16 mono at the engine's rate. Raises `Failed`."""
        form = self._options.response_format
        async with aclosing(self._body(response)) as body:
            if form == "pcm":
                async for piece in body:
                    yield piece
            elif form == "wav":
                wav = Wav(self.sample_rate)
                async for piece in body:
                    yield wav.feed(piece)
                try:
                    yield wav.end()
                except ValueError:
                    raise answers.cut(self._server) from None
            else:
                decoding = self._decoders.decode(body, form, self.sample_rate)
                try:
                    async with aclosing(decoding) as decoded:
                        async for piece in decoded:
                            yield piece
                except NOT_SOUND:
                    raise answers.garbled(self._server) from None

    async def _body(self, response: AsyncStreamedBinaryAPIResponse) -> AsyncGenerator[bytes, None]:
        """What the server sends, once it is clear that it is a sound of the format asked for."""
        kind = response.headers.get("content-type", "").lower()
        pieces: AsyncIterator[bytes] = response.iter_bytes()
        if is_text(kind):
            told = b""
            async for piece in pieces:
                told += piece
                if len(told) > _LONGEST_ERROR:
                    break
            raise no_sound(self._server, kind, told)
        is_pcm = self._options.response_format == "pcm"
        if is_pcm and (rate := _RATE.search(kind)) and int(rate[1]) != self.sample_rate:
            raise Failed(_another_rate(self._server, int(rate[1])))
        is_first = True
        async for piece in pieces:
            if is_first and is_pcm and begins_as_text(piece):
                raise answers.garbled(self._server)
            if is_first and is_pcm and (sent := _sent_instead(kind, piece)):
                raise Failed(_another_format(self._server, sent))
            is_first = False
            yield piece

    def _failed(self, error: Exception) -> Failed:
        if isinstance(error, openai.BadRequestError) and error.param == "voice":
            return Failed(
                unknown_voice(
                    self._server, self.voices, "Correct `tts.voices`: the server lacks that one."
                )
            )
        if isinstance(error, httpx2.HTTPError):  # the client leaves those within a body as they are
            return answers.lost(self._server, error)
        return failed(self._server, error)


def _sent_instead(kind: str, piece: bytes) -> Format | None:
    """The format of an answer that is none of samples alone, as far as its beginning tells."""
    for sign, form in _SIGNS:
        if piece.startswith(sign):
            return form
    if kind.startswith("audio/mpeg") and piece[:1] == b"\xff" and piece[1:2] >= b"\xe0":
        return "mp3"
    return None


def _another_format(server: Server, form: Format) -> EngineError:
    return EngineError(
        f"{server} sent {form} where pcm was asked for.",
        action=f"Set `{server.group}.response_format` to {form}.",
    )


def _another_rate(server: Server, rate: int) -> EngineError:
    return EngineError(
        f"{server} sends {rate} samples a second.",
        action=f"Set `{server.group}.sample_rate` to {rate}.",
    )
