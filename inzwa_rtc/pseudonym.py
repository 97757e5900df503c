"""Names for what must not be named: the same value has the same one, and none leads back."""

from __future__ import annotations

import hashlib
import hmac
import secrets

from pydantic import SecretStr

_OF_THIS_START = secrets.token_hex(32)
_CHARS = 16  # 64 bits: two values of one installation hardly share a name


class Pseudonyms:
    """HMAC-SHA-256 by the operator's `key`; without one by a random key, the same for the
    whole process, so that names mean nothing after the next start."""

    def __init__(self, key: SecretStr | None) -> None:
        self._key = (key.get_secret_value() if key else _OF_THIS_START).encode()

    def of(self, value: str) -> str:
        """The name of a value: 16 hexadecimal digits."""
        # A lone surrogate, which JSON can carry, is no UTF-8.
        told = value.encode("utf-8", "surrogatepass")
        return hmac.new(self._key, told, hashlib.sha256).hexdigest()[:_CHARS]
