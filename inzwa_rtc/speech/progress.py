"""How far the reading of a long text has come, told without ever holding up its audio."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import structlog

from inzwa_rtc.speech.reading import Follow

LAST_WORD_S = 1.0  # that the one who is told may take for the end of it

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Progress:
    """`processed` of `total` characters are spoken; `current_text` is the passage that comes
    now, as it is written. `percentage` is 0 to 100 and never falls; `eta_seconds` is None as
    long as there is nothing to tell it by."""

    processed: int
    total: int
    percentage: float
    eta_seconds: float | None
    current_text: str


class Meter:
    """Makes `Progress` of a text of `total` characters. Synchronous; time is an argument."""

    def __init__(self, total: int, now: float) -> None:
        self._total = total
        self._begun_at = now
        self._processed = 0

    def at(self, processed: int, current_text: str, now: float) -> Progress:
        """So many characters lie behind now, and this comes next."""
        self._processed = done = min(max(processed, self._processed), self._total)
        share = done / self._total if self._total else 1.0
        left_s = (now - self._begun_at) * (1 - share) / share if share else None
        return Progress(done, self._total, 100 * share, left_s, current_text)


Tell = Callable[[Progress], Awaitable[None]]


@asynccontextmanager
async def followed(total: int, tell: Tell) -> AsyncIterator[Follow]:
    """What a `Reading` of `total` characters is to be given, so that `tell` is told.

    One call at a time: what came while it lasted is told as it is then, and the rest left out.
    An error of `tell` is logged, and it is told nothing more. Once the block has ended well,
    `tell` is waited for, a second at most.
    """
    loop = asyncio.get_running_loop()
    meter = Meter(total, loop.time())
    news = _News()

    def follow(processed: int, current_text: str) -> None:
        news.newest = meter.at(processed, current_text, loop.time())
        news.changed.set()

    telling = asyncio.create_task(_tell_all(news, tell))
    try:
        yield follow
        news.is_over = True
        news.changed.set()
        await asyncio.wait({telling}, timeout=LAST_WORD_S)
    finally:
        telling.cancel()
        await asyncio.gather(telling, return_exceptions=True)


@dataclass(slots=True)
class _News:
    newest: Progress | None = None
    is_over: bool = False
    changed: asyncio.Event = field(default_factory=asyncio.Event)


async def _tell_all(news: _News, tell: Tell) -> None:
    while news.newest is not None or not news.is_over:
        await news.changed.wait()
        news.changed.clear()
        progress, news.newest = news.newest, None
        if progress is None:
            continue
        try:
            await tell(progress)
        except Exception as error:  # noqa: BLE001 - its trouble is no trouble of the audio
            _log.warning("speech.progress_not_told", error=type(error).__name__)
            return
