"""`doctor` on the machine, its models, and every engine of a chain."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from inzwa_rtc.catalogue import entries, resolve
from inzwa_rtc.catalogue.entries import Entry, File, Model
from inzwa_rtc.catalogue.manifest import Kept, Manifest, Pins
from inzwa_rtc.catalogue.store import Store
from inzwa_rtc.cli.doctor import engines, hardware, models
from inzwa_rtc.cli.doctor.finding import Finding
from inzwa_rtc.settings import Settings, TimeoutSettings
from models.tiny import gguf_llama, whisper_ct2
from tests.support.left_running import left_running


def by_name(findings: Sequence[Finding]) -> dict[str, Finding]:
    return {finding.name: finding for finding in findings}


def test_less_than_two_processors_are_warned_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hardware, "affinity", lambda: frozenset(range(8)))
    monkeypatch.setattr(hardware, "usable_processors", lambda: 1.5)
    found = hardware.processors(Settings())
    assert (found.status, found.what) == ("warning", "1.5 usable of 8, by a quota")
    monkeypatch.setattr(hardware, "usable_processors", lambda: 8.0)
    assert hardware.processors(Settings()) == Finding("processors", "ok", "8 usable")


def test_models_that_find_no_room_are_warned_of(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(asr_engine="faster-whisper", asr_model="whisper-small")
    needed = hardware.needed_memory(settings)
    assert needed > hardware.needed_memory(Settings()) + 500_000_000
    monkeypatch.setattr(hardware, "memory_left", lambda: needed)
    assert hardware.memory(settings).status == "ok"
    monkeypatch.setattr(hardware, "memory_left", lambda: needed - 1)
    found = hardware.memory(settings)
    assert (found.status, "models list" in found.action) == ("warning", True)


def nvidia_smi(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    tool = folder / "nvidia-smi"
    tool.write_text(f"#!/bin/sh\n{script}\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


def test_gpus_are_told_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nvidia_smi(tmp_path, "echo 'NVIDIA One'; echo 'NVIDIA Two'", monkeypatch)
    assert hardware.gpu(Settings()) == Finding("gpu", "ok", "NVIDIA One, NVIDIA Two")


def test_a_driver_that_does_not_answer_is_no_gpu(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nvidia_smi(tmp_path, "echo 'no driver'; exit 9", monkeypatch)
    assert hardware.gpu(Settings()).status == "ok"
    asked = hardware.gpu(Settings(llm_device="cuda:1", tts_device="cpu"))
    assert (asked.status, "set llm_device to auto" in asked.action) == ("problem", True)


def test_the_native_build_of_llama_cpp_is_recommended_where_it_is_used_and_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert hardware.llama_cpp(Settings()).what == "not used"
    settings = Settings(llm_engine="llama-cpp", llm={"model": "a.gguf"})
    monkeypatch.setattr(hardware, "find_spec", lambda name: None)
    found = hardware.llama_cpp(settings)
    assert (found.status, "[llama-cpp-python]'" in found.action) == ("ok", True)
    monkeypatch.setattr(hardware, "find_spec", lambda name: object())
    assert hardware.llama_cpp(settings).action == ""


GGUF = Model(
    name="tiny",
    kind="llm",
    engine="llama-cpp",
    languages=("en",),
    summary="",
    memory_mb=1,
    source="https://example.org/tiny.gguf",
    files=(File(path="tiny.gguf"),),
)


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """A store whose catalogue has one model more."""
    known = entries.shipped()
    with_tiny = known.model_copy(update={"models": {**known.models, "tiny": GGUF}})
    for module in (models, resolve):
        monkeypatch.setattr(module, "shipped", lambda: with_tiny)
    return Store(tmp_path / "models")


def state(store: Store, model: str = "tiny", **settings: Any) -> Finding:
    given = {"llm_engine": "llama-cpp", "llm": {"model": model}, **settings}
    (found,) = models.models(Settings(models_dir=store.folder, **given))
    assert found.name == f"model {model}"
    return found


def keep(store: Store, entry: Entry, content: bytes) -> Path:
    """Have the model in the store, as a pull leaves it."""
    folder = store.partial(entry.name)
    folder.mkdir(parents=True)
    (folder / "tiny.gguf").write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    kept = Kept(path="tiny.gguf", size=len(content), sha256=digest)
    record = Manifest(name=entry.name, source=entry.source, opens=None, files=(kept,))
    store.publish(folder, record, Pins(source=entry.source))
    return store.folder / entry.name / "tiny.gguf"


def test_a_model_that_is_missing_or_half_there_is_told_with_the_command(store: Store) -> None:
    found = state(store)
    assert (found.status, found.what) == ("problem", "not pulled yet")
    assert found.action == "Run: inzwa-rtc models pull tiny"
    store.partial("tiny").mkdir(parents=True)
    assert state(store).what == "pulled in part"


def test_a_model_that_is_here_is_hashed_and_one_that_was_changed_is_told(store: Store) -> None:
    file = keep(store, GGUF, b"GGUF model")
    found = state(store)
    assert (found.status, found.what) == (
        "ok",
        "here and unchanged since it was pulled; its source alone vouches for it",
    )
    file.write_bytes(b"GGUF other")
    changed = state(store)
    assert (changed.status, "was changed" in changed.what) == ("problem", True)
    file.write_bytes(b"GGUF")
    assert "incomplete" in state(store).what


def test_a_path_is_looked_for(store: Store, tmp_path: Path) -> None:
    assert state(store, f"{tmp_path}/no.gguf").status == "problem"
    gguf_llama.make(tmp_path / "Own.gguf")
    assert state(store, f"{tmp_path}/Own.gguf").what == "a path; nobody vouches for it"


def test_models_of_servers_are_not_looked_for() -> None:
    (found,) = models.models(Settings(llm_engine="ollama", llm={"model": "whisper-base"}))
    assert (found.name, found.status) == ("models", "ok")


def test_a_missing_model_of_one_engine_of_several_is_no_problem_of_calls(store: Store) -> None:
    chain: dict[str, Any] = {
        "llm_engine": ("llama-cpp", "scripted"),
        "llm": {"llama-cpp": {"model": "tiny"}},
    }
    assert state(store, **chain).status == "warning"


def test_every_engine_of_a_chain_is_tried_and_says_what_it_runs_on(tmp_path: Path) -> None:
    model = str(gguf_llama.make(tmp_path / "tiny.gguf"))
    found = by_name(
        engines.replies(
            Settings(
                llm_engine=("ollama", "llama-cpp", "scripted"),
                llm={
                    "ollama": {"model": "x", "base_url": "http://127.0.0.1:9"},
                    "llama-cpp": {"model": model, "device": "cpu", "threads": 1, "context": 512},
                    "scripted": {"engine_python": sys.executable},
                },
                llm_max_tokens=8,
            )
        )
    )
    assert list(found) == ["replies ollama", "replies llama-cpp", "replies scripted"]
    assert found["replies ollama"].status == "warning"
    told = found["replies llama-cpp"].what  # random weights may answer with white space alone
    assert told.startswith("llama-cpp (tiny.gguf, cpu, F32, threads: 1) ")
    assert found["replies scripted"] == Finding(
        "replies scripted", "ok", "scripted (the guide) answers"
    )


def test_where_no_engine_of_a_chain_works_calls_do_not_work(tmp_path: Path) -> None:
    nowhere = {"model": "x", "base_url": "http://127.0.0.1:9"}
    settings = Settings(
        llm_engine=("ollama", "llama-cpp"), llm={"ollama": nowhere, "llama-cpp": {"model": "./no"}}
    )
    assert {finding.status for finding in engines.replies(settings)} == {"problem"}


def test_a_recogniser_tells_the_device_that_it_chose(tmp_path: Path) -> None:
    whisper_ct2.make(tmp_path / "model")
    settings = Settings(asr_engine="faster-whisper", asr={"model": f"{tmp_path}/model"})
    (found,) = engines.recognition(settings)
    assert "faster-whisper (model, cpu (no GPU found), int8" in found.what


STUCK = """
import threading
from pydantic import BaseModel

class Stuck:
    class Options(BaseModel):
        loads: bool = False

    def __init__(self, options):
        self.details = {"model": "mud"}
        if not options.loads:
            threading.Event().wait()

    async def reply(self, request):
        import asyncio
        await asyncio.Event().wait()
        yield

    def close(self): ...
"""


@pytest.fixture
def stuck(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of an engine that never loads, or, if it does, never answers."""
    (tmp_path / "stuck.py").write_text(STUCK)
    package = tmp_path / "stuck-1.dist-info"
    package.mkdir()
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: stuck\nVersion: 1\n")
    (package / "entry_points.txt").write_text("[inzwa_rtc.llm]\nstuck = stuck:Stuck\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), *sys.path]))
    return "stuck"


@pytest.mark.parametrize(
    ("options", "what", "action"),
    [
        ({}, "`stuck` was not loaded within 5 s", "Raise `timeouts.engine_start`"),
        ({"loads": True}, "stuck (mud) loads, but did not do its work within 5 s", "smaller model"),
    ],
)
def test_an_engine_that_hangs_is_a_finding_and_the_doctor_goes_on(
    stuck: str, options: dict[str, bool], what: str, action: str
) -> None:
    (found,) = engines.replies(
        Settings(llm_engine=stuck, llm=options, timeouts=TimeoutSettings(engine_start=5))
    )
    assert (found.name, found.status) == ("replies", "problem")
    assert what in found.what
    assert action in found.action
    assert left_running() == []
