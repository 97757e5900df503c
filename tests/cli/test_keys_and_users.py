"""`keys` and `users`, on the database of a server that may be running."""

from __future__ import annotations

import json
import os
import resource
import sqlite3
import subprocess
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from inzwa_rtc.store import opened
from tests.cli.command import COMMAND, environment, run


@pytest.fixture
def url(database_url: str) -> str:
    return database_url


def ran(folder: Path, url: str, *arguments: str) -> str:
    """What the command prints on standard output."""
    result = run(folder, *arguments, INZWA_DATABASE_URL=url)
    assert result.returncode == 0, result.stderr
    return result.stdout


def told(folder: Path, url: str, *arguments: str) -> Any:
    return json.loads(ran(folder, url, *arguments, "--json"))


async def test_a_key_that_is_made_works_in_a_running_server_until_it_is_revoked(
    tmp_path: Path, url: str
) -> None:
    async with opened(url) as running:
        secret = ran(tmp_path, url, "keys", "create", "application").strip()
        found = await running.keys.find(secret)
        assert found is not None
        assert (found.name, found.scopes, found.user) == ("application", frozenset(["call"]), None)
        assert secret not in ran(tmp_path, url, "keys", "list")
        assert found.id in ran(tmp_path, url, "keys", "revoke", found.id)
        running.keys.forget()  # which it does by itself every few seconds
        assert await running.keys.find(secret) is None
    [row] = told(tmp_path, url, "keys", "list")
    assert row["revoked_at"]


def test_a_key_is_made_for_what_it_may_do_for_whom_and_for_how_long(
    tmp_path: Path, url: str
) -> None:
    options = ("--scope", "call", "--scope", "admin", "--user", "rudo", "--expires", "90d")
    made = told(tmp_path, url, "keys", "create", "phone", *options)
    assert (made["name"], made["scopes"], made["user"]) == ("phone", ["admin", "call"], "rudo")
    in_90_days = datetime.now(UTC) + timedelta(days=90)
    assert abs(datetime.fromisoformat(made["expires_at"]) - in_90_days) < timedelta(minutes=5)
    secret = made.pop("secret")
    assert secret.startswith(f"inzwa_{made['id']}_")
    assert told(tmp_path, url, "keys", "list") == [made]
    line = ran(tmp_path, url, "keys", "list").splitlines()[1].split()
    assert line[:5] == [made["id"], "phone", "admin", "call", "rudo"]
    assert line[-3:] == ["works", "until", made["expires_at"][:10]]


async def test_users_are_listed_shown_disabled_enabled_and_deleted(
    tmp_path: Path, url: str
) -> None:
    async with opened(url) as running:
        await running.users.change("rudo", tts_speed=1.5)
        assert told(tmp_path, url, "users", "disable", "rudo")["is_disabled"]
        assert (await running.users.get("rudo")).is_disabled
        shown = told(tmp_path, url, "users", "show", "rudo")
        assert (shown["is_disabled"], shown["settings"]["tts_speed"]) == (True, 1.5)
        assert told(tmp_path, url, "users", "list") == [shown]
        assert not told(tmp_path, url, "users", "enable", "rudo")["is_disabled"]
        assert "rudo" in ran(tmp_path, url, "users", "list")
        ran(tmp_path, url, "users", "delete", "rudo")
        assert await running.users.find("rudo") is None
    unknown = told(tmp_path, url, "users", "show", "rudo")
    assert (unknown["created_at"], unknown["settings"]["tts_speed"]) == (None, 1.0)
    assert told(tmp_path, url, "users", "list") == []


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["keys", "revoke", "nosuchkey"], 2),
        (["keys", "create", "a", "--scope", "root"], 2),
        (["keys", "create", "a", "--expires", "soon"], 2),
        (["keys", "create", "a", "--expires", "9999d"], 2),
        (["users", "enable", "misspelt"], 2),
        (["users", "delete", "misspelt"], 2),
        (["keys", "create", ""], 1),
        (["users", "show", ""], 1),
    ],
)
def test_what_cannot_be_is_a_message(tmp_path: Path, arguments: list[str], code: int) -> None:
    result = run(tmp_path, *arguments, INZWA_DATA_DIR=str(tmp_path / "data"))
    assert result.returncode == code
    assert "Error:" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_database_that_is_made_on_the_way_is_no_news(tmp_path: Path) -> None:
    result = run(tmp_path, "keys", "create", "phone", INZWA_DATA_DIR=str(tmp_path))
    assert len(result.stderr.splitlines()) == 1, result.stderr  # which key it is


def test_without_a_url_the_database_is_a_file_in_the_data_folder(tmp_path: Path) -> None:
    result = run(tmp_path, "users", "disable", "rudo", INZWA_DATA_DIR="here")
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "here/inzwa.db").is_file()
    result = run(tmp_path, "users", "disable", "rudo", XDG_DATA_HOME=str(tmp_path / "home"))
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "home/inzwa-rtc/inzwa.db").is_file()


def test_the_command_line_names_the_database_as_it_does_for_the_server(tmp_path: Path) -> None:
    result = run(tmp_path, "keys", "create", "phone", "--set", "data_dir=here")
    assert result.returncode == 0, result.stderr
    result = run(
        tmp_path, "keys", "list", "--set", f"database_url=sqlite:///{Path('here/inzwa.db')}"
    )
    assert "phone" in result.stdout


@pytest.mark.parametrize(
    "url",
    ["mysql://root:canary@host/x", "canary", "sqlite://canary", "sqlite:///", "postgresql://"],
)
def test_a_url_of_no_known_kind_is_refused_and_not_repeated(tmp_path: Path, url: str) -> None:
    result = run(tmp_path, "users", "list", INZWA_DATABASE_URL=url)
    assert result.returncode == 2, result.stderr
    assert "`database_url`" in result.stderr
    assert "canary" not in result.stderr


@pytest.mark.parametrize("command", [["keys", "create", "phone"], ["serve", "--port", "0"]])
def test_a_misspelt_place_of_the_database_is_told_and_not_made(
    tmp_path: Path, command: list[str]
) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path}/srv/dta/inzwa.db"
    result = run(tmp_path, *command, "--set", f"database_url={url}")
    assert result.returncode == 2, result.stderr
    assert f"names {tmp_path}/srv/dta/inzwa.db, but there is no folder" in result.stderr
    assert "Traceback" not in result.stderr
    assert not list(tmp_path.iterdir())


def test_a_database_that_is_away_is_a_message_and_exit_code_1(tmp_path: Path) -> None:
    url = "postgresql://tests:canary@127.0.0.1:9/x"
    result = run(tmp_path, "users", "list", INZWA_DATABASE_URL=url)
    assert result.returncode == 1
    assert "cannot be used: ConnectionRefusedError" in result.stderr
    assert "docs/users.md" in result.stderr
    assert "the operator" not in result.stderr
    assert "canary" not in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("command", [["keys", "create", "phone"], ["users", "disable", "rudo"]])
def test_while_another_process_holds_the_database_that_is_told(
    tmp_path: Path, command: list[str]
) -> None:
    settings = {"INZWA_DATA_DIR": str(tmp_path)}
    assert run(tmp_path, "users", "disable", "rudo", **settings).returncode == 0
    with closing(sqlite3.connect(tmp_path / "inzwa.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        result = run(tmp_path, *command, **settings)
    assert (result.returncode, result.stdout) == (1, "")
    assert "Another process holds it. Try again; if it goes on, stop that process." in result.stderr
    assert "the operator" not in result.stderr
    assert "Traceback" not in result.stderr


def test_the_configuration_is_shown_without_the_credentials(tmp_path: Path) -> None:
    url = "postgresql://tests:canary@127.0.0.1:9/x"
    for more in ([], ["--json"]):
        assert "canary" not in ran(tmp_path, url, "config", "show", *more)


@pytest.mark.parametrize("kilobytes", [0, 4, 8])
def test_on_a_full_disk_nothing_is_half_written(tmp_path: Path, kilobytes: int) -> None:
    settings = {"INZWA_DATA_DIR": str(tmp_path)}
    for change in ("disable", "enable"):
        assert run(tmp_path, "users", change, "rudo", **settings).returncode == 0
    limit = 1024 * kilobytes  # of each file
    result = subprocess.run(
        [COMMAND, "users", "disable", "rudo"],
        env=environment(**settings),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 1, result.stderr
    assert "cannot be used: SQLITE_" in result.stderr
    shown = json.loads(run(tmp_path, "users", "show", "rudo", "--json", **settings).stdout)
    assert not shown["is_disabled"]


def test_a_file_that_may_only_be_read_is_a_message(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    settings = {"INZWA_DATA_DIR": str(folder)}
    assert run(tmp_path, "users", "disable", "rudo", **settings).returncode == 0
    (folder / "inzwa.db").chmod(0o400)
    folder.chmod(0o500)
    # Root may write everywhere, unless it gives that up.
    as_others = ("setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-all")
    try:
        result = subprocess.run(
            [*(as_others if os.geteuid() == 0 else ()), COMMAND, "users", "disable", "rudo"],
            env=environment(**settings),
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        folder.chmod(0o700)
    assert result.returncode == 1, result.stderr
    assert "cannot be used: SQLITE_" in result.stderr
    shown = json.loads(run(tmp_path, "users", "show", "rudo", "--json", **settings).stdout)
    assert shown["is_disabled"]
