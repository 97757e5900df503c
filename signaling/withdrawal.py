"""Ends calls of users who may call no more, and forgets those who are no more, where nobody told
this server: voice was taken from them, or they were deleted, by the command line or at another
server."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from typing import NoReturn, Protocol

import structlog

from inzwa_rtc.errors import Unavailable
from inzwa_rtc.users import User

EVERY_S = 10.0  # deleted within a minute is promised; it is one query for all who call


log = structlog.get_logger(__name__)


class KnownUsers(Protocol):
    """What is asked of `store.users`."""

    async def known(self, user_ids: Collection[str]) -> list[User]:
        """Those of them of whom something is kept. Raises `Unavailable`."""
        ...

    async def forget_gone(self, user_ids: Collection[str]) -> None:
        """Have everybody forget those of them who were deleted. Raises `Unavailable`."""
        ...


class UserCalls(Protocol):
    """What is asked of the calls."""

    @property
    def users(self) -> Collection[str]:
        """In whose names there are calls."""
        ...

    def end_of_user(self, user: str) -> None:
        """End the calls of this user."""
        ...


class Withdrawal:
    """Looks again and again at the users who call, and at whose names are `held` otherwise."""

    def __init__(
        self, users: KnownUsers, calls: UserCalls, held: Callable[[], Collection[str]] = tuple
    ) -> None:
        self._users = users
        self._calls = calls
        self._held = held
        self._kept: set[str] = set()  # of whom something was kept when last looked

    async def watch(self) -> NoReturn:
        """Until cancelled."""
        while True:
            await asyncio.sleep(EVERY_S)
            try:
                await self.look()
            except Unavailable:
                continue  # the store has logged why; calls go on
            except Exception:  # whatever it is, voice must be taken from the next user too
                log.exception("withdrawal.not_looked")

    async def look(self) -> None:
        """Once. Raises `Unavailable`."""
        calling = set(self._calls.users)
        found = await self._users.known(calling) if calling else []
        kept = {user.id for user in found}
        deleted = (self._kept & calling) - kept
        self._kept = kept
        for user_id in deleted | {user.id for user in found if user.is_disabled}:
            self._calls.end_of_user(user_id)
        await self._users.forget_gone({*calling, *self._held()})
