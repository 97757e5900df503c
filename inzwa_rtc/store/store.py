"""All that is kept of users, opened for the time that it is used."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import platformdirs
from sqlalchemy.exc import SQLAlchemyError

from inzwa_rtc.settings import Settings
from inzwa_rtc.store import migrating
from inzwa_rtc.store.address import backend
from inzwa_rtc.store.database import Away, Database
from inzwa_rtc.store.keys import Keys
from inzwa_rtc.store.migrating import State
from inzwa_rtc.store.users import Users
from inzwa_rtc.users import UserSettings, VoiceMode

FILE = "inzwa.db"


class Store:
    """What is kept: users with their settings, and keys."""

    def __init__(self, users: Users, keys: Keys) -> None:
        self.users = users
        self.keys = keys


@asynccontextmanager
async def opened(
    place: str | Path, default_voice_mode: VoiceMode = "conversation"
) -> AsyncIterator[Store]:
    """The store at `place`, upgraded to this version, while the block runs. A database that is
    away may come later, and is upgraded then. Raises `ConfigError` for a place that cannot be, and
    for a database that this version cannot read."""
    database = Database(backend(place))
    try:
        await database.open()
        users = Users(database, UserSettings(voice_mode=default_voice_mode))
        keys = Keys(database)
        users.when_deleted(lambda _user: keys.forget())
        yield Store(users, keys)
    finally:
        await database.close()


def state(place: str | Path) -> State:
    """How the database at `place` is; nothing is made or changed. Blocks, outside of any loop.
    Raises `ConfigError` as `opened`, and `Unavailable` with the reason."""
    found = backend(place)
    away: tuple[type[Exception], ...] = (SQLAlchemyError, TimeoutError, *found.errors)
    try:
        return migrating.state(found)
    except away as error:
        raise found.mistake(error) or Away(found.reason(error)).for_operator() from None


def place_of(settings: Settings) -> str | Path:
    """Where these settings keep the store: at the URL `database_url`, else in a file in
    `data_dir`, whose folders are made."""
    if settings.database_url is not None:
        return settings.database_url.get_secret_value()
    folder = settings.data_dir or platformdirs.user_data_path("inzwa-rtc", appauthor=False)
    return Path(folder).absolute() / FILE
