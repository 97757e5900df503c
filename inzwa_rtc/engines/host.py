"""Where an engine runs, and what is known of one that does: the same for every place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal, Protocol

from inzwa_rtc.engines import wire
from inzwa_rtc.engines.contracts import Speaker, Voice
from inzwa_rtc.engines.launch import Launch
from inzwa_rtc.engines.registry import EngineSpec
from inzwa_rtc.errors import EngineUnavailable

HostState = Literal["starting", "ready", "restarting", "failed", "stopped"]


class EngineHost(Protocol):
    """One engine's place: a process of its own (`EngineProcess`), or the server's (`Inline`).

    Its owner runs `start`, then `supervise` as a task of its own, then `close`.
    """

    restarts: int
    in_flight: int
    state: HostState
    launch: Launch
    start_timeout_s: float

    @property
    def spec(self) -> EngineSpec:
        """Which engine it is."""
        ...

    @property
    def pid(self) -> int | None:
        """The process that is the engine's alone, if there is one."""
        ...

    @property
    def description(self) -> Mapping[str, Any]:
        """What the engine said of itself when it was last ready: name, sample rate, voices."""
        ...

    @property
    def model(self) -> str:
        """The model that it has loaded, as it tells it; empty where it tells none."""
        ...

    async def ready(self) -> Any:
        """Wait until requests are served. Raises `EngineUnavailable` when none will be."""
        ...

    async def start(self) -> None:
        """Load the engine. Raises `ConfigError` and `EngineError`."""
        ...

    async def supervise(self) -> None:
        """Keep the engine running until cancelled."""
        ...

    async def close(self) -> None:
        """End it; requests that run or wait fail."""
        ...


class Told:
    """What every engine tells of itself through its host."""

    def __init__(self, host: EngineHost) -> None:
        self._host = host

    async def loaded(self) -> None:
        """Return once the engine serves. Raises `EngineUnavailable`."""
        await self._host.ready()


class ToldByRecognizer(Told):
    """What a recogniser tells."""

    @property
    def languages(self) -> Sequence[str]:
        """As in `LanguageKnowingRecognizer`; none before it was ever loaded."""
        told: Sequence[str] = self._host.description.get("languages", ())
        return told


class ToldByLanguageModel(Told):
    """What a language model tells."""

    @property
    def takes_tools(self) -> bool:
        """As in `ToolUsingLanguageModel`."""
        return "tools" in self._host.description.get("abilities", ())


class ToldBySynthesizer(Told):
    """What a synthesizer tells. It must have been ready once before anything is read."""

    def __init__(self, host: EngineHost) -> None:
        super().__init__(host)
        self._described: Mapping[str, Any] = {}
        self._voices: tuple[Voice, ...] = ()

    @property
    def sample_rate(self) -> int:
        """Of all audio, in Hz."""
        rate: int = self._description()["sample_rate"]
        return rate

    @property
    def voices(self) -> Sequence[Voice]:
        """All voices, the default one first."""
        description = self._description()
        if description is not self._described:
            voices = map(wire.voice_from, description["voices"])
            name = self._host.spec.name
            self._voices = tuple(replace(voice, engine=name) for voice in voices)
            self._described = description
        return self._voices

    @property
    def max_chars(self) -> int | None:
        """The longest text of one request; None where there is no limit."""
        longest: int | None = self._description()["max_chars"]
        return longest

    @property
    def fingerprint(self) -> str:
        """As in `IdentifiedSynthesizer`; empty where the engine has none."""
        told: str = self._description()["fingerprint"]
        return told

    def speaker(self, voice: str | None, language: str) -> Speaker:
        """Itself."""
        told = self._host.description.get("fingerprint", "")
        if told and self.voices:
            told = f"{told} {self.voices[0].id}"  # whom a request without a voice is for
        return Speaker(self._host.spec.name, told)

    def model_of(self, engine: str) -> str:
        """The model that this engine speaks with."""
        return self._host.model

    def _description(self) -> Mapping[str, Any]:
        if not self._host.description:
            raise EngineUnavailable(
                "The speech engine is not loaded yet.", action="Wait until it is ready."
            )
        return self._host.description
