"""HTTP endpoints as tools."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from yarl import URL

from inzwa_rtc.engines.contracts import ToolSpec
from inzwa_rtc.settings.tools import HttpEntry, placeholders
from inzwa_rtc.tools.gate import Gate
from inzwa_rtc.tools.schema import check_schema
from inzwa_rtc.tools.web import Web, as_text, picked

_WHOLE = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """`Tool` that asks an HTTP endpoint."""

    spec: ToolSpec
    gate: Gate
    filler: Mapping[str, str]
    timeout_s: float
    changes: bool
    entry: HttpEntry
    web: Web

    async def run(self, arguments: Mapping[str, Any]) -> str:
        """As in `Tool`. Arguments that the URL has no place for stand in the query of a request
        without a body, or are the body."""
        entry = self.entry
        named = set(placeholders(entry.url))
        url = filled_in(entry.url, arguments)
        rest = {name: value for name, value in arguments.items() if name not in named}
        body: Any = None
        if entry.body == "json":
            body = rest
        elif isinstance(entry.body, dict):
            body = _mapped(entry.body, arguments)
        else:
            url = url.extend_query({name: as_text(value) for name, value in rest.items()})
        headers = {name: value.get_secret_value() for name, value in entry.headers.items()}
        text = await self.web.fetch(entry.method, url, headers, body, timeout_s=entry.timeout_s)
        return text if entry.result is None else as_text(picked(text, entry.result))


def endpoint(name: str, entry: HttpEntry, web: Web, place: str) -> Endpoint:
    """The tool of these settings. Raises `ConfigError`."""
    check_schema(entry.parameters, f"{place}.parameters")
    gate = Gate(entry.words, always=entry.always)
    spec = ToolSpec(name, entry.description, entry.parameters)
    changes = entry.method != "GET" if entry.changes is None else entry.changes
    return Endpoint(spec, gate, entry.filler, entry.timeout_s, changes, entry, web)


def filled_in(template: str, values: Mapping[str, Any]) -> URL:
    """The URL with its placeholders filled in: a value stays within the part that it stands in,
    whatever it holds. One that is not given is empty."""

    def value(match: re.Match[str]) -> str:
        given = values.get(match[1])
        text = "" if given is None else as_text(given)
        quoted = quote(text, safe="")
        # `..` would be a step up, though there is nothing in it to be quoted.
        return quoted if text.strip(".") else quoted.replace(".", "%2E")

    return URL(_WHOLE.sub(value, template), encoded=True)


def _mapped(template: Any, values: Mapping[str, Any]) -> Any:
    """The body: where a placeholder is all of a text, the value takes its place as it is."""
    if isinstance(template, dict):
        return {name: _mapped(member, values) for name, member in template.items()}
    if isinstance(template, list):
        return [_mapped(member, values) for member in template]
    if not isinstance(template, str):
        return template
    if whole := _WHOLE.fullmatch(template):
        return values.get(whole[1])
    return _WHOLE.sub(lambda match: as_text(values.get(match[1], "")), template)
