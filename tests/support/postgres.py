"""A PostgreSQL server of the tests' own, from the system's package."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import repeat
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event, Thread

import psutil

from tests.support.process import free_port

PASSWORD = "canary-password"

_PORTS = 5  # to be tried
_TAKEN = "Address already in use"


class Postgres:
    """A server in `folder`, on the loopback interface, that is to be started."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._data = folder / "data"
        self._port: int | None = None  # chosen when it first starts, and kept
        self._databases = 0
        self._process: subprocess.Popen[str] | None = None
        password = folder / "password"
        password.write_text(PASSWORD)
        password.chmod(0o644)
        places = ("-D", str(self._data), "-U", "tests", f"--pwfile={password}")
        _run("initdb", *places, "--no-sync", "--auth=scram-sha-256", "-E", "UTF8", "--no-locale")

    def url(self, database: str = "postgres", *, password: str = PASSWORD) -> str:
        """Of a database, whether there is one or not."""
        return f"postgresql://tests:{password}@127.0.0.1:{self._port}/{database}"

    def new_database(self) -> str:
        """The URL of a database with nothing in it."""
        self._databases += 1
        name = f"test_{self._databases}"
        self.sql(f"CREATE DATABASE {name}")
        return self.url(name)

    def emptied(self) -> str:
        """The URL of the same database each time, with nothing in it: quicker than a new one."""
        self.sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        return self.url()

    def sql(self, statement: str, url: str | None = None) -> str:
        """What `psql` prints."""
        return _run("psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-c", statement, url or self.url())

    def start(self) -> None:
        """Start it; returns when it can be asked. A port that somebody takes before it does is
        left to them, unless it was told to others by an earlier start."""
        ports = repeat(self._port, 1) if self._port else (free_port() for _ in range(_PORTS))
        for port in ports:
            if self._started(port):
                self._port = port
                return
            self._ended()
            if not any(_TAKEN in line for line in self._log):
                break
        raise AssertionError("".join(self._log))

    def _started(self, port: int) -> bool:
        settings = (
            *(f"port={port}", "listen_addresses=127.0.0.1"),
            *(f"unix_socket_directories={self._folder}", "fsync=off"),
        )
        self._process = subprocess.Popen(
            # Whatever becomes of the tests, it ends with them.
            [
                *("setpriv", "--pdeathsig", "QUIT", *_UNPRIVILEGED, "--", _binary("postgres")),
                *("-D", str(self._data)),
                *(part for setting in settings for part in ("-c", setting)),
            ],
            stderr=subprocess.PIPE,
            text=True,
            cwd="/",
        )
        ready = Event()
        self._log: list[str] = []
        self._is_ready = False
        self._reader = Thread(target=self._read, args=(self._process, ready))
        self._reader.start()
        return ready.wait(60) and self._is_ready

    def freeze(self) -> None:
        """It answers nothing more, and closes nothing."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """It goes on."""
        self._signal(signal.SIGCONT)

    def stop(self) -> None:
        """As by a crash; what was committed is there when it starts again."""
        if self._process is not None:
            self.thaw()
            self._ended()

    def _ended(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGQUIT)
        self._process.wait()
        self._reader.join()
        self._process = None

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        server = psutil.Process(self._process.pid)
        for process in (server, *server.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):  # one that served a client who has just left
                process.send_signal(number)

    def _read(self, process: subprocess.Popen[str], ready: Event) -> None:
        assert process.stderr is not None
        with process.stderr as lines:
            for line in lines:
                self._log.append(line)
                if "ready to accept connections" in line:
                    self._is_ready = True
                    ready.set()
        ready.set()  # it has ended


@contextmanager
def postgres() -> Iterator[Postgres]:
    """A server that runs for as long as the block does, unless a test stops it."""
    # Not pytest's own folder, into which PostgreSQL's user may not look.
    with TemporaryDirectory(dir="/tmp", ignore_cleanup_errors=True) as folder:
        if _UNPRIVILEGED:
            shutil.chown(folder, "postgres", "postgres")
        server = Postgres(Path(folder))
        try:
            server.start()
            yield server
        finally:
            server.stop()


# PostgreSQL refuses to run as root.
_UNPRIVILEGED = (
    ("--reuid=postgres", "--regid=postgres", "--init-groups") if os.geteuid() == 0 else ()
)


def _binary(name: str) -> str:
    """The newest one installed; Debian keeps them off the path."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    path = str(found[-1]) if found else shutil.which(name)
    assert path, f"{name} is missing: scripts/test installs the package postgresql"
    return path


def _run(name: str, *arguments: str) -> str:
    command = ["setpriv", *_UNPRIVILEGED, "--", _binary(name), *arguments]
    done = subprocess.run(
        command if _UNPRIVILEGED else command[2:],
        cwd="/",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()
