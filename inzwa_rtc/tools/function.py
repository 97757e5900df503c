"""Python functions as tools.

Their arguments and their schema come from their signature, by pydantic. A coroutine function
runs on the loop and must not block it; any other runs in a thread.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

import structlog
from pydantic import PydanticUserError, TypeAdapter, ValidationError, validate_call

from inzwa_rtc.engines.contracts import ToolSpec
from inzwa_rtc.errors import ConfigError
from inzwa_rtc.tools.gate import Gate
from inzwa_rtc.tools.threads import Threads
from inzwa_rtc.tools.tool import GRACE_S, ToolFailed

THREADS = 8
"""Functions that may run at once. One that hangs keeps its thread after its time is over, as no
thread can be ended; with all of them gone, further calls time out, and calls go on."""

_threads = Threads(THREADS)

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Function:
    """`Tool` that calls a function."""

    spec: ToolSpec
    gate: Gate
    filler: Mapping[str, str]
    timeout_s: float
    changes: bool
    _call: Callable[..., Any] = field(repr=False)
    _is_async: bool

    async def run(self, arguments: Mapping[str, Any]) -> str:
        """As in `Tool`. Whatever it returns that is no text becomes JSON."""
        try:
            if self._is_async:
                result = await self._call(**arguments)
            else:
                result = await self._in_thread(arguments)
        except ValidationError as error:  # pydantic's message may quote more than it should
            places = [".".join(map(str, one["loc"])) for one in error.errors()]
            raise ToolFailed(f"The arguments are wrong: {', '.join(places)}.") from None
        return result if isinstance(result, str) else _json(result)

    async def _in_thread(self, arguments: Mapping[str, Any]) -> Any:
        running = _threads.submit(lambda: self._call(**arguments))
        try:
            return await asyncio.wrap_future(running)
        except asyncio.CancelledError:
            asyncio.get_running_loop().call_later(GRACE_S, self._tell_of, running)
            raise

    def _tell_of(self, left: Future[Any]) -> None:
        if not left.done():
            _log.warning("tool.does_not_end", tool=self.spec.name)


def function(
    name: str,
    path: str,
    description: str | None,
    *,
    gate: Gate,
    filler: Mapping[str, str],
    timeout_s: float,
    changes: bool,
    place: str,
) -> Function:
    """The tool that calls `module:function`. May block, as imports do. Raises `ConfigError`
    naming `place`."""
    found = _imported(path, place)
    told = description or inspect.getdoc(found)
    if not told:
        raise ConfigError(
            f"`{place}`: {path} says nothing of itself.",
            action="Give it a docstring, or set `description`: the model chooses by it.",
        )
    try:
        schema = TypeAdapter(found).json_schema()
        call = validate_call(found)
    except (PydanticUserError, TypeError, NameError) as error:
        raise ConfigError(
            f"`{place}`: the parameters of {path} cannot be described ({type(error).__name__}).",
            action="Annotate each of them with a type that JSON has.",
        ) from None
    if schema.get("type") != "object":
        raise ConfigError(
            f"`{place}`: {path} has parameters without names.",
            action="Let all of them be named ones.",
        )
    spec = ToolSpec(name, told, schema)
    return Function(
        spec, gate, filler, timeout_s, changes, call, inspect.iscoroutinefunction(found)
    )


def _json(value: Any) -> str:
    return TypeAdapter(Any).dump_json(value).decode()


def _imported(path: str, place: str) -> Any:
    module, _, name = path.partition(":")
    try:
        found: Any = import_module(module)
        for part in name.split("."):
            found = getattr(found, part)
    except Exception as error:  # an import may raise anything
        raise ConfigError(
            f"`{place}`: {path} cannot be imported ({type(error).__name__}).",
            action="Name it as module:function, of a package that is installed beside the server.",
        ) from error
    if not inspect.isroutine(found):
        raise ConfigError(f"`{place}`: {path} is not a function.")
    return found
