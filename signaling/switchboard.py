"""Gives every turn the engines of the moment, and exchanges them while calls go on.

Other engines take over only when all of them are loaded, fit the settings and have spoken the
apologies. Until then, and if any of it fails, calls go on as before.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

import structlog

from inzwa_rtc.conversation.engines import EngineSet, Faults
from inzwa_rtc.conversation.peer import UpdateVoice
from inzwa_rtc.conversation.spoken import lines
from inzwa_rtc.conversation.stages import render
from inzwa_rtc.conversation.voices import Voices
from inzwa_rtc.engines.contracts import EngineKind, LanguageModel, Recognizer, Synthesizer
from inzwa_rtc.settings import Settings, flatten
from signaling.warmup import warm_up_recognizer

AT_START_ONLY = (
    "environment",
    "voice_enabled",
    "host",
    "port",
    "allowed_origins",
    "max_concurrent_sessions",
    "log_json",
    "enable_webrtc",
    "public_address",
    "udp_ports",
    "audio_out_codec",
    "opus_bitrate",
    "noise_suppression",
    "limits",
    "load",
)
"""Settings, and groups of them, that a running server does not change."""

log = structlog.get_logger(__name__)


class EngineStatus(Protocol):
    """How one engine is."""

    @property
    def name(self) -> str:
        """The engine in use."""
        ...

    @property
    def state(self) -> str:
        """`ready` when requests are served."""
        ...

    @property
    def restarts(self) -> int:
        """How often it had to be started again."""
        ...

    @property
    def breaker(self) -> str | None:
        """Of several engines that stand in for each other: whether this one is asked."""
        ...

    @property
    def others(self) -> Sequence[EngineStatus]:
        """Those that stand in for this one, or that this one stands in for."""
        ...


class Lineup(Protocol):
    """Engines that serve together."""

    @property
    def asr(self) -> Recognizer:
        """Turns speech into text."""
        ...

    @property
    def llm(self) -> LanguageModel:
        """Continues dialogues."""
        ...

    @property
    def tts(self) -> Synthesizer:
        """Speaks."""
        ...

    def lent(self) -> AbstractContextManager[Any]:
        """They serve for as long as the block runs, in use or not."""
        ...


L = TypeVar("L", bound=Lineup)


class RunningEngines(Protocol[L]):
    """The engines of a server, how they are, and how others take their place."""

    @property
    def now(self) -> L:
        """Those in use."""
        ...

    def status(self) -> Mapping[Any, EngineStatus]:
        """How those in use are, by kind."""
        ...

    async def load(self, settings: Settings) -> L:
        """Others beside them, ready, to be given to `use` or `discard`."""
        ...

    def use(self, lineup: L) -> Sequence[EngineKind]:
        """Let them take over; the kinds of which there are other engines now."""
        ...

    def discard(self, lineup: L) -> None:
        """Let those go that are not to be used."""
        ...


@dataclass(frozen=True, slots=True)
class Exchanged:
    """What new settings have changed: the kinds of which there are other engines now, and the
    settings that count from the next start of the server only."""

    kinds: Sequence[EngineKind]
    needs_restart: Sequence[str]


class Switchboard(Generic[L]):
    """To be opened once its engines run. `read_settings` may block."""

    def __init__(self, engines: RunningEngines[L], read_settings: Callable[[], Settings]) -> None:
        self._engines = engines
        self._read_settings = read_settings
        self._exchanging = asyncio.Lock()  # one after another; each starts from the last one's
        self._now: EngineSet | None = None

    @property
    def now(self) -> EngineSet:
        """The engines that the next turn will be given."""
        assert self._now is not None, "opened before it is used"
        return self._now

    async def open(self, settings: Settings) -> None:
        """Make the engines ready for the first call. Raises `ConfigError`, `EngineError`."""
        self._now = await _ready(self._engines.now, settings)

    @contextmanager
    def lent(self) -> Generator[EngineSet, None, None]:
        """As in `EngineSource`."""
        engines = self.now
        with self._engines.now.lent():
            yield engines

    def status(self) -> Mapping[Any, EngineStatus]:
        """How the engines in use are, by kind."""
        return self._engines.status()

    async def reload(self) -> Exchanged:
        """Read the settings again: new turns are given the engines that they name, new calls
        follow the settings.

        Raises `ConfigError` and `EngineError`; all is then as before.
        """
        async with self._exchanging:
            settings = await asyncio.to_thread(self._read_settings)
            new, needs_restart = _adopted(self.now.settings, settings)
            lineup = await self._engines.load(new)
            try:
                if lineup.asr is not self._engines.now.asr:
                    await warm_up_recognizer(new, lineup.asr)
                ready = await _ready(lineup, new)
            except BaseException:
                self._engines.discard(lineup)
                raise
            self._now = ready
            exchanged = Exchanged(self._engines.use(lineup), needs_restart)
        log.info(
            "engines.exchanged", kinds=list(exchanged.kinds), needs_restart=list(needs_restart)
        )
        return exchanged


def _adopted(old: Settings, new: Settings) -> tuple[Settings, list[str]]:
    """The new settings but for those that are fixed, and the names of these where they differ."""
    fixed = {name: getattr(old, name) for name in AT_START_ONLY}
    adopted = new.model_copy(update=fixed)
    wanted, kept = (dict(flatten(one.model_dump())) for one in (new, adopted))
    return adopted, [name for name, value in wanted.items() if value != kept.get(name)]


async def _ready(lineup: Lineup, settings: Settings) -> EngineSet:
    voices = Voices(lineup.tts, settings)
    voices.check_settings()
    faults = await render_faults(voices, lineup.tts, settings.timeouts.first_audio)
    return EngineSet(lineup.asr, lineup.llm, lineup.tts, settings, faults)


async def render_faults(voices: Voices, synthesizer: Synthesizer, timeout_s: float) -> Faults:
    """The apologies in every language that is offered, each in the voice that its callers
    hear, ready before an engine can fail. Raises `EngineError`."""
    usual = voices.usual()
    return {
        language: await render(
            lines(language).fault,
            language,
            synthesizer,
            timeout_s,
            voices.choose(UpdateVoice(language), usual).voice,
        )
        for language in voices.languages()
    }
