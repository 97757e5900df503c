"""Users and what they have chosen. Somebody of whom nothing is known has the server's defaults;
they are written down with their first change."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from typing import Any, TypedDict, Unpack, get_args

from cachetools import LRUCache
from sqlalchemy import Row, Table, delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from inzwa_rtc.errors import PeerError
from inzwa_rtc.store.database import Database
from inzwa_rtc.store.tables import LANGUAGE_CHARS, NAME_CHARS, users
from inzwa_rtc.store.text import checked, checked_user
from inzwa_rtc.users import VOICE_MODES, SpeechFormat, User, UserSettings, VoiceMode

PAGE = 1000
"""The most users that `listed` gives at once."""


_SEEN = 10_000  # as many as have figures of their own; about 2 MB


class Changes(TypedDict, total=False):
    """Settings of a user that are to be others. None goes back to the server's own."""

    voice_mode: VoiceMode | None
    tts_voice: str | None
    tts_speed: float | None
    tts_format: SpeechFormat | None
    auto_play: bool | None
    stt_language: str | None


class Users:
    """The users in a database. Every method raises `Unavailable` while it is away."""

    def __init__(self, database: Database, defaults: UserSettings) -> None:
        self._database = database
        self._defaults = defaults
        self._deleted: list[Callable[[str], None]] = []
        self._seen: LRUCache[str, bool] = LRUCache(_SEEN)  # of whom something was kept

    async def get(self, user_id: str) -> User:
        """What is known of them, the server's defaults where that is nothing. Raises `PeerError`
        for what cannot be anybody's name."""
        return await self.find(user_id) or User(user_id, _now(), settings=self._defaults)

    async def find(self, user_id: str) -> User | None:
        """What is known of them; None where that is nothing. Raises `PeerError` as above."""
        checked_user(user_id)
        rows = await self._database.read(select(users).where(users.c.id == user_id))
        return self._user(rows[0]) if rows else None

    async def known(self, user_ids: Collection[str]) -> list[User]:
        """Those of them of whom something is kept; a few hundred at once."""
        rows = await self._database.read(select(users).where(users.c.id.in_(user_ids)))
        return [self._user(row) for row in rows]

    async def forget_gone(self, user_ids: Collection[str]) -> None:
        """Have whoever was given to `when_deleted` told of those of them whom another process has
        deleted: something of them was kept when this one last asked, and nothing is now."""
        seen = [user_id for user_id in user_ids if user_id in self._seen]
        for start in range(0, len(seen), PAGE):
            part = seen[start : start + PAGE]
            gone = set(part) - {user.id for user in await self.known(part)}
            for user_id in gone:
                self._seen.pop(user_id, None)
                self._tell_deleted(user_id)

    async def change(self, user_id: str, **changes: Unpack[Changes]) -> User:
        """Change what they have chosen. Raises `PeerError` for a value that cannot be."""
        for name, value in changes.items():
            _check(name, value)
        return await self._written(user_id, changes)

    async def set_disabled(self, user_id: str, disabled: bool) -> User:
        """Take voice from them, or give it back."""
        return await self._written(user_id, {"is_disabled": disabled})

    async def listed(self, after: str | None = None, limit: int = 100) -> list[User]:
        """Users in the order of their names, those that come after `after`."""
        wanted = select(users).order_by(users.c.id).limit(min(max(limit, 0), PAGE))
        if after is not None:
            wanted = wanted.where(users.c.id > checked_user(after))
        return [self._user(row) for row in await self._database.read(wanted)]

    async def delete(self, user_id: str) -> None:
        """Forget everything about them, the keys that are bound to them included. Nobody has to
        have been there."""
        checked_user(user_id)

        async def told() -> None:
            self._tell_deleted(user_id)
            await self._database.forget()

        await self._database.write(
            lambda connection: connection.execute(delete(users).where(users.c.id == user_id)),
            then=told,
        )

    def when_deleted(self, told: Callable[[str], None]) -> None:
        """Have whoever keeps something of users in memory told whom to forget. What another
        process deletes is told by `forget_gone`: what nobody names there has to go within a
        minute by itself, as keys that were found go after `FOUND_S`."""
        self._deleted.append(told)

    def _tell_deleted(self, user_id: str) -> None:
        for told in self._deleted:
            told(user_id)

    async def _written(self, user_id: str, changes: Mapping[str, Any]) -> User:
        checked_user(user_id)
        by_id = users.c.id == user_id

        async def written(connection: AsyncConnection) -> Row[Any]:
            await ensure(connection, user_id)
            if changes:
                await connection.execute(users.update().where(by_id).values(**changes))
            return (await connection.execute(select(users).where(by_id))).one()

        return self._user(await self._database.write(written))

    def _user(self, row: Row[Any]) -> User:
        self._seen[row.id] = True
        chosen = {
            name: default if (value := getattr(row, name)) is None else value
            for name in UserSettings.__slots__
            for default in [getattr(self._defaults, name)]
        }
        return User(row.id, row.created_at, row.is_disabled, UserSettings(**chosen))


async def ensure(connection: AsyncConnection, user_id: str) -> None:
    """Have a row for this user, of which nothing else is known if there was none; nobody deletes
    it until the transaction ends."""
    made = _insert(connection, users).values(id=user_id, created_at=_now())
    # Written anew as it is: PostgreSQL would not lock a row of which nothing is changed.
    as_it_is = {"is_disabled": users.c.is_disabled}
    await connection.execute(made.on_conflict_do_update(index_elements=["id"], set_=as_it_is))


def _insert(connection: AsyncConnection, table: Table) -> sqlite.Insert | postgresql.Insert:
    if connection.dialect.name == "sqlite":
        return sqlite.insert(table)
    return postgresql.insert(table)


def _check(name: str, value: Any) -> None:
    if name not in Changes.__annotations__:
        raise TypeError(f"{name} is no setting of a user")
    if value is None:
        return
    if name == "voice_mode":
        _check_one_of(name, value, VOICE_MODES)
    elif name == "tts_format":
        _check_one_of(name, value, get_args(SpeechFormat))
    elif name == "tts_speed" and not 0.25 <= value <= 4:
        raise PeerError(
            "This cannot be the `tts_speed`.", action="Give 0.25 to 4.", code="bad_value"
        )
    elif name == "tts_voice":
        checked(value, "the name of a voice", NAME_CHARS)
    elif name == "stt_language":
        checked(value, "a language", LANGUAGE_CHARS)


def _check_one_of(name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise PeerError(
            f"This cannot be the `{name}`.",
            action=f"It is one of: {', '.join(known)}.",
            code="bad_value",
        )


def _now() -> datetime:
    return datetime.now(UTC)
