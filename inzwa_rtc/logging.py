"""One stream of log lines, structlog's and the standard library's alike, on standard error.

People get readable lines, machines (`log_json`, as in production) one JSON object per line.
What is said in a call never reaches the log: code logs names, counts and codes, and here
exceptions lose their messages (which may quote input) and their local variables, so that
a line says where something failed, not on what.
"""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import Iterator
from typing import TextIO

import structlog
from structlog.typing import ExcInfo, Processor

from inzwa_rtc.errors import InzwaError

_QUIET = ("aiortc", "aioice", "aiohttp.access", "asyncio", "alembic")
"""Loggers that tell of every packet, request, callback or step below WARNING."""

_CONTENT_FREE = (InzwaError, ImportError, AttributeError, NameError, TypeError)
"""Exceptions whose messages name code, files or causes, never the values at hand."""

_processors: list[Processor] = []
"""One list for good: loggers keep the one that they were first used with."""


def configure(*, as_json: bool, stream: TextIO | None = None, only: str = "") -> None:
    """Send the log lines of this process to `stream` (None: standard error), replacing what
    was set before. `only` drops all but those of the loggers of that name and below it."""
    stream = stream or sys.stderr
    annotate: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    _processors[:] = [*annotate, structlog.stdlib.ProcessorFormatter.wrap_for_formatter]
    structlog.configure(
        processors=_processors,
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    render: Processor = (
        structlog.processors.JSONRenderer()
        if as_json
        else structlog.dev.ConsoleRenderer(colors=stream.isatty())
    )
    handler = logging.StreamHandler(stream)
    handler.addFilter(logging.Filter(only))
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*annotate, structlog.stdlib.add_logger_name],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.ExceptionRenderer(_traceback),
                render,
            ],
        )
    )
    logging.basicConfig(handlers=[handler], level=logging.INFO, force=True)
    logging.captureWarnings(True)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("asyncio").addFilter(_without_objects)
    logging.getLogger("aiohttp.server").addFilter(_without_clients)


def _without_objects(record: logging.LogRecord) -> bool:
    """Keep the first line of asyncio's reports; the others are reprs of tasks and errors."""
    record.msg = str(record.msg).partition("\n")[0]
    return True


def _without_clients(record: logging.LogRecord) -> bool:
    """Keep aiohttp's own faults, without the client's address; drop what is no HTTP: anybody may
    send that, as often as they like."""
    record.args = tuple("a client" for _ in record.args or ())
    error = record.exc_info[1] if record.exc_info else None
    return type(error).__module__ != "aiohttp.http_exceptions"  # engines need no aiohttp


def _traceback(exc_info: ExcInfo) -> str:
    return "\n".join(_lines(exc_info[1]))


def _lines(error: BaseException) -> Iterator[str]:
    """A traceback, oldest cause first, without the messages of exceptions that may quote input."""
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if cause is not None:
        yield from _lines(cause)
        yield "which led to:"
    for entry in traceback.format_tb(error.__traceback__):
        yield entry.rstrip("\n")
    kind = f"{type(error).__module__}.{type(error).__qualname__}".removeprefix("builtins.")
    yield f"{kind}{_message(error)}"
    if isinstance(error, BaseExceptionGroup):
        for member in error.exceptions:
            yield from (f"  | {line}" for line in _lines(member))


def _message(error: BaseException) -> str:
    if isinstance(error, OSError) and error.errno is not None:  # its files may be named by input
        return f": [Errno {error.errno}] {error.strerror}"
    return f": {error}" if isinstance(error, _CONTENT_FREE) else " (message withheld)"
