"""Speech from ElevenLabs, piece by piece as it is made.

By aiohttp: the official client follows redirects, key and all, repeats requests by itself, and
has no asynchronous WebSocket (docs/dependencies.md).
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from functools import partial
from typing import Any

import aiohttp

from inzwa_rtc.engines.contracts import Ability, SpeechChunk, SpeechRequest, Voice
from inzwa_rtc.engines.remote import answers, http, web
from inzwa_rtc.engines.remote.answers import Failed, Refusal
from inzwa_rtc.engines.remote.asking import Asking
from inzwa_rtc.engines.remote.options import Server, key_for
from inzwa_rtc.engines.remote.retries import at_start
from inzwa_rtc.engines.remote.web import Web
from inzwa_rtc.engines.tts.elevenlabs.messages import Lines, Said, said_by
from inzwa_rtc.engines.tts.elevenlabs.options import FASTEST, SLOWEST, ElevenLabsOptions
from inzwa_rtc.engines.tts.elevenlabs.refusals import code_of, refused
from inzwa_rtc.engines.tts.elevenlabs.voices import found, listed
from inzwa_rtc.engines.tts.elevenlabs.words import CharacterTimes
from inzwa_rtc.engines.tts.samples import Samples
from inzwa_rtc.engines.tts.served import (
    begins_as_text,
    check_length,
    is_text,
    last_of,
    longest_s,
    no_sound,
    says_something,
    sendable,
)
from inzwa_rtc.engines.tts.stretch import stretched
from inzwa_rtc.language import base_language

_LONGEST_ERROR = 64 * 1024
_POLICY = 1008  # the code with which a WebSocket is closed that may not be used


class ElevenLabs:
    """Has ElevenLabs speak."""

    Options = ElevenLabsOptions
    abilities: tuple[Ability, ...] = ("word times", "streams")

    def __init__(self, options: ElevenLabsOptions) -> None:
        """Read the account's voices. Raises `EngineUnavailable` where the server is not there or
        does not take the key, and `EngineError` where it lacks the default voice."""
        self._options = options
        self._server = Server("tts", "ElevenLabs", options.base_url, options.model)
        self._asking = Asking(self._server, options.max_concurrent)
        key = key_for(options, options.base_url)
        if key is None:
            raise answers.no_key(self._server)
        self._web = Web(self._server, options, {"xi-api-key": key}, code_of, refused)
        self._closing: asyncio.Task[None] | None = None
        if options.check_at_start:
            voices = at_start(lambda: web.run_apart(lambda: listed(self._web, self._server)))
        else:
            voices = [Voice(str(options.voice), str(options.voice), "")]
        default = found(self._server, voices, options.voice or voices[0].id)
        if all(voice.id != default for voice in voices):
            voices.append(Voice(default, default, ""))
        self.voices: Sequence[Voice] = sorted(voices, key=lambda voice: voice.id != default)
        self.details = {"model": options.model, "server": options.base_url}
        if not options.word_times:
            self.abilities = ("streams",)

    @property
    def sample_rate(self) -> int:
        """As the options say: 24,000 Hz if nothing else."""
        return self._options.sample_rate

    @property
    def max_chars(self) -> int:
        """As the options say; if nothing else, what the model takes."""
        return self._options.longest

    @property
    def fingerprint(self) -> str:
        """Of the server, the model, and what else is asked of it."""
        asked = [self._server.url, self._query("en"), self._settings(1.0), self._options.seed]
        return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:16]

    def close(self) -> None:
        """Let the idle connections go."""
        self._closing = http.closing(self.aclose)

    async def aclose(self) -> None:
        """Close the idle connections."""
        await self._web.aclose()

    async def synthesize(self, request: SpeechRequest) -> AsyncGenerator[SpeechChunk, None]:
        """Yield the sound as it comes, with the words that start in it.

        A pace beyond ElevenLabs' own (0.7 to 1.2) is reached here: what is left of it is made by
        stretching the sound. Raises `EngineError`.
        """
        wanted = self.voices[0].id if request.voice is None else request.voice
        voice = found(self._server, self.voices, wanted)
        check_length(self._server, request.text, self.max_chars)
        if not says_something(request.text):
            return
        pace = min(max(request.speed, SLOWEST), FASTEST)
        speech = self._asking.stream(partial(self._attempt, request, voice, pace), self._options)
        if request.speed != pace:
            speech = stretched(speech, self.sample_rate, request.speed / pace)
        async with aclosing(speech) as chunks:
            async for chunk in chunks:
                yield chunk

    async def _attempt(
        self, request: SpeechRequest, voice: str, pace: float
    ) -> AsyncGenerator[SpeechChunk, None]:
        """Ask once; raises `Failed`."""
        samples = Samples(self.sample_rate, longest_s(request, pace))
        times = CharacterTimes(request.text)
        ask = self._by_socket if self._options.transport == "websocket" else self._by_http
        received = 0
        async with aclosing(ask(request, voice, pace)) as messages:
            try:
                async for said in messages:
                    base_ms = received / 2 * 1000 / self.sample_rate
                    if self._options.word_times:
                        times.add(said.characters, said.starts_ms, base_ms)
                    received += len(said.pcm)
                    for pcm in samples.feed(said.pcm):
                        yield SpeechChunk(pcm, times.until(self._made_ms(samples)))
            except answers.UNREADABLE:
                raise answers.garbled(self._server) from None
        last = last_of(self._server, samples)
        words = times.rest(int(self._made_ms(samples)))
        if last.pcm or words:
            yield SpeechChunk(last.pcm, words)

    def _made_ms(self, samples: Samples) -> float:
        return samples.made * 1000 / self.sample_rate

    async def _by_http(
        self, request: SpeechRequest, voice: str, pace: float
    ) -> AsyncGenerator[Said, None]:
        body: dict[str, Any] = {"text": sendable(request.text), "model_id": self._server.model}
        query = self._query(request.language)
        if "language_code" in query:
            body["language_code"] = query["language_code"]
        if self._options.seed is not None:
            body["seed"] = self._options.seed
        if settings := self._settings(pace):
            body["voice_settings"] = settings
        path = f"/v1/text-to-speech/{voice}/stream"
        asked = {"json": body, "params": {"output_format": query["output_format"]}}
        if not self._options.word_times:
            async with self._web.ask("POST", path, **asked) as response:
                if is_text(response.content_type):
                    told = await web.whole(response, _LONGEST_ERROR)
                    raise no_sound(self._server, response.content_type, told)
                is_first = True
                async for piece in web.pieces(response):
                    if is_first and begins_as_text(piece):
                        raise answers.garbled(self._server)
                    is_first = False
                    yield Said(piece)
            return
        async with self._web.ask("POST", f"{path}/with-timestamps", **asked) as response:
            lines = Lines()
            async for piece in web.pieces(response):
                for told in lines.feed(piece):
                    yield self._said(told)
            for told in lines.end():
                yield self._said(told)

    async def _by_socket(
        self, request: SpeechRequest, voice: str, pace: float
    ) -> AsyncGenerator[Said, None]:
        """The text goes out whole. A blank opens the speech, its end needs a blank too, and an
        empty text says that nothing follows."""
        path = f"/v1/text-to-speech/{voice}/stream-input"
        query = self._query(request.language) | {
            "model_id": self._server.model,
            "sync_alignment": "true" if self._options.word_times else "false",
            "auto_mode": "true",  # what is sent is a sentence: it need not wait for more
        }
        if self._options.seed is not None:
            query["seed"] = str(self._options.seed)
        opening: dict[str, Any] = {"text": " "}
        if settings := self._settings(pace):
            opening["voice_settings"] = settings
        async with self._web.socket(path, params=query) as socket:
            await socket.send_json(opening)
            await socket.send_json({"text": f"{sendable(request.text)} ", "flush": True})
            await socket.send_json({"text": ""})
            while True:
                message = await socket.receive()
                if message.type is not aiohttp.WSMsgType.TEXT:
                    raise self._ended(message, socket.close_code)
                said = self._said(json.loads(message.data))
                yield said
                if said.is_final:
                    return

    def _said(self, told: Any) -> Said:
        """Raises `Failed` for an error, and one of `answers.UNREADABLE` for no message."""
        said = said_by(told)
        if isinstance(said, Refusal):
            raise refused(self._server, said)
        return said

    def _ended(self, message: aiohttp.WSMessage, code: int | None) -> Failed:
        """Why a WebSocket has nothing more to say before it said that this is all."""
        if _POLICY in (code, message.data):
            return refused(self._server, Refusal(400))
        if message.type in (aiohttp.WSMsgType.BINARY, aiohttp.WSMsgType.ERROR):
            return answers.garbled(self._server)
        failed = answers.cut(self._server)
        return Failed(failed.error, passes=True)

    def _query(self, language: str) -> dict[str, str]:
        query = {"output_format": f"pcm_{self.sample_rate}"}
        if self._options.tells_language:
            query["language_code"] = base_language(language)
        return query

    def _settings(self, pace: float) -> dict[str, Any]:
        """Of the voice: those that are set, and a pace that is not its own."""
        options = self._options
        settings = {
            "stability": options.stability,
            "similarity_boost": options.similarity_boost,
            "style": options.style,
            "use_speaker_boost": options.use_speaker_boost,
            "speed": pace if pace != 1 else None,
        }
        return {name: value for name, value in settings.items() if value is not None}
