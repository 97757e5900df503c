"""Settings of what language models may have done. docs/tools.md has examples of all of them."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, field_validator, model_validator

from inzwa_rtc.settings.group import Group

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,40}", re.ASCII)
HANG_UP = "hang_up"
"""Ends the call, and is no tool's name."""

Line = Annotated[str, Field(max_length=200)]


def _is_web_address(value: str) -> str:
    try:
        parts = urlsplit(value)
        host = parts.hostname
        _ = parts.port
    except ValueError:
        raise ValueError("is not a web address") from None
    if parts.scheme not in ("http", "https") or not host:
        raise ValueError("must begin with http:// or https:// and a host")
    if "{" in parts.netloc or parts.username is not None:
        raise ValueError("must have neither a placeholder nor a password in its host")
    return value


WebAddress = Annotated[str, AfterValidator(_is_web_address)]


class ToolEntry(Group):
    """What all tools have: when they are offered, and how long they may take."""

    words: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    always: bool = False
    timeout_s: Annotated[float, Field(gt=0, le=120)] = 8.0
    filler: dict[str, Line] = Field(default_factory=dict)


class DescribedEntry(ToolEntry):
    """A tool that the operator describes to the model."""

    description: str | None = None
    changes: bool | None = None

    @model_validator(mode="after")
    def _is_offered_at_some_time(self) -> DescribedEntry:
        _check_offered(self)
        return self


class TimeEntry(ToolEntry):
    """The shipped clock."""

    source: Literal["time"]
    zone: str | None = None
    places: dict[str, str] = Field(default_factory=dict)


class Place(Group):
    """Where a place is, in degrees."""

    latitude: Annotated[float, Field(ge=-90, le=90)]
    longitude: Annotated[float, Field(ge=-180, le=180)]


class WeatherEntry(ToolEntry):
    """The shipped weather, from a service of the operator's choice."""

    source: Literal["weather"]
    url: WebAddress
    format: Literal["open-meteo", "generic"] = "open-meteo"
    places: Annotated[dict[str, Place], Field(min_length=1)]
    values: dict[str, str] = Field(default_factory=dict)
    headers: dict[str, SecretStr] = Field(default_factory=dict)

    @field_validator("values")
    @classmethod
    def _are_pointers(cls, value: dict[str, str]) -> dict[str, str]:
        return {name: _pointer(pointer) for name, pointer in value.items()}

    @model_validator(mode="after")
    def _has_values(self) -> WeatherEntry:
        if (self.format == "generic") != bool(self.values):
            raise ValueError("needs `values` with `format: generic`, and only with it")
        if unknown := set(placeholders(self.url)) - {"latitude", "longitude", "place"}:
            raise ValueError(
                f"has a placeholder {{{unknown.pop()}}} in `url` that nothing fills in"
            )
        return self


class FunctionEntry(DescribedEntry):
    """A Python function, as `module:function`."""

    source: Literal["python"]
    function: Annotated[str, Field(pattern=r"^[\w.]+:[\w.]+$")]


class HttpEntry(DescribedEntry):
    """An HTTP endpoint."""

    source: Literal["http"]
    description: Annotated[str, Field(min_length=1)]
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = "GET"
    url: WebAddress
    parameters: dict[str, Any] = Field(
        default_factory=lambda: {"type": "object", "properties": {}, "additionalProperties": False}
    )
    headers: dict[str, SecretStr] = Field(default_factory=dict)
    body: Literal["none", "json"] | dict[str, Any] = "none"
    result: str | None = None

    @field_validator("result")
    @classmethod
    def _is_pointer(cls, value: str | None) -> str | None:
        return None if value is None else _pointer(value)

    @model_validator(mode="after")
    def _fills_in_what_there_is(self) -> HttpEntry:
        known = set(self.parameters.get("properties") or {})
        if unknown := set(placeholders(self.url)) - known:
            raise ValueError(
                f"has a placeholder {{{unknown.pop()}}} in `url` that is none of its parameters"
            )
        if self.method == "GET" and self.body != "none":
            raise ValueError("must have no `body` with `method: GET`")
        return self


class McpEntry(ToolEntry):
    """All tools of a server of the Model Context Protocol, or those that `only` names."""

    source: Literal["mcp"]
    command: tuple[str, ...] = ()
    env: dict[str, SecretStr] = Field(default_factory=dict)
    url: WebAddress | None = None
    headers: dict[str, SecretStr] = Field(default_factory=dict)
    only: tuple[str, ...] = ()
    changes: bool | None = None
    connect_s: Annotated[float, Field(gt=0, le=60)] = 10.0

    @model_validator(mode="after")
    def _has_one_way(self) -> McpEntry:
        if bool(self.command) == (self.url is not None):
            raise ValueError("needs either `command` or `url`")
        if (self.env and not self.command) or (self.headers and self.url is None):
            raise ValueError("has `env` for a `command` only, and `headers` for a `url` only")
        _check_offered(self)
        return self


AnyToolEntry = Annotated[
    TimeEntry | WeatherEntry | FunctionEntry | HttpEntry | McpEntry,
    Field(discriminator="source"),
]


class ToolSettings(Group):
    """Which tools are offered to the language model, and when."""

    enabled: bool = True
    max_calls: Annotated[int, Field(ge=1, le=10)] = 3
    filler_after_s: Annotated[float, Field(ge=0, le=30)] = 0.8
    result_chars: Annotated[int, Field(ge=100, le=20_000)] = 2_000
    use: dict[str, AnyToolEntry] = Field(default_factory=dict)

    @field_validator("use")
    @classmethod
    def _are_names(cls, value: dict[str, ToolEntry]) -> dict[str, ToolEntry]:
        if not all(map(_NAME.fullmatch, value)):
            raise ValueError("must name tools by letters, digits, - and _, at most 41 of them")
        if HANG_UP in value:
            raise ValueError("must not name a tool hang_up: that ends the call")
        return value


def placeholders(template: str) -> list[str]:
    """What stands in braces."""
    return _PLACEHOLDER.findall(template)


def _pointer(value: str) -> str:
    if value and not value.startswith("/"):
        raise ValueError("must be a JSON pointer, such as /current/temperature")
    return value


def _check_offered(entry: ToolEntry) -> None:
    if not entry.always and not any(entry.words.values()):
        raise ValueError("needs `words` that have it offered, or `always: true`")
