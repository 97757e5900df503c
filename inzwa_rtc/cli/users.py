"""`inzwa-rtc users`: look at users, take voice from them, forget them."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from inzwa_rtc.cli.kept import print_table, with_store
from inzwa_rtc.cli.options import Configuration, as_json, configured
from inzwa_rtc.errors import ConfigError
from inzwa_rtc.users import User

if TYPE_CHECKING:
    from inzwa_rtc.store import Store


@click.group()
def users() -> None:
    """Users: list, show, disable, enable, delete."""


@users.command("list")
@configured
@as_json
def list_(configuration: Configuration, as_json: bool) -> None:
    """Print all users of whom something is kept."""
    rows = [_row(user) for user in with_store(configuration, _all)]
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    print_table(
        ("ID", "SINCE", "VOICE", "DISABLED"),
        [
            (
                row["id"],
                row["created_at"][:10],
                row["settings"]["voice_mode"],
                "yes" if row["is_disabled"] else "",
            )
            for row in rows
        ],
    )


@users.command()
@click.argument("user_id", metavar="ID")
@configured
@as_json
def show(user_id: str, configuration: Configuration, as_json: bool) -> None:
    """Print what is known of a user."""

    async def found(store: Store) -> tuple[User | None, User]:
        return await store.users.find(user_id), await store.users.get(user_id)

    known, user = with_store(configuration, found)
    _tell(user, as_json, is_known=known is not None)


@users.command()
@click.argument("user_id", metavar="ID")
@configured
@as_json
def disable(user_id: str, configuration: Configuration, as_json: bool) -> None:
    """Take voice from a user, whatever they have chosen."""
    user = with_store(configuration, lambda store: store.users.set_disabled(user_id, True))
    _tell(user, as_json)


@users.command()
@click.argument("user_id", metavar="ID")
@configured
@as_json
def enable(user_id: str, configuration: Configuration, as_json: bool) -> None:
    """Give voice back to a user; what they may do is what they have chosen."""

    async def enabled(store: Store) -> User:
        await _check_known(store, user_id)
        return await store.users.set_disabled(user_id, False)

    _tell(with_store(configuration, enabled), as_json)


@users.command()
@click.argument("user_id", metavar="ID")
@configured
def delete(user_id: str, configuration: Configuration) -> None:
    """Forget everything about a user, the keys that are bound to them included."""

    async def deleted(store: Store) -> None:
        await _check_known(store, user_id)
        await store.users.delete(user_id)

    with_store(configuration, deleted)
    click.echo("Nothing is kept of them any more.")


async def _check_known(store: Store, user_id: str) -> None:
    """A name that nobody has was most likely misspelt."""
    if await store.users.find(user_id) is None:
        raise ConfigError(
            "Nothing is kept of a user of this name.",
            action="`inzwa-rtc users list` lists all of whom something is.",
        )


async def _all(store: Store) -> list[User]:
    found = page = await store.users.listed()
    while page:
        page = await store.users.listed(after=page[-1].id)
        found += page
    return found


def _tell(user: User, as_json: bool, *, is_known: bool = True) -> None:
    row = _row(user, is_known=is_known)
    if as_json:
        click.echo(json.dumps(row, ensure_ascii=False, indent=2))
        return
    if not is_known:
        click.echo("Nothing is kept of them; these are the defaults.", err=True)
    told = {"id": row["id"], "is_disabled": row["is_disabled"], **row["settings"]}
    width = max(len(name) for name in told)
    for name, value in told.items():
        click.echo(f"{name:<{width}}  {json.dumps(value, ensure_ascii=False)}")


def _row(user: User, *, is_known: bool = True) -> dict[str, Any]:
    return {
        "id": user.id,
        "created_at": user.created_at.isoformat() if is_known else None,
        "is_disabled": user.is_disabled,
        "settings": asdict(user.settings),
    }
