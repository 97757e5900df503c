"""Arguments of a tool, checked against its JSON schema.

A schema may be a stranger's, who must neither hold up the calls nor have the server fetch
anything. So it is small, refers to nothing outside itself, and a check has its time: keywords
look at the clock, and patterns are tried by an engine that does. What looks for names by patterns
without either is refused.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from typing import Any

import regex
from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import SchemaError, ValidationError, best_match
from jsonschema.validators import extend
from referencing import Registry

from inzwa_rtc.errors import ConfigError
from inzwa_rtc.tools.tool import ToolFailed

MOST_CHARS = 8_192
"""Of arguments: nobody says more."""

MOST_SCHEMA_CHARS = 32_768
"""Of a schema: a model has to read it."""

MOST_DEPTH = 32
"""Of a schema, in objects and arrays within each other."""

CHECK_S = 0.05
"""For one check, which usually takes less than a thousandth of a second."""

_REFUSED = {
    *("$dynamicRef", "$recursiveRef"),
    *("patternProperties", "unevaluatedProperties", "unevaluatedItems"),
}

_until: ContextVar[float] = ContextVar("_until")
_Keyword = Callable[[Any, Any, Any, Any], Iterator[ValidationError] | None]


def check_schema(schema: Mapping[str, Any], place: str) -> None:
    """Raises `ConfigError` for a schema that is none, whose arguments are no object, or that
    cannot be checked safely. May take some hundredths of a second."""
    try:
        length = len(json.dumps(schema, default=str))
    except RecursionError:
        length = MOST_SCHEMA_CHARS + 1
    if length > MOST_SCHEMA_CHARS:
        raise ConfigError(
            f"`{place}` is larger than {MOST_SCHEMA_CHARS} characters.",
            action="Ask for fewer things at once.",
        )
    _check_parts(schema, place, MOST_DEPTH)
    try:
        Draft202012Validator.check_schema(schema, FormatChecker(formats=()))
    except SchemaError as error:
        where = ".".join([place, *map(str, error.absolute_path)])
        raise ConfigError(f"`{where}` is not a JSON schema: {error.message[:200]}.") from None
    if schema.get("type") != "object":
        raise ConfigError(
            f"`{place}` must be the schema of an object.",
            action="Write `type: object` and name the arguments under `properties`.",
        )


def check_arguments(schema: Mapping[str, Any], arguments: Mapping[str, Any]) -> None:
    """Raises `ToolFailed` that tells the model what is wrong with them."""
    if len(json.dumps(dict(arguments))) > MOST_CHARS:
        raise ToolFailed("The arguments are too long.")
    # Named, a dialect would be checked by its own checker in place of ours.
    own = {key: value for key, value in schema.items() if key != "$schema"}
    reset = _until.set(time.monotonic() + CHECK_S)
    try:
        checker = _Checker(own, registry=Registry())
        error = best_match(checker.iter_errors(dict(arguments)))
    except TimeoutError:
        raise ToolFailed("The arguments take too long to check.") from None
    finally:
        _until.reset(reset)
    if error is not None:
        where = ".".join(map(str, error.absolute_path))
        told = f"`{where}`: {error.message}" if where else error.message
        raise ToolFailed(f"The arguments are wrong: {told[:300]}")


def _check_parts(part: Any, place: str, depth: int) -> None:
    """All of it, names and values as well: a reference may lead to them."""
    if not depth:
        raise ConfigError(f"`{place}` is nested more than {MOST_DEPTH} times.")
    if isinstance(part, list):
        for one in part:
            _check_parts(one, place, depth - 1)
    if not isinstance(part, Mapping):
        return
    if refused := _REFUSED & set(part):
        raise ConfigError(
            f"`{place}` has `{min(refused)}`.",
            action="Write out what it may be, by `properties`, `items` and `$ref` within it.",
        )
    if depth < MOST_DEPTH and isinstance(part.get("$schema"), str):
        raise ConfigError(f"`{place}` has a `$schema` within it.", action="Leave it out.")
    match part.get("$ref"):
        case str(reference) if not reference.startswith("#"):
            raise ConfigError(f"`{place}` refers to a schema elsewhere.", action="Write it out.")
    match part.get("pattern"):
        case str(pattern):
            _check_pattern(pattern, place)
    for one in part.values():
        _check_parts(one, place, depth - 1)


def _check_pattern(pattern: str, place: str) -> None:
    try:
        regex.compile(pattern)
    except (regex.error, RecursionError, OverflowError):
        raise ConfigError(f"`{place}` has a `pattern` that is none.") from None


def _left_s() -> float:
    left_s = _until.get() - time.monotonic()
    if left_s <= 0:
        raise TimeoutError
    return left_s


def _timed(keyword: _Keyword) -> _Keyword:
    def check(
        validator: Any, value: Any, instance: Any, schema: Any
    ) -> Iterator[ValidationError] | None:
        _left_s()
        return keyword(validator, value, instance, schema)

    return check


def _pattern(validator: Any, pattern: str, instance: Any, schema: Any) -> Iterator[ValidationError]:
    is_text = validator.is_type(instance, "string")
    if is_text and not regex.search(pattern, instance, timeout=_left_s()):
        yield ValidationError(f"{instance!r} does not match {pattern!r}")


_Checker: Any = extend(  # type: ignore[no-untyped-call]
    Draft202012Validator,
    {
        **{name: _timed(keyword) for name, keyword in Draft202012Validator.VALIDATORS.items()},
        "pattern": _pattern,
    },
)
