"""What is wrong with settings, in words: which one, who gave it, what is right. No message
repeats a value, which may be a secret."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from inzwa_rtc.errors import Part, told
from inzwa_rtc.settings.names import Names

Origin = Literal["default", "profile", "file", "environment", "command line"]

_SHORTEST_SCRUBBED = 4
"""Shorter values are no secrets, and stand in every other message by chance."""


def described(item: Mapping[str, Any], origins: Mapping[str, Origin], names: Names) -> str:
    """One error of pydantic's."""
    location: tuple[Part, ...] = item["loc"]
    if item["type"] == "extra_forbidden":
        parts = (*names.within(location[:-1]), location[-1])
        return f"`{told(parts)}` ({_origin(parts, origins)}) {not_a_setting(parts, names)}"
    parts = names.within(location)
    return f"`{told(parts)}` ({_origin(parts, origins)}): {_message(item)}"


def not_a_setting(parts: tuple[Part, ...], names: Names) -> str:
    """That it is none, and which one was probably meant."""
    meant = names.nearest(parts)
    return f"is not a setting; `{meant}` is" if meant else "is not a setting"


def _message(item: Mapping[str, Any]) -> str:
    context = item.get("ctx", {})
    if item["type"] == "too_short" and isinstance(item["input"], str):
        return f"Value should have at least {context['min_length']} characters"
    if item["type"] == "union_tag_invalid":
        return f"{context['discriminator']} should be one of {context['expected_tags']}"
    message = str(item["msg"]).removeprefix("Value error, ")
    if item["type"] == "value_error":  # by a check of ours, which may name what it refuses
        for text in sorted(set(_texts(item["input"])), key=len, reverse=True):
            message = re.sub(rf"(?<!\w){re.escape(text)}(?!\w)", "...", message)
    return message


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, below in value.items():
            yield from _texts(key if not isinstance(key, str) or told((key,)) == "..." else None)
            yield from _texts(below)
    elif isinstance(value, list | tuple):
        for below in value:
            yield from _texts(below)
    elif value is not None and len(str(value)) >= _SHORTEST_SCRUBBED:
        yield str(value)


def _origin(parts: tuple[Part, ...], origins: Mapping[str, Origin]) -> Origin:
    """Where it was given, by itself, within a list, or as a member of a group."""
    name = ".".join(str(part) for part in parts)
    while name not in origins:
        members = [origin for full, origin in origins.items() if full.startswith(f"{name}.")]
        if members:
            return members[-1]
        name, _, _ = name.rpartition(".")
        if not name:
            return "default"
    return origins[name]
