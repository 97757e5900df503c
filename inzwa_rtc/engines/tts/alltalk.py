"""Speech from an AllTalk server (version 2), which runs XTTS and others.

Its streaming interface takes the text in the address, so it stands in that server's access log.
AllTalk speaks one text at a time. What stops it stops whoever's text that is: a speech that is
closed early is stopped there only while no other of ours runs, and who comes next waits for that.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing, suppress
from functools import partial
from typing import Annotated, Any

import aiohttp
from pydantic import ConfigDict, Field

from inzwa_rtc.engines.contracts import Ability, SpeechChunk, SpeechRequest, Voice
from inzwa_rtc.engines.remote import answers, http, web
from inzwa_rtc.engines.remote.answers import Failed, Refusal
from inzwa_rtc.engines.remote.asking import Asking
from inzwa_rtc.engines.remote.options import Server, WebAddress
from inzwa_rtc.engines.remote.retries import at_start
from inzwa_rtc.engines.remote.web import Web
from inzwa_rtc.engines.tts.samples import Samples
from inzwa_rtc.engines.tts.served import (
    SampleRate,
    SpeakingOptions,
    check_length,
    is_text,
    longest_s,
    no_sound,
    says_something,
    sendable,
    sound,
    unknown_voice,
)
from inzwa_rtc.engines.tts.stretch import stretched
from inzwa_rtc.engines.tts.wav import Wav
from inzwa_rtc.errors import EngineError, EngineUnavailable
from inzwa_rtc.language import base_language

_OUTPUT_FILE = "inzwa_rtc_stream"
"""The server wants the name of a file, which streaming does not write."""
_LIST_S = 10.0
_STOP_S = 1.0
_LONGEST_ERROR = 64 * 1024
_OF_XTTS = (
    "ar", "cs", "de", "en", "es", "fr", "hi", "hu", "it", "ja", "ko", "nl", "pl", "pt", "ru", "tr",
    "zh-cn",
)  # fmt: skip
_NOBODY = "No Voices Found"  # stands in its list where there are none


class AllTalkOptions(SpeakingOptions):
    """Options under `tts:` in the configuration."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    base_url: WebAddress = "http://127.0.0.1:7851"
    """The server's address."""
    model: str = "xtts"
    """A name for what the server runs, for the log: the model is chosen there."""
    voice: Annotated[str, Field(min_length=1)] = "female_01.wav"
    """The default voice: the name of a recording at the server, as its list has it."""
    language: Annotated[str, Field(min_length=2)] = "en"
    """Spoken where a request names a language that is not among `languages`."""
    languages: tuple[str, ...] | None = None
    """The languages of the server's model. None: those of XTTS."""
    sample_rate: SampleRate = 24_000
    """Samples per second that the engine gives; what a server sends otherwise is resampled."""
    max_chars: Annotated[int, Field(ge=1, le=100_000)] = 2000
    """The longest text; it stands in the address, which servers bound."""
    stop: bool = True
    """Whether to tell the server to stop when a speech is closed early. Turn it off where others
    use it too: theirs would end."""


class AllTalk:
    """Has an AllTalk server speak."""

    Options = AllTalkOptions
    abilities: tuple[Ability, ...] = ("streams",)

    def __init__(self, options: AllTalkOptions) -> None:
        """Read the server's list of voices. Raises `EngineUnavailable` where it is not there, and
        `EngineError` where it lacks the default voice."""
        self._options = options
        self._server = Server("tts", "AllTalk", options.base_url, options.model)
        self._asking = Asking(self._server, options.max_concurrent)
        key = options.api_key
        headers = {"Authorization": f"Bearer {key.get_secret_value()}"} if key else {}
        self._web = Web(self._server, options, headers, _code_of, _refused)
        self._languages = options.languages or _OF_XTTS
        self._running = 0
        self._stopping: asyncio.Task[None] | None = None
        self._closing: asyncio.Task[None] | None = None
        names = [options.voice]
        if options.check_at_start:
            names = at_start(lambda: web.run_apart(self._listed))
            if options.voice not in names:
                raise unknown_voice(self._server, list(map(_voice, names)), "Set `tts.voice`.")
            names.sort(key=lambda name: name != options.voice)
        self.voices: Sequence[Voice] = list(map(_voice, names))
        self.details = {
            "model": options.model,
            "server": options.base_url,
            "languages": ", ".join(self._languages),
        }

    @property
    def sample_rate(self) -> int:
        """As the options say: 24,000 Hz if nothing else."""
        return self._options.sample_rate

    @property
    def max_chars(self) -> int:
        """As the options say: 2,000 if nothing else."""
        return self._options.max_chars

    @property
    def fingerprint(self) -> str:
        """Of the server and of what is told it. Which model runs there nobody can see."""
        told = [self._server.url, self._server.model, self._options.language, self.sample_rate]
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:16]

    def close(self) -> None:
        """Let the idle connections go."""
        self._closing = http.closing(self.aclose)

    async def aclose(self) -> None:
        """Close the idle connections, after a stop that is under way."""
        if self._stopping is not None:
            await self._stopping
        await self._web.aclose()

    async def synthesize(self, request: SpeechRequest) -> AsyncGenerator[SpeechChunk, None]:
        """Yield the sound as it comes. The interface has no pace: another one is made here.

        Raises `EngineError`.
        """
        voice = self.voices[0].id if request.voice is None else request.voice
        if voice not in {one.id for one in self.voices}:
            raise unknown_voice(self._server, self.voices)
        check_length(self._server, request.text, self.max_chars)
        if not says_something(request.text):
            return
        attempt = partial(self._attempt, request, voice)
        speech = self._asking.stream(attempt, self._options)
        if request.speed != 1:
            speech = stretched(speech, self.sample_rate, request.speed)
        async with aclosing(speech) as chunks:
            async for chunk in chunks:
                yield chunk

    async def _attempt(
        self, request: SpeechRequest, voice: str
    ) -> AsyncGenerator[SpeechChunk, None]:
        """Ask once; raises `Failed`."""
        if self._stopping is not None:
            await asyncio.shield(self._stopping)  # it would stop this one too
        asked = {
            "text": sendable(request.text),
            "voice": voice,
            "language": self._language(request.language),
            "output_file": _OUTPUT_FILE,
        }
        samples = Samples(self.sample_rate, longest_s(request))
        self._running += 1
        is_over = False
        try:
            async with self._web.ask(
                "GET", "/api/tts-generate-streaming", params=asked
            ) as response:
                async with (
                    aclosing(self._decoded(response)) as decoded,
                    aclosing(sound(self._server, decoded, samples)) as chunks,
                ):
                    async for chunk in chunks:
                        if chunk.pcm:
                            yield chunk
            is_over = True
        except Failed:
            is_over = True  # there is nothing left to stop
            raise
        finally:
            self._running -= 1
            if not is_over and not self._running and self._options.stop:
                self._stopping = asyncio.get_running_loop().create_task(self._stop())

    async def _decoded(self, response: aiohttp.ClientResponse) -> AsyncGenerator[bytes, None]:
        """int16 mono at the engine's rate. Raises `Failed`."""
        if is_text(response.content_type):
            told = await web.whole(response, _LONGEST_ERROR)
            raise no_sound(self._server, response.content_type, told)
        wav = Wav(self.sample_rate)
        async for piece in web.pieces(response):
            yield wav.feed(piece)
        try:
            yield wav.end()
        except ValueError:
            raise answers.cut(self._server) from None

    def _language(self, wanted: str) -> str:
        known = self._languages
        for language in (wanted.lower(), base_language(wanted)):
            for one in known:
                if one in (language, f"{language}-cn"):
                    return one
        return self._options.language

    async def _stop(self) -> None:
        """Whoever closed the speech does not wait for this; whoever asks next does."""
        with suppress(Failed, TimeoutError):
            async with (
                asyncio.timeout(_STOP_S),
                self._web.ask("PUT", "/api/stop-generation") as response,
            ):
                await web.whole(response, _LONGEST_ERROR)

    async def _listed(self) -> list[str]:
        """The names of the server's voices. Raises `Failed`."""
        try:
            async with asyncio.timeout(_LIST_S), self._web.ask("GET", "/api/voices") as response:
                told: Any = json.loads(await web.whole(response))
                names = [str(one) for one in told["voices"] if one != _NOBODY]
                if not names:
                    raise Failed(_without_voices(self._server))
                return list(dict.fromkeys(names))
        except TimeoutError:
            raise Failed(answers.silent(self._server, "base_url", _LIST_S)) from None
        finally:
            await self._web.aclose()


def _voice(name: str) -> Voice:
    return Voice(name, name.removesuffix(".wav").replace("_", " "), "")


def _without_voices(server: Server) -> EngineError:
    return EngineError(
        f"{server} has no voices.", action="Put recordings into its folder `voices`."
    )


def _code_of(body: Any) -> str:
    return ""


def _refused(server: Server, refusal: Refusal) -> Failed:
    if refusal.status == 400:
        return Failed(
            # Of the server, whatever the text is: it is not to be asked first for ever.
            EngineUnavailable(
                f"{server} does not stream (400).",
                action="Load a model there that can, such as XTTS, with streaming turned on.",
            )
        )
    return answers.refused(server, refusal)
