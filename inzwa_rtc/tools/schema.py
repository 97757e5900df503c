"""Arguments of a tool, checked against its JSON schema."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError, best_match

from inzwa_rtc.errors import ConfigError
from inzwa_rtc.tools.tool import ToolFailed

MOST_CHARS = 8_192
"""Of arguments: nobody says more, and patterns of a schema may take long to try on more."""


def check_schema(schema: Mapping[str, Any], place: str) -> None:
    """Raises `ConfigError` for a schema that is none, or whose arguments are no object.

    A schema that refers to others is refused: nothing is fetched to check arguments.
    """
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        where = ".".join([place, *map(str, error.absolute_path)])
        raise ConfigError(f"`{where}` is not a JSON schema: {error.message[:200]}.") from None
    if schema.get("type") != "object":
        raise ConfigError(
            f"`{place}` must be the schema of an object.",
            action="Write `type: object` and name the arguments under `properties`.",
        )
    if _refers_beyond(schema):
        raise ConfigError(f"`{place}` refers to a schema elsewhere.", action="Write it out.")


def check_arguments(schema: Mapping[str, Any], arguments: Mapping[str, Any]) -> None:
    """Raises `ToolFailed` that tells the model what is wrong with them."""
    if len(json.dumps(dict(arguments))) > MOST_CHARS:
        raise ToolFailed("The arguments are too long.")
    error = best_match(Draft202012Validator(schema).iter_errors(dict(arguments)))
    if error is not None:
        where = ".".join(map(str, error.absolute_path))
        told = f"`{where}`: {error.message}" if where else error.message
        raise ToolFailed(f"The arguments are wrong: {told[:300]}")


def _refers_beyond(schema: Any) -> bool:
    if isinstance(schema, Mapping):
        reference = schema.get("$ref")
        if isinstance(reference, str) and not reference.startswith("#"):
            return True
        return any(map(_refers_beyond, schema.values()))
    return isinstance(schema, list) and any(map(_refers_beyond, schema))
