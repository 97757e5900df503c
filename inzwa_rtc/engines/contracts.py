"""What a conversation asks of its engines: four small Protocols and their data.

An engine is one plain class. It is built with its validated options (which may
block while a model loads), and from then on its methods are coroutines that
never block the loop; an engine whose library computes does so in a thread.
Where it runs (a child process by default) is not its concern.

Every stream ends early when its consumer closes it: an engine then stops its
work within 100 ms where its library allows.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Protocol, runtime_checkable

EngineKind = Literal["asr", "llm", "tts"]

Ability = Literal[
    "partials",  # transcripts while the caller still speaks
    "word times",  # of final transcripts, or of speech
    "detects language",
    "translates",  # to English
    "hotwords",
    "adapters",  # a LoRA adapter for each request
    "reads ahead",  # the dialogue, before a reply is asked for
    "probabilities",  # of the tokens of a reply
    "hangs up",  # when the dialogue is over
    "streams",  # sound of a sentence leaves while the rest of it is made
    "mixes voices",  # `af_bella*0.7+af_sarah*0.3`
    "clones voices",  # from a recording
]
"""What an engine may be able to do beyond its Protocol.

An engine's class has `abilities`, all that it can do at best; where the options or the model
leave some out, the instance has its own.
"""

ASR_SAMPLE_RATE = 16_000
"""Rate in Hz of all audio that a recogniser or a voice detector is fed."""


@dataclass(frozen=True, slots=True)
class RecognizeRequest:
    """Settings of one utterance's recognition.

    `language` is the one spoken (BCP 47), None to detect it; `translate` asks for English
    text whatever is spoken. An engine that cannot do what is asked raises `EngineError`.
    """

    language: str | None = None
    translate: bool = False


@dataclass(frozen=True, slots=True)
class HeardWord:
    """A recognised word with the punctuation at it, and no white space.

    Times are milliseconds from the first sample fed; `confidence` is 0 to 1.
    """

    text: str
    start_ms: int
    end_ms: int
    confidence: float


@dataclass(frozen=True, slots=True)
class TranscriptChunk:
    """Words recognised so far, or for good.

    Times are milliseconds from the first sample fed. `confidence` is 0 to 1.
    A final chunk with an empty `text` means that there was sound but no words
    that the engine is ready to stand for. `words` is empty where the engine has no
    times of them. Later chunks will most probably begin with the first `stable`
    characters of `text`.
    """

    text: str
    start_ms: int
    end_ms: int
    is_final: bool
    confidence: float
    language: str
    words: tuple[HeardWord, ...] = ()
    stable: int = 0

    def later(self, ms: int) -> TranscriptChunk:
        """The same, its times counted from a moment `ms` before."""
        words = tuple(
            replace(word, start_ms=word.start_ms + ms, end_ms=word.end_ms + ms)
            for word in self.words
        )
        return replace(self, start_ms=self.start_ms + ms, end_ms=self.end_ms + ms, words=words)


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a dialogue, in the roles that chat models use."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class ReplyRequest:
    """A dialogue to be continued; the last message is the user's.

    `language` is the language to answer in (BCP 47), `max_tokens` a hard limit. `adapter`
    names the LoRA adapter to answer with, None for the model as it is.
    """

    messages: Sequence[Message]
    language: str = "en"
    max_tokens: int = 256
    adapter: str | None = None


@dataclass(frozen=True, slots=True)
class TokenChunk:
    """A piece of the reply's text, white space included."""

    token: str
    logprob: float | None = None
    is_final: bool = False


@dataclass(frozen=True, slots=True)
class ToolCall:
    """The model asks for something to be done; `hang_up` ends the call once all is spoken."""

    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SpeechRequest:
    """Text to be spoken. `speed` is 0.25 to 4, 1 being the voice's own pace."""

    text: str
    voice: str | None = None
    language: str = "en"
    speed: float = 1.0


@dataclass(frozen=True, slots=True)
class WordTime:
    """When a word of the text starts.

    `offset` and `length` count characters of `SpeechRequest.text`, `start_ms`
    counts from the first sample of the request's audio. `is_estimated` where the engine
    has not told it.
    """

    offset: int
    length: int
    start_ms: int
    is_estimated: bool = False


@dataclass(frozen=True, slots=True)
class SpeechChunk:
    """Synthesized audio: int16 little-endian mono at the engine's `sample_rate`.

    `words` are those known by now; a word is told no later than the chunk in
    which it starts. An engine without word times gives none at all. Engines leave `engine`
    empty: it is filled in where several of them may have been asked.
    """

    pcm: bytes
    words: tuple[WordTime, ...] = ()
    engine: str = ""


@dataclass(frozen=True, slots=True)
class Voice:
    """A voice that a caller can choose.

    `language` is BCP 47, empty for a voice that speaks any; `gender` is female, male or empty.
    `licence` is an SPDX identifier where there is one, `preview` the URL of a recording that the
    voice's provider has; both are empty where nothing is known. Engines leave `engine` empty:
    whoever lists the voices of several fills in the name.
    """

    id: str
    name: str
    language: str
    gender: str = ""
    engine: str = ""
    licence: str = ""
    preview: str = ""


class Recognizer(Protocol):
    """Turns the audio of one utterance into text."""

    def recognize(
        self, audio: AsyncIterator[bytes], request: RecognizeRequest
    ) -> AsyncGenerator[TranscriptChunk, None]:
        """Yield partial chunks while audio (int16 LE mono 16 kHz, pieces of any even
        length) comes in, and exactly one final chunk after it ended."""
        ...


class LanguageModel(Protocol):
    """Continues a dialogue."""

    def reply(self, request: ReplyRequest) -> AsyncGenerator[TokenChunk | ToolCall, None]:
        """Yield the reply token by token; tool calls come where the model makes them."""
        ...


@runtime_checkable
class PreparingLanguageModel(LanguageModel, Protocol):
    """A language model that can read a dialogue ahead of being asked to continue it."""

    async def prepare(self, request: ReplyRequest) -> None:
        """Read the dialogue now, so that `reply` to one that begins alike starts sooner.

        The last message may be the first words of one. Cancelling stops the reading.
        """
        ...


class Synthesizer(Protocol):
    """Speaks a text."""

    @property
    def sample_rate(self) -> int:
        """Rate of all audio that it yields, in Hz."""
        ...

    @property
    def voices(self) -> Sequence[Voice]:
        """All voices, the default one first."""
        ...

    def synthesize(self, request: SpeechRequest) -> AsyncGenerator[SpeechChunk, None]:
        """Yield audio as it is made. An unknown voice raises `EngineError`."""
        ...


@runtime_checkable
class LimitedSynthesizer(Protocol):
    """A `Synthesizer` that takes no text of any length."""

    @property
    def max_chars(self) -> int | None:
        """The longest text of one request, None for no limit after all. A longer one raises
        `EngineError` (`text_too_long`)."""
        ...


@runtime_checkable
class IdentifiedSynthesizer(Protocol):
    """A `Synthesizer` that tells its model from others."""

    @property
    def fingerprint(self) -> str:
        """Another string wherever the same request would sound otherwise: made of the model's
        content and of the options that its sound depends on. The default voice need not be in
        it: the first of `voices` tells that."""
        ...


@dataclass(frozen=True, slots=True)
class Speaker:
    """The engine that is first asked for a request, and its fingerprint with the default voice's
    id: another one wherever the same request would sound otherwise. It is empty where the engine
    tells none, or was never loaded."""

    engine: str
    fingerprint: str = ""


@runtime_checkable
class NamingSynthesizer(Protocol):
    """A `Synthesizer` that tells ahead which engine speaks."""

    def speaker(self, voice: str | None, language: str) -> Speaker:
        """Who would be asked first, were all engines well."""
        ...

    def model_of(self, engine: str) -> str:
        """The model that this engine speaks with, as it tells it; empty where that is unknown."""
        ...


@runtime_checkable
class PreferringSynthesizer(Protocol):
    """A `Synthesizer` that has others stand in for the preferred one."""

    @property
    def knows_all_voices(self) -> bool:
        """Whether `voices` are those of all of them: one may never have been loaded."""
        ...


class VoiceDetector(Protocol):
    """Tells speech from other sound, for one caller."""

    def feed(self, pcm: bytes) -> float:
        """Take 20 ms of int16 LE mono 16 kHz audio; return the probability (0 to 1) that
        the newest analysed window holds speech. Synchronous and quick: it runs on the loop."""
        ...


class NoiseSuppressor(Protocol):
    """Takes the noise out of one caller's audio, before it is judged and recognised."""

    def feed(self, pcm: bytes) -> bytes:
        """Take 20 ms of int16 LE mono 16 kHz audio; return as many samples, of which the first
        lie further back by the suppressor's delay. Synchronous and quick: it runs on the loop."""
        ...
