"""What `doctor` finds of the database, and that it leaves it as it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from alembic import command

from inzwa_rtc.cli.doctor import kept
from inzwa_rtc.cli.doctor.command import run
from inzwa_rtc.settings import Settings
from inzwa_rtc.store.address import backend
from inzwa_rtc.store.migrating import configuration, migrate


def finding(**settings: Any) -> tuple[str, str]:
    [found] = run(kept.database, Settings(**settings))
    assert "canary" not in f"{found.what} {found.action}"
    return found.status, found.what


def test_it_tells_whether_the_database_is_there_and_of_this_version(database_url: str) -> None:
    place = backend(database_url)
    is_file = database_url.startswith("sqlite")
    status, what = finding(database_url=database_url)
    assert status == "ok"
    assert ("not there yet" if is_file else "older version") in what  # PostgreSQL's is empty
    assert (place.identity() is None) == is_file  # nothing was made
    place.make()
    place.upgrade(lambda connection: command.upgrade(configuration(connection), "0001"))
    for _ in range(2):
        assert "older version" in finding(database_url=database_url)[1]
    migrate(place)
    assert "can be used" in finding(database_url=database_url)[1]


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("postgresql://tests:canary@127.0.0.1:9/x", "ConnectionRefusedError"),
        ("postgresql://tests:canary@[::1/x", "no address"),
    ],
)
def test_one_that_cannot_be_used_is_a_problem(url: str, reason: str) -> None:
    status, what = finding(database_url=url)
    assert status == "problem"
    assert reason in what


def test_a_folder_that_may_be_misspelt_is_a_problem(tmp_path: Path) -> None:
    status, what = finding(database_url=f"sqlite:///{tmp_path}/dta/inzwa.db")
    assert (status, what.endswith(f"there is no folder {tmp_path}/dta.")) == ("problem", True)
    assert finding(data_dir=tmp_path / "data")[0] == "ok"
    assert not list(tmp_path.iterdir())


def test_a_file_that_is_no_database_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "inzwa.db").write_bytes(b"no database" * 1000)
    assert finding(data_dir=tmp_path) == (
        "problem",
        "The database of users and keys cannot be used: SQLITE_NOTADB.",
    )
