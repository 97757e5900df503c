"""`inzwa-rtc models`, run as a user does."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from aiohttp import web as http
from click.testing import CliRunner, Result

from inzwa_rtc.catalogue.entries import read, shipped
from inzwa_rtc.catalogue.store import Store
from inzwa_rtc.cli import main as edge
from inzwa_rtc.cli.models_shown import bar
from inzwa_rtc.engines import registry
from inzwa_rtc.installation import pip_install
from tests.catalogue.hub import FakeHub, Repository
from tests.catalogue.models import GGUF
from tests.catalogue.serving import FileServer, sha256
from tests.cli.command import run, started

COMMIT = "c" * 40
Models = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def models(tmp_path: Path, hub: FakeHub) -> Models:
    """The command, with models in a folder of the test's and the hub on this machine."""

    def command(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
        return run(tmp_path, "models", *arguments, **surroundings(tmp_path, hub), **settings)

    return command


def surroundings(folder: Path, hub: FileServer) -> dict[str, str]:
    return {"XDG_DATA_HOME": str(folder / "data"), "HF_ENDPOINT": hub.url, "HOME": str(folder)}


def stored(folder: Path) -> Path:
    return folder / "data" / "inzwa-rtc" / "models"


MMS = "hf://facebook/mms-tts-sna"


def mms(hub: FakeHub) -> None:
    """The Shona voice of the catalogue: not for commercial use, and without known hashes."""
    files = {file.path: f"{file.path}\n".encode() for file in shipped().models["mms-sna"].files}
    large = ("model.safetensors",)
    hub.add("facebook/mms-tts-sna", Repository(COMMIT, files, large, licence="cc-by-nc-4.0"))


def in_process(store: Store, *arguments: str) -> Result:
    command, *rest = arguments
    return CliRunner().invoke(
        edge.main, ["models", command, "--models-dir", str(store.folder), *rest]
    )


def test_list_shows_what_there_is_and_what_is_here(models: Models, tmp_path: Path) -> None:
    shown = models("list")
    assert shown.returncode == 0, shown.stderr
    assert f"Models lie in {stored(tmp_path)}" in shown.stdout
    base = next(line for line in shown.stdout.splitlines() if line.startswith("whisper-base"))
    assert base.split() == ["whisper-base", "asr", "faster-whisper", "147", "MB", "many", "MIT"]
    assert "CC-BY-NC-4.0 (non-commercial)" in shown.stdout
    assert "starter-sn" in shown.stdout
    table = json.loads(models("list", "--json").stdout)
    assert {row["name"] for row in table["models"]} == set(shipped().models)
    assert {row["state"] for row in table["models"]} == {"absent"}


def test_a_model_is_pulled_listed_verified_and_removed(
    models: Models, hub: FakeHub, tmp_path: Path
) -> None:
    hub.add("org/Tiny-GGUF", Repository(COMMIT, {"model.gguf": GGUF}, large=("model.gguf",)))
    pulled = models("pull", "hf://org/Tiny-GGUF", "--yes")
    assert pulled.returncode == 0, pulled.stderr
    assert "tiny-gguf: 16 kB, licence: mit, from hf://org/Tiny-GGUF" in pulled.stdout
    assert "tiny-gguf is here and intact." in pulled.stdout
    assert "tiny-gguf is already here." in models("pull", "hf://org/Tiny-GGUF").stdout
    rows = json.loads(models("list", "--json").stdout)["models"]
    assert ("tiny-gguf", "present") in [(row["name"], row["state"]) for row in rows]
    assert models("verify").stdout == "intact  tiny-gguf\n"

    file = stored(tmp_path) / "tiny-gguf" / "model.gguf"
    file.write_bytes(GGUF[:-1] + b"!")
    verified = models("verify", "tiny-gguf")
    assert verified.returncode == 1
    assert "PROBLEM tiny-gguf" in verified.stdout
    assert "was changed since it was pulled" in verified.stdout

    again = models("pull", "hf://org/Tiny-GGUF", "--yes")
    assert again.returncode == 0, again.stderr
    assert "It is fetched again." in again.stderr
    assert file.read_bytes() == GGUF
    assert models("remove", "tiny-gguf").stdout == "tiny-gguf is removed.\n"
    assert not file.exists()
    assert models("remove", "tiny-gguf").stdout == "tiny-gguf was not here.\n"


def test_models_of_engines_that_are_not_there_are_marked_and_not_pulled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        registry, "known", lambda kind: {"asr": ("faster-whisper", "whisper.cpp")}.get(kind, ())
    )
    store = Store(tmp_path / "models")
    shown = in_process(store, "list").stdout
    marked = [line.split()[0] for line in shown.splitlines() if "(missing)  " in line]
    other = [name for name, model in shipped().models.items() if model.kind != "asr"]
    assert marked == other
    assert "kokoro" in other
    assert "(missing): no part" in shown
    refused = in_process(store, "pull", "kokoro", "--yes")
    assert refused.exit_code == 2
    assert "the tts engine `kokoro`" in refused.stderr
    assert not store.folder.exists()


def test_a_non_commercial_licence_has_to_be_agreed_to(models: Models, hub: FakeHub) -> None:
    mms(hub)
    refused = models("pull", MMS, "--yes")
    assert refused.returncode == 2
    assert "cc-by-nc-4.0 (non-commercial)" in refused.stdout
    assert "--accept-licence" in refused.stderr
    assert not [asked for asked in hub.asked if "resolve" in asked.path]
    agreed = models("pull", MMS, "--yes", "--accept-licence")
    assert agreed.returncode == 0, agreed.stderr
    assert "trusted, and every later download has to be the same" in agreed.stdout
    assert "model.safetensors" not in agreed.stdout.partition("hash of ")[2]


def test_nothing_is_downloaded_unasked_where_nobody_can_answer(
    models: Models, hub: FakeHub
) -> None:
    hub.add("org/tiny", Repository(COMMIT, {"model.gguf": GGUF}))
    refused = models("pull", "hf://org/tiny")
    assert refused.returncode == 2
    assert "--yes" in refused.stderr
    assert not [asked for asked in hub.asked if "resolve" in asked.path]


@pytest.mark.parametrize(("answers", "code"), [(b"y\ny\n", 0), (b"n\n", 1), (b"y\nn\n", 1)])
def test_a_person_is_asked_about_licence_and_size(
    hub: FakeHub, tmp_path: Path, answers: bytes, code: int
) -> None:
    mms(hub)
    person, terminal = pty.openpty()
    settings = surroundings(tmp_path, hub)
    with started(tmp_path, "models", "pull", MMS, stdin=terminal, settings=settings) as process:
        os.close(terminal)
        os.write(person, answers)
        shown, _ = process.communicate(timeout=60)
        os.close(person)
    assert process.returncode == code, shown
    assert "no commercial use. Agree? [y/N]" in shown
    assert (stored(tmp_path) / "mms-tts-sna").exists() is (code == 0)


def test_a_hub_that_offers_other_files_than_the_catalogue_is_refused(
    models: Models, hub: FakeHub
) -> None:
    model = shipped().models["whisper-cpp-base"]
    (file,) = model.files
    revision = model.source.rpartition("@")[2]
    evil = Repository(revision, {file.path: GGUF}, large=(file.path,))
    evil.lies[file.path] = sha256(GGUF)
    hub.add("ggerganov/whisper.cpp", evil)
    refused = models("pull", "whisper-cpp-base", "--yes")
    assert refused.returncode == 3
    assert "is not the file that it has to be" in refused.stderr
    assert not [asked for asked in hub.asked if "resolve" in asked.path]


def test_a_pull_goes_on_where_ctrl_c_stopped_it(
    web: FileServer, models: Models, hub: FakeHub, tmp_path: Path
) -> None:
    content = GGUF * 60  # about a megabyte: more than what lies in buffers

    async def stalls(request: http.Request) -> http.StreamResponse:
        response = http.StreamResponse(headers={"ETag": '"1"', "Content-Length": str(len(content))})
        await response.prepare(request)
        await response.write(content[:600_000])
        await asyncio.sleep(3600)
        return response

    web.handlers["/model.gguf"] = stalls
    settings, address = surroundings(tmp_path, hub), f"{web.url}/model.gguf"
    with started(tmp_path, "models", "pull", address, "--yes", settings=settings) as process:
        while process.poll() is None and not any(
            part.stat().st_size for part in stored(tmp_path).rglob("*.part")
        ):
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        told, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "The same command goes on from here." in told
    assert "Traceback" not in told

    state = json.loads(models("list", "--json").stdout)
    assert "model" not in [row["name"] for row in state["models"]]
    del web.handlers["/model.gguf"]
    web.put("/model.gguf", content)
    done = models("pull", f"{web.url}/model.gguf", "--yes")
    assert done.returncode == 0, done.stderr
    assert web.asked[-1].headers["If-Range"] == '"1"'
    assert (stored(tmp_path) / "model" / "model.gguf").read_bytes() == content


def test_a_hash_given_with_an_address_is_checked(
    web: FileServer, models: Models, tmp_path: Path
) -> None:
    web.put("/model.gguf", GGUF)
    address = f"{web.url}/model.gguf"
    wrong = models("pull", address, "--yes", "--name", "mine", "--sha256", "0" * 64)
    assert wrong.returncode == 3
    assert sha256(GGUF) in wrong.stderr
    right = models("pull", address, "--yes", "--name", "mine", "--sha256", sha256(GGUF).upper())
    assert right.returncode == 0, right.stderr
    assert "Nobody told the hash" not in right.stdout
    assert (stored(tmp_path) / "mine" / "model.gguf").exists()


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["pull", "whisper-bse"], "Is `whisper-base` meant?"),
        (["pull", "gopher://x/y"], "cannot be pulled"),
        (["pull", "hf://org/whisper-base"], "another model named `whisper-base`"),
        (["pull", "hf://org/x", "--name", "../x"], "names no model"),
        (["pull", "hf://org/x", "hf://org/y", "--name", "z"], "one model"),
        (["pull", "hf://org/x/y.gguf", "--sha256", "12"], "cannot be pulled"),
        (["verify", "../x"], "names no model"),
        (["remove", "/etc"], "names no model"),
    ],
)
def test_what_is_wrong_is_said_and_exits_with_2(
    store: Store, arguments: list[str], what: str
) -> None:
    result = in_process(store, *arguments)
    assert result.exit_code == 2, result.output
    assert what in result.stderr


def test_a_starter_set_says_how_to_go_on(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "model.gguf").write_bytes(GGUF)
    source = (tmp_path / "model.gguf").as_uri()
    tables = [
        f'[models.{name}]\nkind = "llm"\nengine = "llama-cpp"\nlanguages = ["en"]\nmemory_mb = 1\n'
        f'summary = "A model"\nsource = "{source}"\nlicence = "MIT"\n'
        for name in ("one", "two")
    ]
    tables.append(
        '[sets.starter-xx]\nsummary = "S"\nnote = "Mind this."\nmodels = ["one", "two"]\n'
        'extras = ["llama"]\nsettings = {asr_model = "one", llm_model = "two"}'
    )
    catalogue = read("".join(tables))
    monkeypatch.setattr("inzwa_rtc.cli.models.shipped", lambda: catalogue)
    result = in_process(store, "pull", "starter-xx", "two", "--yes")
    assert result.exit_code == 0, result.output
    assert store.names() == ["one", "two"]
    assert "Mind this." in result.stdout
    assert pip_install("inzwa-rtc[llama]") in result.stdout
    assert "inzwa-rtc serve --profile starter-xx" in result.stdout
    assert in_process(store, "verify", "starter-xx").exit_code == 0
    assert in_process(store, "remove", "starter-xx").exit_code == 0
    assert store.names() == []


@pytest.mark.parametrize(
    ("module", "address", "extra"),
    [("huggingface_hub", "hf://org/model", "hub"), ("mlflow", "mlflow://models/m/1", "mlflow")],
)
def test_a_missing_client_names_its_extra(
    store: Store, monkeypatch: pytest.MonkeyPatch, module: str, address: str, extra: str
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:1")
    result = in_process(store, "pull", address)
    assert result.exit_code == 3
    assert pip_install(f"inzwa-rtc[{extra}]") in result.stderr


def test_progress_copes_with_sizes_that_nobody_told(capsys: pytest.CaptureFixture[str]) -> None:
    with bar("model.gguf") as progress:
        for done, total in ((0, None), (5, None), (10, 20), (20, 20), (3, 20)):
            progress(done, total)
    assert "model.gguf" in capsys.readouterr().err


def test_a_model_that_is_not_here_is_a_problem_to_verify(models: Models) -> None:
    result = models("verify", "whisper-base")
    assert result.returncode == 1
    assert "inzwa-rtc models pull whisper-base" in result.stdout


def test_models_may_lie_elsewhere(models: Models, tmp_path: Path) -> None:
    (tmp_path / "my.gguf").write_bytes(GGUF)
    source = (tmp_path / "my.gguf").as_uri()
    pulled = models("pull", source, "--yes", "--models-dir", "here")
    assert pulled.returncode == 0, pulled.stderr
    assert (tmp_path / "here" / "my" / "my.gguf").exists()
    assert models("verify", "my", "--models-dir", "here").returncode == 0
