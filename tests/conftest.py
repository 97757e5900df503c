"""Has the asserts of the shared suites explained as those of test files are; times no example."""

import signal
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import hypothesis
import pytest
import structlog
from aiohttp import web_app

from tests.support.postgres import Postgres, postgres

for name in ("asr", "llm", "tts", "isolation"):
    pytest.register_assert_rewrite(f"tests.engines.contract.{name}")

# Tests never time things: how long an example takes is the machine's affair.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")

# What nobody has configured shows every local variable of a traceback, which takes half a second.
structlog.configure(
    processors=[
        structlog.stdlib.add_log_level,
        structlog.dev.ConsoleRenderer(
            colors=False, exception_formatter=structlog.dev.plain_traceback
        ),
    ]
)

if signal.getsignal(signal.SIGHUP) == signal.SIG_IGN:
    # Whoever runs the tests ignores it (`nohup`), and so would all that they start; a server that
    # is to outlive its terminal does other things at it.
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.fixture(scope="session", autouse=True)
def _data_of_nobody() -> Iterator[None]:
    """What commands keep among the user's data, the database of users first of all, they keep
    in a folder that goes with the tests."""
    with TemporaryDirectory() as path, pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_DATA_HOME", path)
        yield


@pytest.fixture(autouse=True)
def _servers_are_let_go() -> Iterator[None]:
    """aiohttp remembers the last thousand applications that it answered for, and with each a
    whole server: every collection of garbage would look through them all."""
    yield
    web_app._cached_build_middleware.cache_clear()


@pytest.fixture
def short_path() -> Iterator[Path]:
    """A folder in which there is room for the path of a socket: pytest's own may be long."""
    with TemporaryDirectory(dir="/tmp") as path:
        yield Path(path)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Postgres]:
    """One PostgreSQL for all tests of a process; none of them stops it."""
    with postgres() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'inzwa.db'}"
    server: Postgres = request.getfixturevalue("postgres_server")
    return server.emptied()
