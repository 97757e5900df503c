"""How the guide asks a tool: the places and the like that it knows of, found in what was said."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from inzwa_rtc.engines.contracts import ToolSpec


def named(tool: ToolSpec, text: str) -> dict[str, str]:
    """The arguments whose values, of those that the tool allows, stand in a text."""
    found = {}
    for name, values in _choices(tool).items():
        said = (value for value in values if _as_words(value).search(text))
        if (value := next(said, None)) is not None:
            found[name] = value
    return found


def without(tool: ToolSpec, text: str) -> str:
    """The text without them, and without the "in" before them: "what is the weather in Harare"
    is what "what is the weather" is."""
    for values in _choices(tool).values():
        for value in values:
            text = _as_words(value).sub("", text)
    return text


def lacks(tool: ToolSpec, arguments: Mapping[str, Any]) -> bool:
    """Whether it cannot be asked with these arguments alone."""
    return not set(tool.parameters.get("required", ())) <= arguments.keys()


def _choices(tool: ToolSpec) -> dict[str, list[str]]:
    properties = tool.parameters.get("properties", {})
    return {
        name: [value for value in schema.get("enum", ()) if isinstance(value, str)]
        for name, schema in properties.items()
        if isinstance(schema, Mapping)
    }


def _as_words(value: str) -> re.Pattern[str]:
    return re.compile(rf"(?:\bin\s+)?(?<!\w){re.escape(value)}(?!\w)", re.IGNORECASE)
