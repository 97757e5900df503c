"""The configuration as it may be shown: every setting, its value, and who gave it; no secret."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from pydantic import SecretStr

from inzwa_rtc.settings.loading import Loaded, flatten
from inzwa_rtc.settings.settings import Settings

MASK = "********"

_SECRET = (
    r"api_?keys?|keys?|secrets?|tokens?|passwords?|passwd|pass|pwd|passphrase|app_?id|credentials?|cookies?|"
    r"bearer|signature|sig|auth\w*"
)
_SECRET_NAME = re.compile(rf"(^|[._-])({_SECRET})$", re.I)
_SECRET_IN_CAPITALS = re.compile(r"[a-z](Key|Secret|Token|Password)s?$")  # accessKey
_SECRET_GROUP = re.compile(r"(^|\.)(headers|cookies|credentials|secrets|api_?keys|env)\.", re.I)
_PLURAL = re.compile(r"s$", re.I)  # of these only texts are meant: `max_tokens` is a number
# Up to the last @: somebody may have left an @ or a / in a password as it is.
_CREDENTIALS_IN_URL = re.compile(r"(?<=://)\S+(?=@)")
# Whatever it is called: services name their keys as they like.
_URL_QUERY = re.compile(r"(?<=://)[^\s'\"?]+\?[^\s'\"]+")
_PARAMETER = re.compile(r"(?<=[?&;])([^=&;#]*=)?([^&;#]+)")
_PLACEHOLDER = re.compile(r"{\w+}")
# In a query, in a connection string, in a header written out, after an option of a command.
_SECRET_IN_TEXT = re.compile(
    rf"((?<![\w-])[\w-]*?(?:{_SECRET})['\"]?\s*[=:]\s*)(?!//)('[^']*'|\"[^\"]*\"|[^&#\s;,]+)", re.I
)
_BEARER = re.compile(r"\b(Bearer|Basic)\s+\S+", re.I)
_OPTION = re.compile(rf"-{{1,2}}[\w-]*?(?:{_SECRET})", re.I)


@dataclass(frozen=True, slots=True)
class Row:
    """One setting: its full name, its value (secrets masked), and who gave it."""

    name: str
    value: Any
    origin: str


def rows(loaded: Loaded) -> list[Row]:
    """All settings in the order in which they are declared."""
    return [
        Row(name, _masked(name, value), loaded.origins.get(name, "default"))
        for name, value in flatten(loaded.settings.model_dump())
    ]


def _masked(name: str, value: Any) -> Any:
    if isinstance(value, list | tuple):
        return list(_items(name, value))
    if isinstance(value, Mapping):  # within a list
        return {key: _masked(f"{name}.{key}", item) for key, item in value.items()}
    if isinstance(value, SecretStr):
        secret = value.get_secret_value()
        return _without_secrets(secret) if name.endswith("_url") and "://" in secret else MASK
    if _is_secret(name, value):
        return MASK
    return _without_secrets(value) if isinstance(value, str) else value


def _items(name: str, values: Sequence[Any]) -> Iterator[Any]:
    before: Any = None
    for value in values:
        # A command is a list: `[tool, --api-key, SECRET]`.
        is_secret = isinstance(before, str) and _OPTION.fullmatch(before)
        yield MASK if is_secret else _masked(name, value)
        before = value


def _without_secrets(text: str) -> str:
    text = _CREDENTIALS_IN_URL.sub(MASK, text)
    text = _URL_QUERY.sub(_without_values, text)
    text = _BEARER.sub(rf"\g<1> {MASK}", text)
    return _SECRET_IN_TEXT.sub(rf"\g<1>{MASK}", text)


def _without_values(url: re.Match[str]) -> str:
    def told(parameter: re.Match[str]) -> str:
        name, value = parameter.groups(default="")
        return f"{name}{value if _PLACEHOLDER.fullmatch(value) else MASK}"

    return _PARAMETER.sub(told, url[0])


def _is_secret(name: str, value: Any) -> bool:
    if value is None:
        return False
    # Of what we declare, secrets are texts. Engines and tools name their own members, and what
    # is named like a secret there is one, of any type.
    is_ours = name in _declared()
    if not is_ours and _SECRET_GROUP.search(name):
        return True
    if not (_SECRET_NAME.search(name) or _SECRET_IN_CAPITALS.search(name)):
        return False
    return isinstance(value, str) or (not is_ours and not _PLURAL.search(name))


@cache
def _declared() -> frozenset[str]:
    return frozenset(name for name, _ in flatten(Settings().model_dump()))
