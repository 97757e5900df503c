"""Start tokens: each starts one call, within a minute, for the user and with the settings for
which an application asked for it. They are kept in memory, by their digest."""

from __future__ import annotations

import heapq
import secrets
from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256

from inzwa_rtc.errors import RateLimited
from signaling.dialects.native import SessionOptions

PREFIX = "st_"
LIFE_S = 60.0

MOST = 10_000
"""Made within a minute by all keys, about 5 MB: far more calls than a machine can take."""

MOST_OF_KEY = 2_000
"""Made within a minute by one key, so that it leaves room for others."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What a start token stands for. `user_since`: since when something is kept of the user; None
    where that was nothing."""

    key_id: str | None
    user: str | None
    session: SessionOptions
    user_since: datetime | None = None


@dataclass(slots=True)
class _Kept:
    grant: Grant
    expires_at: float
    is_spent: bool = False
    is_void: bool = False


class StartTokens:
    """Those that were made in the last minute. Time is an argument, in seconds of any clock."""

    def __init__(self, most: int = MOST, most_of_key: int = MOST_OF_KEY) -> None:
        self._most = most
        self._most_of_key = most_of_key
        self._kept: dict[str, _Kept] = {}
        self._ends: list[tuple[float, str]] = []  # a heap: the next one to expire first
        self._of_key: Counter[str | None] = Counter()

    def __len__(self) -> int:
        return len(self._kept)

    def mint(self, grant: Grant, now: float, life_s: float = LIFE_S) -> str:
        """A new one. Raises `RateLimited` where there are too many."""
        self._forget(now)
        if len(self._kept) >= self._most or self._of_key[grant.key_id] >= self._most_of_key:
            raise RateLimited(
                "Too many start tokens were made in the last minute.",
                action="Ask for one when somebody is about to call, not in advance.",
                retry_after_s=1 + int(self._ends[0][0] - now),
            )
        token = PREFIX + secrets.token_urlsafe(32)
        digest = _digest(token)
        self._kept[digest] = _Kept(grant, now + life_s)
        heapq.heappush(self._ends, (now + life_s, digest))
        self._of_key[grant.key_id] += 1
        return token

    def spend(self, token: str, now: float) -> Grant | None:
        """What it stands for, once; None where it is none, was spent, or is too old."""
        kept = self._kept.get(_digest(token))
        if kept is None or kept.is_spent or kept.expires_at <= now:
            return None
        kept.is_spent = True
        return kept.grant

    def give_back(self, token: str) -> None:
        """The call did not come about: the token may be spent until it is too old."""
        kept = self._kept.get(_digest(token))
        if kept is not None:
            kept.is_spent = kept.is_void

    def forget_user(self, user: str) -> None:
        """Tokens in this name start nothing any more."""
        for kept in self._kept.values():
            if kept.grant.user == user:
                kept.grant = replace(kept.grant, user=None)
                kept.is_spent = kept.is_void = True

    def _forget(self, now: float) -> None:
        while self._ends and self._ends[0][0] <= now:
            _, digest = heapq.heappop(self._ends)
            key_id = self._kept.pop(digest).grant.key_id
            self._of_key[key_id] -= 1
            if not self._of_key[key_id]:
                del self._of_key[key_id]


def is_start_token(secret: str) -> bool:
    """Whether it looks like one."""
    return secret.startswith(PREFIX)


def _digest(token: str) -> str:
    # Looked up by digest: how long that takes tells nothing about the tokens that there are.
    return sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


__all__ = ["LIFE_S", "PREFIX", "Grant", "StartTokens", "is_start_token"]
