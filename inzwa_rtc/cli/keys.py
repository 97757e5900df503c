"""`inzwa-rtc keys`: make, list and revoke API keys."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from inzwa_rtc.cli.kept import print_table, with_store
from inzwa_rtc.cli.options import Configuration, as_json, configured
from inzwa_rtc.errors import ConfigError

if TYPE_CHECKING:
    from inzwa_rtc.store import ApiKey

_UNITS = {"d": "days", "h": "hours", "m": "minutes"}
_LONGEST = timedelta(days=3650)


class _Duration(click.ParamType[timedelta]):
    """Such as 90d, 12h or 30m."""

    name = "duration"

    def convert(self, value: Any, param: Any, ctx: Any) -> timedelta:
        """The time that the text names."""
        if isinstance(value, timedelta):
            return value
        match = re.fullmatch(r"([1-9]\d{0,6})([dhm])", value, re.ASCII)
        duration = timedelta(**{_UNITS[match[2]]: int(match[1])}) if match else None
        if duration is None or duration > _LONGEST:
            self.fail("give days, hours or minutes, such as 90d, 12h or 30m; 3650d at most")
        return duration


@click.group()
def keys() -> None:
    """API keys: create, list, revoke."""


@keys.command()
@click.argument("name")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    type=click.Choice(["call", "admin"]),
    default=["call"],
    show_default=True,
    help="What its holder may do; give it twice for both.",
)
@click.option("--user", metavar="ID", help="The only user in whose name it may be used.")
@click.option("--expires", type=_Duration(), metavar="90d", help="When it works no more.")
@configured
@as_json
def create(
    name: str,
    scopes: tuple[str, ...],
    user: str | None,
    expires: timedelta | None,
    configuration: Configuration,
    as_json: bool,
) -> None:
    """Make a key for NAME, such as the application that uses it.

    The key is printed on standard output, this once: only its hash is kept.
    """
    until = None if expires is None else datetime.now(UTC) + expires
    key, secret = with_store(
        configuration, lambda store: store.keys.create(name, scopes, user, until)
    )
    if as_json:
        click.echo(json.dumps({**_row(key), "secret": secret}, ensure_ascii=False, indent=2))
        return
    click.echo(f"The key {key.id}; nobody can be told it again:", err=True)
    click.echo(secret)


@keys.command("list")
@configured
@as_json
def list_(configuration: Configuration, as_json: bool) -> None:
    """Print all keys, without their secrets."""
    rows = [_row(key) for key in with_store(configuration, lambda store: store.keys.listed())]
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    print_table(
        ("ID", "NAME", "SCOPES", "USER", "CREATED", "STATE"),
        [
            (
                row["id"],
                row["name"],
                " ".join(row["scopes"]),
                row["user"] or "",
                row["created_at"][:10],
                _state(row),
            )
            for row in rows
        ],
    )


@keys.command()
@click.argument("key_id", metavar="ID")
@configured
@as_json
def revoke(key_id: str, configuration: Configuration, as_json: bool) -> None:
    """Let a key work no more; a running server knows within seconds."""
    key = with_store(configuration, lambda store: store.keys.revoke(key_id))
    if key is None:
        raise ConfigError(
            "There is no key of this id.", action="`inzwa-rtc keys list` lists all that there are."
        )
    if as_json:
        click.echo(json.dumps(_row(key), ensure_ascii=False, indent=2))
    else:
        click.echo(f"The key {key.id} ({key.name}) works no more.")


def _row(key: ApiKey) -> dict[str, Any]:
    return {
        "id": key.id,
        "name": key.name,
        "scopes": sorted(key.scopes),
        "user": key.user,
        "created_at": key.created_at.isoformat(),
        "expires_at": key.expires_at and key.expires_at.isoformat(),
        "revoked_at": key.revoked_at and key.revoked_at.isoformat(),
    }


def _state(row: dict[str, Any]) -> str:
    if row["revoked_at"]:
        return f"revoked {row['revoked_at'][:10]}"
    if row["expires_at"] is None:
        return "works"
    expired = datetime.fromisoformat(row["expires_at"]) <= datetime.now(UTC)
    return f"{'expired' if expired else 'works until'} {row['expires_at'][:10]}"
