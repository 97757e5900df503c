"""API keys: who may call, and who may administer.

A key reads `inzwa_ID_SECRET`. The secret is 32 random bytes, so that a plain SHA-256 of it is
enough at rest: nobody can try 2^256 values, and a slow hash, which protects the passwords that
people choose, would only cost time at each request.
"""

from __future__ import annotations

import hmac
import secrets
import string
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from time import monotonic
from typing import Any, Literal, get_args

from cachetools import TTLCache
from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

from inzwa_rtc.errors import PeerError
from inzwa_rtc.store.database import Database
from inzwa_rtc.store.tables import NAME_CHARS, api_keys
from inzwa_rtc.store.text import checked, checked_user
from inzwa_rtc.store.users import ensure

Scope = Literal["call", "admin"]
"""What a key lets its holder do: all that a caller may; administer the server."""

SCOPES: tuple[Scope, ...] = get_args(Scope)

PREFIX = "inzwa"

FOUND_S = 5.0
"""For how long a key that was found is not looked up again: so long may one go on working that
another process has revoked."""

FOUND_MOST = 1024  # an application has a key or a few; more are looked up again, that is all

_ID_CHARS = string.ascii_lowercase + string.digits
_ID_LENGTH = 12
_SECRET_LENGTH = 43  # 32 bytes in URL-safe base64


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key without its secret. `user`: the only one in whose name it may be used; None for
    whomever its holder names. It works unless it was revoked or has expired."""

    id: str
    name: str
    scopes: frozenset[str]
    user: str | None
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class _Kept:
    key: ApiKey
    secret_sha256: str


class Keys:
    """The keys in a database. Every method raises `Unavailable` while it is away."""

    def __init__(
        self,
        database: Database,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        timer: Callable[[], float] = monotonic,
    ) -> None:
        self._database = database
        self._now = now
        self._found: TTLCache[str, _Kept] = TTLCache(FOUND_MOST, FOUND_S, timer=timer)
        self._forgotten = 0  # how often keys were dropped from those found

    async def create(
        self,
        name: str,
        scopes: Iterable[str],
        user: str | None = None,
        expires_at: datetime | None = None,
    ) -> tuple[ApiKey, str]:
        """A new key, and the text that its holder sends. Nobody can be told that again."""
        key = ApiKey(
            id="".join(secrets.choice(_ID_CHARS) for _ in range(_ID_LENGTH)),
            name=checked(name, "the name of a key", NAME_CHARS),
            scopes=_known(scopes),
            user=None if user is None else checked_user(user),
            created_at=self._now(),
            expires_at=expires_at,
        )
        secret = secrets.token_urlsafe(32)
        made = api_keys.insert().values(
            id=key.id,
            name=key.name,
            secret_sha256=_digest(secret),
            scopes=" ".join(sorted(key.scopes)),
            user_id=key.user,
            created_at=key.created_at,
            expires_at=key.expires_at,
        )

        async def written(connection: AsyncConnection) -> None:
            if key.user is not None:
                await ensure(connection, key.user)
            await connection.execute(made)

        await self._database.write(written)
        return key, f"{PREFIX}_{key.id}_{secret}"

    async def listed(self) -> list[ApiKey]:
        """All keys, those that work no more included, the oldest first."""
        oldest_first = select(api_keys).order_by(api_keys.c.created_at, api_keys.c.id)
        return [_key(row) for row in await self._database.read(oldest_first)]

    async def revoke(self, key_id: str) -> ApiKey | None:
        """Let a key work no more, from now on here, within seconds elsewhere; None where there
        is none of this id. One that was revoked before stays as it was."""
        if not _is_id(key_id):
            return None
        by_id = api_keys.c.id == key_id
        revoked = (
            api_keys.update()
            .where(by_id, api_keys.c.revoked_at.is_(None))
            .values(revoked_at=self._now())
        )

        async def written(connection: AsyncConnection) -> Row[Any] | None:
            await connection.execute(revoked)
            return (await connection.execute(select(api_keys).where(by_id))).one_or_none()

        try:
            row = await self._database.write(written)
        finally:
            self.forget()  # whether or not anybody waited for the end of it
        return None if row is None else _key(row)

    async def find(self, secret: str) -> ApiKey | None:
        """The key that somebody has sent; None where it is none, or works no more."""
        prefix, _, rest = secret.partition("_")
        key_id, _, own = rest.partition("_")
        if prefix != PREFIX or not _is_id(key_id) or len(own) != _SECRET_LENGTH:
            return None
        kept = self._found.get(key_id) or await self._looked_up(key_id)
        if kept is None or not hmac.compare_digest(_digest(own), kept.secret_sha256):
            return None
        key = kept.key
        if key.expires_at is not None and key.expires_at <= self._now():
            return None
        return key

    async def any(self, scope: Scope | None = None) -> bool:
        """Whether a key (with this scope) was ever made that was not revoked: one that has expired
        counts, so that a server does not become open by itself."""
        wanted = select(api_keys.c.id).where(api_keys.c.revoked_at.is_(None)).limit(1)
        if scope is not None:
            wanted = wanted.where(api_keys.c.scopes.contains(scope))
        return bool(await self._database.read(wanted))

    def forget(self) -> None:
        """Look all keys up again."""
        self._found.clear()
        self._forgotten += 1

    async def _looked_up(self, key_id: str) -> _Kept | None:
        forgotten = self._forgotten
        wanted = select(api_keys).where(api_keys.c.id == key_id, api_keys.c.revoked_at.is_(None))
        rows = await self._database.read(wanted)
        if not rows:
            return None
        kept = _Kept(_key(rows[0]), rows[0].secret_sha256)
        if forgotten == self._forgotten:  # else it may have been revoked while we read
            self._found[key_id] = kept
        return kept


def _known(scopes: Iterable[str]) -> frozenset[str]:
    chosen = frozenset(scopes)
    if not chosen or chosen - set(SCOPES):
        raise PeerError(
            "A key cannot have these scopes.",
            action=f"Give one or more of: {', '.join(SCOPES)}.",
            code="bad_value",
        )
    return chosen


def _is_id(text: str) -> bool:
    return len(text) == _ID_LENGTH and set(text) <= set(_ID_CHARS)


def _digest(secret: str) -> str:
    # Whatever somebody sends has a digest: `surrogatepass` takes halves of characters too.
    return sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _key(row: Row[Any]) -> ApiKey:
    return ApiKey(
        id=row.id,
        name=row.name,
        scopes=frozenset(row.scopes.split()),
        user=row.user_id,
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
    )
