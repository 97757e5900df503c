"""No engine's process goes to another machine by itself: not to load, not to work, not to end."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from inzwa_rtc.engines import registry
from inzwa_rtc.engines.client import LanguageModelClient, RecognizerClient, SynthesizerClient
from inzwa_rtc.engines.contracts import EngineKind, RecognizeRequest
from inzwa_rtc.engines.launch import Launch
from inzwa_rtc.engines.process import EngineProcess
from inzwa_rtc.engines.supervised import supervised
from models.tiny import gguf_llama, kokoro_onnx, vits_voices, whisper_ct2, whisper_ggml
from tests.engines.contract import asr, llm
from tests.engines.contract.isolation import HUB_SETTINGS
from tests.engines.remote import speaking
from tests.engines.remote.fake_server import FakeServer
from tests.engines.remote.obliging import ollama_chat, openai_chat, openai_transcription

GUARD = Path(__file__).parent / "guard"
ROOT = Path(__file__).parents[3]
ENGINES: list[tuple[EngineKind, str]] = [
    (kind, name) for kind in ("asr", "llm") for name in registry.known(kind)
]
# Those that run on PyTorch have environments of their own.
ENGINES += [
    ("tts", name)
    for name in ("tone", "espeak", "vits", "piper", "kokoro", "openai", "elevenlabs", "alltalk")
]
SERVED = {
    ("asr", "openai"): openai_transcription,
    ("llm", "openai"): openai_chat,
    ("llm", "ollama"): ollama_chat,
    ("tts", "openai"): speaking.openai_speech,
    ("tts", "elevenlabs"): speaking.elevenlabs,
    ("tts", "alltalk"): speaking.alltalk,
}


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What a process that is started from now on tried to reach."""
    for name in HUB_SETTINGS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(GUARD), str(ROOT)]))
    monkeypatch.setenv("AT_HOME_LOG", str(tmp_path / "left"))
    return tmp_path / "left"


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("models")
    return {
        "faster-whisper": whisper_ct2.make(folder / "ct2"),
        "whisper.cpp": whisper_ggml.make(folder / "ggml.bin"),
        "llama-cpp": gguf_llama.make(folder / "tiny.gguf"),
        "vits": vits_voices.coqui(folder / "vits"),
        "piper": vits_voices.piper(folder / "piper"),
        "kokoro": kokoro_onnx.make(folder / "kokoro"),
    }


def options_of(name: str, models: dict[str, Path], server: FakeServer) -> dict[str, Any]:
    match name:
        case "faster-whisper" | "whisper.cpp" | "llama-cpp" | "vits" | "piper" | "kokoro":
            return {"model": str(models[name]), "device": "cpu", "threads": 1}
        case "openai":
            return {"model": "tiny", "base_url": f"{server.url}/v1", "check_at_start": False}
        case "ollama":
            return {"model": "tiny", "base_url": server.url, "check_at_start": False}
        case "elevenlabs" | "alltalk":  # their voices are asked for at start
            key = {"api_key": "key"} if name == "elevenlabs" else {}
            return {"base_url": server.url, **key}
    return {}


@pytest.mark.parametrize(("kind", "name"), ENGINES)
async def test_an_engine_works_and_nothing_leaves_this_machine(
    log: Path, models: dict[str, Path], kind: EngineKind, name: str
) -> None:
    if name == "openai-whisper" and not find_spec("torch"):
        pytest.skip("runs in an environment of its own")
    async with FakeServer().running() as server:
        if behaviour := SERVED.get((kind, name)):
            server.will(behaviour)
        options = options_of(name, models, server)
        process = EngineProcess(Launch(spec=registry.find(kind, name), options=options))
        async with asyncio.timeout(asr.GUARD_S), supervised([process]):
            if kind == "asr":
                client = RecognizerClient(process)
                asr.check(await asr.heard(client, asr.noise(1), RecognizeRequest("en")), 2000)
            elif kind == "tts":
                assert await speaking.spoken(SynthesizerClient(process))
            else:
                llm.check(await llm.replied(LanguageModelClient(process), llm.asking("hello")))
    assert tried(log) == ""


def test_what_leaves_this_machine_would_be_seen(log: Path) -> None:
    code = "import socket; socket.create_connection(('192.0.2.1', 80), timeout=1)"
    run = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, timeout=60)
    assert b"the network is not there" in run.stderr
    assert "192.0.2.1" in tried(log)


def tried(log: Path) -> str:
    """What a process tried to reach."""
    return log.read_text() if log.exists() else ""
