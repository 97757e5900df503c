"""A stranger's schema neither holds up the calls nor has anything fetched."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import pytest

from inzwa_rtc.errors import ConfigError
from inzwa_rtc.tools import schema as module
from inzwa_rtc.tools.schema import MOST_DEPTH, check_arguments, check_schema
from inzwa_rtc.tools.tool import ToolFailed

CATASTROPHE = "^(a|a)+$"  # with backtracking, each character doubles the time
LONG = f"{'a' * 200}!"


def taking(one: Any, **more: Any) -> dict[str, Any]:
    return {"type": "object", "properties": {"a": one}, **more}


@pytest.fixture
def asked() -> Iterator[tuple[str, list[str]]]:
    """The address of a schema, and what was asked for there."""
    paths: list[str] = []

    class Schemas(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            paths.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'{"type": "object"}')

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Schemas) as server:
        serving = Thread(target=server.serve_forever)
        serving.start()
        yield f"http://127.0.0.1:{server.server_port}/secret", paths
        server.shutdown()
        serving.join()


@pytest.mark.parametrize("keyword", ["$ref", "$dynamicRef", "$recursiveRef"])
@pytest.mark.parametrize("nest", [lambda it: it, taking, lambda it: taking(1, allOf=[it])])
def test_a_schema_elsewhere_is_refused(keyword: str, nest: Any) -> None:
    with pytest.raises(ConfigError, match="parameters"):
        check_schema({"type": "object", **nest({keyword: "http://127.0.0.1:1/"})}, "parameters")


@pytest.mark.parametrize("keyword", ["$ref", "$dynamicRef"])
def test_nothing_is_fetched(asked: tuple[str, list[str]], keyword: str) -> None:
    """Also where a schema was never checked by itself, as those of Python functions."""
    url, paths = asked
    with pytest.raises(Exception, match=r"Unresolvable|secret"):
        check_arguments(taking({keyword: url}), {"a": 1})
    assert paths == []


@pytest.mark.parametrize(
    "hidden",
    [
        lambda schema: schema,
        lambda schema: {"$schema": "http://json-schema.org/draft-07/schema#", **schema},
        lambda schema: {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema},
    ],
    ids=["plain", "draft 7", "2020-12"],
)
def test_a_pattern_that_takes_for_ever_is_given_up(hidden: Any) -> None:
    schema = hidden(
        taking({"$ref": "#/$defs/mail"}, **{"$defs": {"mail": {"pattern": CATASTROPHE}}})
    )
    check_schema(schema, "parameters")
    check_arguments(schema, {"a": "aa"})
    with pytest.raises(ToolFailed, match="too long to check"):
        check_arguments(schema, {"a": LONG})


def test_a_pattern_is_no_other_dialect_s_within() -> None:
    mail = {"$schema": "http://json-schema.org/draft-07/schema#", "pattern": CATASTROPHE}
    with pytest.raises(ConfigError, match=r"\$schema"):
        check_schema(taking(mail), "parameters")


@pytest.mark.parametrize("keyword", ["patternProperties", "unevaluatedProperties"])
def test_names_are_not_looked_for_by_patterns(keyword: str) -> None:
    with pytest.raises(ConfigError, match=keyword):
        check_schema(taking({keyword: {CATASTROPHE: {}}}), "parameters")


def test_a_schema_that_doubles_at_each_step_is_given_up() -> None:
    steps = 40
    definitions = {str(n): {"allOf": [{"$ref": f"#/$defs/{n + 1}"}] * 2} for n in range(steps)}
    schema = taking({"$ref": "#/$defs/0"}, **{"$defs": {**definitions, str(steps): {}}})
    check_schema(schema, "parameters")
    with pytest.raises(ToolFailed, match="too long to check"):
        check_arguments(schema, {"a": 1})


def test_a_large_or_deep_schema_is_refused() -> None:
    with pytest.raises(ConfigError, match="larger"):
        check_schema(taking({"description": "x" * module.MOST_SCHEMA_CHARS}), "parameters")
    for depth in (MOST_DEPTH, 100_000):
        deep: Any = {}
        for _ in range(depth):
            deep = {"not": deep}
        with pytest.raises(ConfigError, match=r"larger|nested"):
            check_schema(taking(deep), "parameters")


def test_what_is_no_pattern_is_refused() -> None:
    with pytest.raises(ConfigError, match="pattern"):
        check_schema(taking({"pattern": "("}), "parameters")


def test_patterns_still_count_and_names_may_be_those_of_keywords() -> None:
    schema = taking({"type": "string", "pattern": r"^\p{Lu}"}, additionalProperties=False)
    schema["properties"]["pattern"] = {"type": "integer"}
    schema["properties"]["$ref"] = {"type": "integer"}
    check_schema(schema, "parameters")
    check_arguments(schema, {"a": "Éva", "pattern": 1, "$ref": 2})
    with pytest.raises(ToolFailed, match="does not match"):
        check_arguments(schema, {"a": "éva"})
    with pytest.raises(ToolFailed, match="unexpected"):
        check_arguments(schema, {"b": 1})
