"""`inzwa-rtc`: its commands, and the edge at which errors become messages and exit codes."""

from __future__ import annotations

import platform
from collections import UserDict
from importlib import import_module
from typing import IO, Any

import click

from inzwa_rtc import __version__
from inzwa_rtc.errors import (
    ConfigError,
    EngineTimeout,
    EngineUnavailable,
    InzwaError,
    ListenError,
    leaves,
)

_COMMANDS = {
    "bench": "inzwa_rtc.cli.bench",
    "config": "inzwa_rtc.cli.config",
    "doctor": "inzwa_rtc.cli.doctor.command",
    "engines": "inzwa_rtc.cli.engines",
    "keys": "inzwa_rtc.cli.keys",
    "models": "inzwa_rtc.cli.models",
    "safety": "inzwa_rtc.cli.safety",
    "say": "inzwa_rtc.cli.say",
    "serve": "inzwa_rtc.cli.serve",
    "users": "inzwa_rtc.cli.users",
    "voices": "inzwa_rtc.cli.voices",
}
"""The module of each command, which has its name there. One is imported when it is run, or all
for `--help`: together they take a second."""


class _Imported(UserDict[str, Any]):
    """Commands by name; instead of a command its module may stand there, until it is looked up.
    A mapping, since click looks for what a mistyped name may have meant among these names."""

    def __getitem__(self, name: str) -> click.Command:
        command = self.data[name]
        if isinstance(command, str):
            command = self.data[name] = getattr(import_module(command), name)
        assert isinstance(command, click.Command)
        return command


_EXIT_CODES = ((ConfigError, 2), (EngineUnavailable, 3), (EngineTimeout, 4), (ListenError, 4))
"""What a service manager can tell apart: 2 and 3 do not mend themselves, 4 may. Anything
else that is ours exits with 1."""


class Failure(click.ClickException):
    """Errors of ours, shown as what happened and what to do, without a traceback."""

    def __init__(self, errors: list[InzwaError]) -> None:
        super().__init__("\n".join(str(error) for error in errors))
        self._errors = errors

    @property
    def exit_code(self) -> int:  # type: ignore[override]  # click's is a class attribute
        codes = (
            code for kind, code in _EXIT_CODES for error in self._errors if isinstance(error, kind)
        )
        return next(codes, 1)

    def show(self, file: IO[Any] | None = None) -> None:
        for error in self._errors:
            click.secho(f"Error: {error.message}", fg="red", err=True)
            if error.action:
                click.echo(f"  {error.action}", err=True)


class _Edge(click.Group):
    """The group of all commands; the one place where their errors are caught."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except InzwaError as error:
            raise Failure([error]) from None
        except ExceptionGroup as group:
            ours, others = group.split(InzwaError)
            if ours is None or others is not None:
                raise
            raise Failure(leaves(ours)) from None


@click.group(
    cls=_Edge,
    commands=_Imported(_COMMANDS),
    context_settings={"help_option_names": ["-h", "--help"]},
)
def main() -> None:
    """Inzwa RTC: voice calls with an AI, on your own machine."""


@main.command()
def version() -> None:
    """Print the versions of Inzwa RTC and of Python."""
    click.echo(f"inzwa-rtc {__version__} (Python {platform.python_version()})")
