"""Whether the server is open: lets in whoever reaches it, without a key."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import Protocol

import structlog

from inzwa_rtc.errors import ConfigError, Unavailable
from inzwa_rtc.settings import Settings
from inzwa_rtc.store.keys import Scope
from signaling.access.address import is_loopback

LOOKED_S = 2.0
"""So long after the first key was made may somebody still be let in without one."""

log = structlog.get_logger(__name__)


class AnyKeys(Protocol):
    """What is asked of `store.keys`."""

    async def any(self, scope: Scope | None = None) -> bool:
        """Whether there are keys (with this scope). Raises `Unavailable`."""
        ...


class Opening:
    """As `access.open` says; where that is not set, for this machine alone and until the first
    key for calls is made. A server that was closed so does not open again while it runs."""

    def __init__(
        self, settings: Settings, keys: AnyKeys, now: Callable[[], float] = monotonic
    ) -> None:
        self._set = settings.access.open
        self._may_open = is_for_this_machine(settings)
        self._keys = keys
        self._now = now
        self._has_keys: bool | None = None
        self._looked_at = -LOOKED_S
        self._can_tell = True
        self._tried_at = -LOOKED_S

    @property
    def is_set(self) -> bool:
        """Whether the operator has opened it, for everybody who reaches it."""
        return self._set is True

    async def is_open(self) -> bool:
        """Raises `Unavailable` where the database has never told whether there are keys."""
        if self._set is not None:
            return self._set
        if not self._may_open or self._has_keys:
            return False
        if self._now() - self._looked_at >= LOOKED_S:
            self._looked_at = self._now()  # others need not wait for the same answer
            await self._look()
        elif self._has_keys is None:
            await self._look()
        return not self._has_keys

    async def can_tell(self) -> bool:
        """Whether it is known who may call: not while the database is away, unless the server is
        open to those who need not be looked up."""
        if self._now() - self._tried_at >= LOOKED_S:  # anybody may ask this, and often
            try:
                if not await self.is_open():
                    await self._keys.any("call")
                self._can_tell = True
            except Unavailable:
                self._can_tell = False
            self._tried_at = self._now()
        return self._can_tell

    async def _look(self) -> None:
        try:
            self._has_keys = await self._keys.any("call")
        except Unavailable:
            if self._has_keys is None:
                raise
        if self._has_keys:
            log.info("access.keys_needed")


async def check_start(settings: Settings, keys: AnyKeys) -> None:
    """Raises `ConfigError` for a server that others reach and that nobody has said may be open,
    where no key keeps anybody out."""
    if settings.access.open is not None:
        if settings.access.open and not is_for_this_machine(settings):
            log.warning("access.open_to_all", host=settings.host)
        return
    if is_for_this_machine(settings) or settings.admin_key is not None:
        return
    try:
        has_keys = await keys.any()
    except Unavailable:
        return  # it starts closed, and the store has logged why
    if not has_keys:
        raise ConfigError(
            f"Others reach the server at {settings.host}, and no API key keeps anybody out.",
            action="Make a key with `inzwa-rtc keys create NAME`, or set `access.open: true` to"
            " let in whoever reaches it.",
        )


def is_for_this_machine(settings: Settings) -> bool:
    """Whether nobody else can reach it, as far as the settings tell: a proxy passes others on."""
    return is_loopback(settings.host) and not settings.access.trusted_proxies
