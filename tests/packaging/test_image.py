"""The image's steps, run in Debian roots that debootstrap makes, as no Docker engine is needed
for that: every RUN and COPY of the target `embedded`, its command as process 1, its health check.

It takes root, to make device files, mount /proc and change the root folder; Debian's packages and
Python's, as scripts/test does; and about two minutes. What Docker itself does (layers, caches,
networks, volumes) is not seen here, and `full` differs in the names of its extras alone
(test_dockerfile.py), which are not installed here.
"""

from __future__ import annotations

import json
import re
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from inzwa_rtc import __version__
from tests.cli.command import ended, logged
from tests.support.dockerfile import lineage
from tests.support.image import Builder, Image, why_not

pytestmark = [
    pytest.mark.timeout(900),
    pytest.mark.skipif(why_not() is not None, reason=str(why_not())),
]


@pytest.fixture(scope="module")
def builder() -> Iterator[Builder]:
    folder = Path(tempfile.mkdtemp(prefix="inzwa-rtc-image-"))
    try:
        yield Builder(folder, "embedded")
    finally:
        shutil.rmtree(folder)


@pytest.fixture(scope="module")
def image(builder: Builder) -> Image:
    return builder.build()


@contextmanager
def started(image: Image, **variables: str) -> Iterator[subprocess.Popen[str]]:
    """The image's own command, as Docker runs it."""
    words = [*image.said["ENTRYPOINT"].words(), *image.said["CMD"].words()]
    process = subprocess.Popen(
        image.command(words, **variables),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    with ended(process):
        yield process


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def test_every_step_is_run(image: Image, builder: Builder) -> None:
    stages = [*lineage("embedded"), *lineage("build-embedded")]
    runs = {s.text for stage in stages for s in stage.steps if s.instruction == "RUN"}
    assert set(builder.ran) == runs
    told = image.run(["inzwa-rtc", "version"])
    assert told.stdout.startswith(f"inzwa-rtc {__version__} "), told.stderr


def test_nothing_that_compiles_or_was_only_needed_to_build_is_in_it(image: Image) -> None:
    files = image.files()
    compilers = re.compile(r".*/s?bin/(gcc|cc|g\+\+|c\+\+|clang|make|cmake|ld|as)(-[\d.]+)?$")
    assert not [file for file in files if compilers.match(file)]
    assert not [file for file in files if file.startswith(("/src/", "/root/.cache/"))]
    assert not [file for file in files if re.match(r"/var/lib/apt/lists/.*_Packages", file)]


def test_its_files_are_roots_and_its_user_may_only_write_at_home(image: Image) -> None:
    written = image.run(["sh", "-c", "touch /opt/inzwa-rtc/x /etc/inzwa-rtc/x /usr/x"])
    assert written.stderr.count("Permission denied") == 3
    assert image.run(["sh", "-c", "touch ~/x && rm ~/x && test ~ = $PWD"]).returncode == 0


def test_it_has_the_configuration_for_production_and_variables_win(image: Image) -> None:
    shown = image.run(["inzwa-rtc", "config", "show", "--json"], INZWA_PORT="9000")
    assert shown.returncode == 0, shown.stderr
    settings = json.loads(shown.stdout)["settings"]
    assert settings["environment"] == {"value": "production", "origin": "file"}
    assert settings["host"] == {"value": "0.0.0.0", "origin": "file"}
    assert settings["port"] == {"value": 9000, "origin": "environment"}
    home = image.run(["sh", "-c", "echo $HOME"]).stdout.strip()
    assert settings["models_dir"]["value"].startswith(f"{home}/")


def test_it_lets_nobody_in_before_a_key_is_made_and_says_how(image: Image) -> None:
    with started(image, INZWA_PORT=str(free_port())) as process:
        _, told = process.communicate(timeout=120)
    assert process.returncode == 2
    assert "inzwa-rtc keys create NAME" in told
    assert "access.open" in told


def test_with_a_key_it_serves_answers_its_health_check_and_ends_well(image: Image) -> None:
    made = image.run([*image.said["ENTRYPOINT"].words(), "keys", "create", "my-application"])
    assert made.returncode == 0, made.stderr
    port = str(free_port())
    check = image.said["HEALTHCHECK"].check()
    with started(image, INZWA_PORT=port) as process:
        logged(process, "server.ready")
        (server,) = psutil.Process(process.pid).children()
        assert server.uids().effective == int(image.user) > 0
        assert "serve" in server.cmdline(), "no shell stands between"
        assert image.run(check, INZWA_PORT=port).returncode == 0
        server.send_signal(signal.SIGTERM)
        logged(process, "server.stopped")
        assert process.wait(timeout=60) == 0
    assert image.run(check, INZWA_PORT=port).returncode != 0, "nobody answers any more"
