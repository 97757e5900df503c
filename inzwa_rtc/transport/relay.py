"""Access to a TURN server for callers whose network lets nothing else through.

coturn's `use-auth-secret` (draft-uberti-behave-turn-rest-00): the user name says until when it
holds, and the password is its HMAC with a secret that only this server and the TURN server
know. Nothing is asked of the TURN server, and nothing is kept.
"""

from __future__ import annotations

import hmac
import secrets
from base64 import b64encode
from dataclasses import dataclass, field
from hashlib import sha1

from inzwa_rtc.settings import Settings


@dataclass(frozen=True, slots=True)
class IceServer:
    """As `RTCIceServer` of browsers has it."""

    urls: tuple[str, ...]
    username: str
    credential: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Relay:
    """TURN servers that share one secret; access holds for `lifetime_s` seconds."""

    urls: tuple[str, ...]
    secret: str = field(repr=False)
    lifetime_s: int

    @classmethod
    def of(cls, settings: Settings) -> Relay | None:
        """That of the configuration, if there is one."""
        if not settings.turn_urls or settings.turn_secret is None:
            return None
        secret = settings.turn_secret.get_secret_value()
        return cls(settings.turn_urls, secret, settings.turn_lifetime_s)

    def access(self, now: float) -> IceServer:
        """For one caller, from `now` (seconds of Unix time) on; the name tells nobody who they
        are, and two callers do not share one, which coturn's quotas count by."""
        username = f"{int(now) + self.lifetime_s}:{secrets.token_hex(8)}"
        return IceServer(self.urls, username, password(self.secret, username))


def password(secret: str, username: str) -> str:
    """What the TURN server expects of this user: HMAC-SHA1, in base64."""
    return b64encode(hmac.digest(secret.encode(), username.encode(), sha1)).decode()
