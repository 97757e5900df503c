"""Settings as people may look at them: every value, who gave it, and no secret."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from inzwa_rtc.settings.loading import Origin, flatten
from inzwa_rtc.settings.settings import Settings

MASK = "********"

_FREE_FORM = ("asr", "llm", "tts")
"""Groups whose members engines define: whatever is named like a secret is one, of any type."""

_SECRET = (
    r"api_?keys?|keys?|secrets?|tokens?|passwords?|passwd|passphrase|credentials?|cookies?|"
    r"bearer|auth\w*"
)
_SECRET_NAME = re.compile(rf"(^|[._-])({_SECRET})$", re.I)
_SECRET_IN_CAPITALS = re.compile(r"[a-z](Key|Secret|Token|Password)s?$")  # accessKey
_SECRET_GROUP = re.compile(r"(^|\.)(headers|cookies|credentials|secrets|api_?keys)\.", re.I)
_PLURAL = re.compile(r"s$", re.I)  # of these only texts are meant: `max_tokens` is a number
_CREDENTIALS_IN_URL = re.compile(r"(?<=://)[^/@\s]+(?=@)")
_SECRET_IN_QUERY = re.compile(rf"(?<=[?&])([\w.-]*?(?:{_SECRET})=)[^&#\s]+", re.I)
_BEARER = re.compile(r"\b(Bearer|Basic)\s+\S+", re.I)


@dataclass(frozen=True, slots=True)
class Row:
    """One setting: its full name, its value (secrets masked), and who gave it."""

    name: str
    value: Any
    origin: str


def rows(settings: Settings, origins: Mapping[str, Origin]) -> list[Row]:
    """All settings in the order in which they are declared."""
    return [
        Row(name, _masked(name, value), origins.get(name, "default"))
        for name, value in flatten(settings.model_dump(mode="json"))
    ]


def _masked(name: str, value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_masked(name, item) for item in value]
    if isinstance(value, Mapping):  # within a list
        return {key: _masked(f"{name}.{key}", item) for key, item in value.items()}
    if _is_secret(name, value):
        return MASK
    if isinstance(value, str):
        value = _CREDENTIALS_IN_URL.sub(MASK, value)
        value = _SECRET_IN_QUERY.sub(rf"\g<1>{MASK}", value)
        return _BEARER.sub(rf"\g<1> {MASK}", value)
    return value


def _is_secret(name: str, value: Any) -> bool:
    if value is None:
        return False
    is_free_form = name.partition(".")[0] in _FREE_FORM
    if is_free_form and _SECRET_GROUP.search(name):
        return True
    if not (_SECRET_NAME.search(name) or _SECRET_IN_CAPITALS.search(name)):
        return False
    return isinstance(value, str) or (is_free_form and not _PLURAL.search(name))
