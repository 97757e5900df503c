"""Recognition by any server with OpenAI's transcription interface.

Through OpenAI's own client (Apache-2.0). Such a server takes a file and gives its text, so an
utterance is sent as a whole when the caller falls silent. Each request costs time and often
money: partial transcripts are off unless asked for.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine
from contextlib import aclosing
from functools import partial
from typing import Annotated, Any, Literal

import openai
from pydantic import ConfigDict, Field

from inzwa_rtc.engines.asr.decoding import Decoded, Stretch
from inzwa_rtc.engines.asr.hotwords import HotwordOptions, Hotwords
from inzwa_rtc.engines.asr.openai_audio import heard, to_wav
from inzwa_rtc.engines.asr.prompt import prompt_of
from inzwa_rtc.engines.asr.windows import Streaming, in_windows
from inzwa_rtc.engines.contracts import Ability, RecognizeRequest, TranscriptChunk
from inzwa_rtc.engines.remote import http
from inzwa_rtc.engines.remote.answers import Failed
from inzwa_rtc.engines.remote.asking import Asking, Seconds
from inzwa_rtc.engines.remote.openai import UNREADABLE, connect, failed
from inzwa_rtc.engines.remote.options import (
    OPENAI_URL,
    RemoteOptions,
    Server,
    WebAddress,
    is_openai,
)
from inzwa_rtc.errors import EngineError
from inzwa_rtc.language import base_language

_JSON_ONLY = ("gpt-",)  # models of OpenAI's that give neither segments nor words
_TAKES_KEYWORDS = ("gpt-transcribe",)
_TELLS_LOGPROBS = ("gpt-4o-transcribe", "gpt-4o-mini-transcribe")


class OpenAITranscriptionOptions(HotwordOptions, RemoteOptions):
    """Options under `asr:` in the configuration."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: Annotated[str, Field(min_length=1)]
    """The model's name at the server, such as `whisper-1`."""
    base_url: WebAddress = OPENAI_URL
    """The server's address, without the `/audio/transcriptions` at its end."""
    timeout_s: Seconds = 3.0
    """How long a transcript may take, all attempts to ask for it included. Raise it, and
    `timeouts.recognition`, for a slow server."""
    response_format: Literal["auto", "verbose_json", "json"] = "auto"
    """What the server is to answer with. `verbose_json` has the language and the confidence;
    `auto` asks for it from all but OpenAI's gpt models, which do not know it."""
    word_times: bool = True
    """Whether to ask for the times of words too, where the format has them."""
    partial_ms: Annotated[int, Field(ge=0, le=10_000)] = 0
    """New audio before the next partial transcript; 0 for none. Each is a request with all of
    the utterance so far."""
    at_pauses: bool = True
    """Whether to send the utterance as soon as the caller falls silent: the transcript is there
    when the turn ends, and each pause within it costs a request. Otherwise it is sent when the
    turn has ended."""
    prompt: str | None = None
    """Text that the model is to believe was said before; its style and spelling rub off."""


class OpenAITranscription:
    """Has a server transcribe utterances."""

    Options = OpenAITranscriptionOptions
    abilities: tuple[Ability, ...] = (
        "partials",
        "word times",
        "detects language",
        "translates",
        "hotwords",
    )

    def __init__(self, options: OpenAITranscriptionOptions) -> None:
        """Raises `EngineUnavailable` where the server is not there or does not take the key."""
        self._options = options
        self._hotwords = Hotwords(options)
        name = "OpenAI" if is_openai(options.base_url) else "The transcription server"
        self._server = Server("asr", name, options.base_url, options.model)
        self._asking = Asking(self._server, options.max_concurrent)
        self._requests = _Requests(self._asking)
        self._streaming = Streaming(partial_ms=options.partial_ms, at_pauses=options.at_pauses)
        self._client = connect(options, self._server)
        self._closing: asyncio.Task[None] | None = None
        self.details = {"model": options.model, "server": options.base_url}
        tells_words = options.word_times and self._format == "verbose_json"
        lacking = {"partials": not options.partial_ms, "word times": not tells_words}
        self.abilities = tuple(one for one in self.abilities if not lacking.get(one))

    def close(self) -> None:
        """Let the idle connections go."""
        self._closing = http.closing(self.aclose)

    async def aclose(self) -> None:
        """Close the idle connections."""
        await self._client.close()

    async def recognize(
        self, audio: AsyncIterator[bytes], request: RecognizeRequest
    ) -> AsyncGenerator[TranscriptChunk, None]:
        """Yield partial transcripts where they are wanted, then the final one.

        Raises `EngineError`, for a language that the model does not know too.
        """
        decode = partial(self._decode, request)
        windows = in_windows(audio, decode, self._requests, self._streaming)
        async with aclosing(windows) as chunks:
            async for chunk in chunks:
                yield chunk

    async def _decode(self, request: RecognizeRequest, stretch: Stretch) -> Decoded:
        attempt = partial(self._attempt, request, stretch)
        return await self._asking.once(attempt, "timeout_s", self._options.timeout_s)

    async def _attempt(self, request: RecognizeRequest, stretch: Stretch) -> Decoded:
        """Ask once; raises `Failed`."""
        language = base_language(request.language) if request.language else None
        form = self._form(language, stretch.context)
        if not request.translate:
            form |= self._asked(language)
        try:
            answer = await self._client.post(
                "/audio/translations" if request.translate else "/audio/transcriptions",
                # As it comes: the client's own types take whatever a server sends for granted.
                cast_to=object,
                body=form,
                files=[("file", ("utterance.wav", to_wav(stretch.audio), "audio/wav"))],
                options={"headers": {"Content-Type": "multipart/form-data"}},
            )
            return heard(answer, "en" if request.translate else language)
        except UNREADABLE as error:
            raise _failed(self._server, error, request.language) from None

    def _form(self, language: str | None, context: str) -> dict[str, Any]:
        """What transcriptions and translations have in common."""
        options = self._options
        form: dict[str, Any] = {
            "model": options.model,
            "response_format": self._format,
            "temperature": 0.0,
        }
        expected: list[str] = []
        if not options.model.startswith(_TAKES_KEYWORDS):
            expected = [f"{word}," for word in self._hotwords.of(language)]
        # Of a longer one Whisper takes the end, and would miss the words to expect.
        if prompt := prompt_of(expected, f"{options.prompt or ''} {context}", _tokens):
            form["prompt"] = prompt
        return form

    def _asked(self, language: str | None) -> dict[str, Any]:
        """What is asked of a transcription alone."""
        options = self._options
        asked: dict[str, Any] = {}
        if language is not None:
            asked["language"] = language
        if self._format == "verbose_json":
            asked["timestamp_granularities"] = [
                "segment",
                *(["word"] if options.word_times else []),
            ]
        if options.model.startswith(_TELLS_LOGPROBS):
            asked["include"] = ["logprobs"]
        if options.model.startswith(_TAKES_KEYWORDS) and (words := self._hotwords.of(language)):
            asked["keywords"] = list(words)
        return asked

    @property
    def _format(self) -> str:
        options = self._options
        if options.response_format != "auto":
            return options.response_format
        return "json" if options.model.startswith(_JSON_ONLY) else "verbose_json"


def _tokens(text: str) -> int:
    """About how many tokens a text has. The tokenizer is the server's: this is half of the bytes,
    rather too many for languages in Latin letters."""
    return math.ceil(len(text.encode()) / 2)


class _Requests:
    """The decodings that are under way at the server; see `Decoders`."""

    def __init__(self, asking: Asking) -> None:
        self._asking = asking
        self._running: dict[asyncio.Task[Decoded], bool] = {}
        """Each with whether it is a partial one."""

    @property
    def is_one_free(self) -> bool:
        return self._asking.is_one_free

    def start(self, decode: Callable[[], Coroutine[Any, Any, Decoded]]) -> asyncio.Task[Decoded]:
        if not self.is_one_free and not any(task.cancelling() for task in self._running):
            self._give_way()
        return self._begin(decode, is_partial=False)

    def start_partial(
        self, decode: Callable[[], Coroutine[Any, Any, Decoded]]
    ) -> asyncio.Task[Decoded]:
        return self._begin(decode, is_partial=True)

    def _begin(
        self, decode: Callable[[], Coroutine[Any, Any, Decoded]], *, is_partial: bool
    ) -> asyncio.Task[Decoded]:
        task = asyncio.get_running_loop().create_task(decode())
        self._running[task] = is_partial
        task.add_done_callback(self._running.pop)
        return task

    def _give_way(self) -> None:
        for task, is_partial in reversed(self._running.items()):
            if is_partial:
                task.cancel()
                return


def _failed(server: Server, error: Exception, language: str | None) -> Failed:
    if isinstance(error, openai.BadRequestError) and error.param == "language":
        return Failed(
            EngineError(
                f"{server} does not know the language `{language}`.",
                action="Use another model, or leave `asr_language` empty to detect it.",
                code="unknown_language",
            )
        )
    return failed(server, error)
