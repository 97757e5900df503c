"""All that is kept of users, opened for the time that it is used."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import platformdirs

from inzwa_rtc.settings import Settings
from inzwa_rtc.store.address import backend
from inzwa_rtc.store.database import Database
from inzwa_rtc.store.keys import Keys
from inzwa_rtc.store.users import Users
from inzwa_rtc.users import UserSettings, VoiceMode

FILE = "inzwa.db"


class Store:
    """What is kept: users with their settings, and keys."""

    def __init__(self, users: Users, keys: Keys) -> None:
        self.users = users
        self.keys = keys


@asynccontextmanager
async def opened(url: str, default_voice_mode: VoiceMode = "conversation") -> AsyncIterator[Store]:
    """The store at `url`, upgraded to this version, while the block runs. A database that is
    away may come later, and is upgraded then. Raises `ConfigError` for a URL that cannot be, and
    for a database that this version cannot read."""
    database = Database(backend(url))
    try:
        await database.open()
        users = Users(database, UserSettings(voice_mode=default_voice_mode))
        keys = Keys(database)
        users.when_deleted(lambda _user: keys.forget())
        yield Store(users, keys)
    finally:
        await database.close()


def database_url(settings: Settings) -> str:
    """Where these settings keep the store: `database_url`, else a file in `data_dir`."""
    if settings.database_url is not None:
        return settings.database_url.get_secret_value()
    folder = settings.data_dir or platformdirs.user_data_path("inzwa-rtc", appauthor=False)
    return f"sqlite:///{Path(folder).absolute() / FILE}"
