"""The tables, as this version of the program needs them. Each change to one needs a migration
beside it in `migrations/versions`; a test compares the two.

What somebody has not chosen is NULL, so that it follows the server's own default when that is
changed.
"""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import (
    Boolean,
    Column,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    MetaData,
    String,
    Table,
    TypeDecorator,
    false,
)

ID_CHARS = 200
"""The longest name of a user, as the operator's application gives it."""

NAME_CHARS = 200
"""The longest name of a key, a voice."""

LANGUAGE_CHARS = 35  # what RFC 5646 asks programs to have room for

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Moment(TypeDecorator[datetime]):
    """A time in UTC. SQLite keeps no zone, so it is put back on the way out."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """What the driver gave, with its zone."""
        if value is None or value.tzinfo is not None:
            return value
        return value.replace(tzinfo=UTC)


users = Table(
    "users",
    metadata,
    Column("id", String(ID_CHARS), primary_key=True),
    Column("created_at", Moment, nullable=False),
    Column("is_disabled", Boolean, nullable=False, server_default=false()),
    Column("voice_mode", String(20)),
    Column("tts_voice", String(NAME_CHARS)),
    Column("tts_speed", Float),
    Column("tts_format", String(10)),
    Column("auto_play", Boolean),
    Column("stt_language", String(LANGUAGE_CHARS)),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", String(12), primary_key=True),
    Column("name", String(NAME_CHARS), nullable=False),
    Column("secret_sha256", String(64), nullable=False),
    Column("scopes", String(100), nullable=False),  # names with a space between
    # A key that is bound to a user goes with them.
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), index=True),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment),
    Column("revoked_at", Moment),
)
