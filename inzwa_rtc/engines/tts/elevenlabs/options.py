"""The options of the engine, and what is known of ElevenLabs' models."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, model_validator

from inzwa_rtc.engines.remote.options import ELEVENLABS_URL, WebAddress
from inzwa_rtc.engines.tts.served import SpeakingOptions

_LIMITS = {
    "eleven_v3": 5_000,
    "eleven_multilingual_v2": 10_000,
    "eleven_flash_v2_5": 40_000,
    "eleven_turbo_v2_5": 40_000,
    "eleven_flash_v2": 30_000,
    "eleven_turbo_v2": 30_000,
}
_SHORTEST_LIMIT = 5_000  # of all models that are known
_TAKE_LANGUAGE = ("eleven_v3", "eleven_flash_v2_5", "eleven_turbo_v2_5")
_NO_SOCKET = ("eleven_v3",)
_NO_SOCKET_RATES = (32_000, 48_000)

SLOWEST, FASTEST = 0.7, 1.2
"""The paces that ElevenLabs makes. The rest of one beyond is made here."""

_ID = re.compile(r"[A-Za-z0-9]{20}")

Share = Annotated[float, Field(ge=0, le=1)]


def looks_like_an_id(voice: str) -> bool:
    """Whether this is of the form that ids of voices have."""
    return _ID.fullmatch(voice) is not None


class ElevenLabsOptions(SpeakingOptions):
    """Options under `tts:` in the configuration."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: Annotated[str, Field(min_length=1)] = "eleven_flash_v2_5"
    """The id of a model."""
    voice: Annotated[str, Field(min_length=1)] | None = None
    """The default voice: its name or its id. None: the account's first."""
    base_url: WebAddress = ELEVENLABS_URL
    """The server's address, without the `/v1` at its end."""
    transport: Literal["http", "websocket"] = "http"
    """How sound comes. A WebSocket is opened for each speech; no model of version 3 has one."""
    word_times: bool = True
    """Whether to ask for the times of words, for captions."""
    stability: Share | None = None
    """How even the voice is: 0 is lively, 1 monotonous. None leaves it to ElevenLabs, as for the
    next three."""
    similarity_boost: Share | None = None
    """How closely it keeps to the voice that was recorded."""
    style: Share | None = None
    """How much the style of the recording is exaggerated. Costs time."""
    use_speaker_boost: bool | None = None
    """Whether it is brought closer to the speaker once more. Costs time."""
    tell_language: bool | None = None
    """Whether to say which language the text is in. None: to the models that take it."""
    seed: Annotated[int, Field(ge=0, le=4_294_967_295)] | None = None
    """Makes the same text sound alike each time, as far as ElevenLabs can."""
    sample_rate: Literal[8000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000] = 24_000
    """Samples per second. From 44,100 on a larger plan is needed."""
    max_chars: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    """The longest text. None: what the model takes, 5,000 for one that is not known."""

    @model_validator(mode="after")
    def _fit_together(self) -> ElevenLabsOptions:
        if self.transport == "websocket" and self.model in _NO_SOCKET:
            raise ValueError(f"{self.model} has no WebSocket: set `transport` to http")
        if self.transport == "websocket" and self.sample_rate in _NO_SOCKET_RATES:
            raise ValueError(f"the WebSocket has no `sample_rate` of {self.sample_rate}")
        if not self.check_at_start and not (self.voice and looks_like_an_id(self.voice)):
            raise ValueError("without `check_at_start` the option `voice` must be the id of one")
        return self

    @property
    def longest(self) -> int:
        """The longest text, in characters."""
        return self.max_chars or _LIMITS.get(self.model, _SHORTEST_LIMIT)

    @property
    def tells_language(self) -> bool:
        """Whether the language of a text is told."""
        if self.tell_language is not None:
            return self.tell_language
        return self.model in _TAKE_LANGUAGE
