"""The options of every engine that asks a server elsewhere."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, Field, SecretStr

_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, section 5.1
_VISIBLE = re.compile(r"[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?")


def _web_address(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("must be the address of a server, such as http://127.0.0.1:8000/v1")
    if parts.username is not None or parts.query or parts.fragment:
        raise ValueError("must be an address only: a key belongs into `api_key` or `headers`")
    _ = parts.port  # raises ValueError for one that cannot be
    return value.rstrip("/")


def _sendable(value: SecretStr) -> SecretStr:
    text = value.get_secret_value().strip()
    if not _VISIBLE.fullmatch(text):
        raise ValueError("must be visible ASCII characters, as HTTP sends them")
    return SecretStr(text)


def _header_names(value: dict[str, SecretStr]) -> dict[str, SecretStr]:
    for name in value:
        if not _HEADER.fullmatch(name):
            raise ValueError("has a name that no HTTP header can have")
    return value


WebAddress = Annotated[str, AfterValidator(_web_address)]
"""An `http` or `https` address without credentials, query or a slash at its end."""

Secret = Annotated[SecretStr, AfterValidator(_sendable)]
"""A secret that can be sent in an HTTP header."""


class RemoteOptions(BaseModel):
    """Options of every engine that asks a server elsewhere."""

    api_key: Secret | None = None
    """The server's key."""
    headers: Annotated[dict[str, Secret], AfterValidator(_header_names)] = {}
    """Sent along with each request, for a gateway that wants them."""
    connect_timeout_s: Annotated[float, Field(gt=0, le=60)] = 1.0
    """How long a connection may take to open."""
    max_concurrent: Annotated[int, Field(ge=1, le=1024)] = 32
    """Requests under way at the same time; more wait their turn."""
    check_at_start: bool = True
    """Whether to ask the server at start if it is there and takes the key. Without this the
    first caller finds out."""


@dataclass(frozen=True, slots=True)
class Server:
    """Whom an engine asks, in the words of its errors: the group of its options (`llm`), what
    runs there (`Ollama`), where, and the model."""

    group: str
    name: str
    url: str
    model: str

    def __str__(self) -> str:
        return f"{self.name} at {self.url}"

    def with_model(self, model: str | None) -> Server:
        """The same server, asked for another model where one is given."""
        return self if model is None else replace(self, model=model)

    @property
    def is_encrypted(self) -> bool:
        """Whether nobody on the way can read along."""
        return self.url.startswith("https:")


OPENAI_URL = "https://api.openai.com/v1"
OPENAI_KEY_VARIABLE = "OPENAI_API_KEY"
ELEVENLABS_URL = "https://api.elevenlabs.io"
ELEVENLABS_KEY_VARIABLE = "ELEVENLABS_API_KEY"

_KEY_VARIABLES = {"openai.com": OPENAI_KEY_VARIABLE, "elevenlabs.io": ELEVENLABS_KEY_VARIABLE}


def is_openai(url: str) -> bool:
    """Whether this is OpenAI's own server, which knows nothing beyond its own interface."""
    return key_variable(url) == OPENAI_KEY_VARIABLE


def key_variable(url: str) -> str | None:
    """The variable in the environment that holds the key for a provider's own server."""
    host = urlsplit(url).hostname or ""
    for domain, variable in _KEY_VARIABLES.items():
        if host == domain or host.endswith(f".{domain}"):
            return variable
    return None


def key_for(options: RemoteOptions, url: str) -> str | None:
    """The key for a server, None where none is set.

    The one in the environment is its provider's: no other server ever gets it.
    """
    if options.api_key is not None:
        return options.api_key.get_secret_value()
    variable = key_variable(url)
    return (os.environ.get(variable) or None) if variable else None
