"""Which suppressor a server has is the operator's word, never a guess of ours."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from inzwa_rtc.cli.doctor.command import run
from inzwa_rtc.cli.doctor.media import noise_suppression
from inzwa_rtc.errors import ConfigError, EngineUnavailable
from inzwa_rtc.noise import rnnoise
from inzwa_rtc.noise.choice import chosen
from inzwa_rtc.settings import NoiseSuppression, Settings, load
from tests.support.server import serving

EXTRAS: dict[NoiseSuppression, tuple[str, str]] = {
    "webrtc": ("webrtc_noise_gain", "webrtc-noise"),
    "rnnoise": ("pyrnnoise", "rnnoise"),
}
BOTH = pytest.mark.parametrize("name", EXTRAS)


@pytest.fixture
def not_installed(name: NoiseSuppression, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """What this suppressor needs is not there; the extra that brings it."""
    module, extra = EXTRAS[name]
    monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.delitem(sys.modules, f"inzwa_rtc.noise.{name}", raising=False)
    rnnoise.library.cache_clear()
    yield extra
    rnnoise.library.cache_clear()


@pytest.mark.parametrize("name", ["off", *EXTRAS])
def test_a_file_names_it_and_off_is_a_word_not_yaml_s_switch(name: str, tmp_path: Path) -> None:
    file = tmp_path / "inzwa.yaml"
    file.write_text(f"noise_suppression: {name}\n")
    assert load(file).settings.noise_suppression == name


@pytest.mark.parametrize("name", ["on", "speex", "null"])
def test_any_other_word_is_refused(name: str, tmp_path: Path) -> None:
    file = tmp_path / "inzwa.yaml"
    file.write_text(f"noise_suppression: {name}\n")
    with pytest.raises(ConfigError, match=r"`noise_suppression` \(file\).*'webrtc' or 'rnnoise'"):
        load(file)


def test_off_leaves_the_audio_and_imports_nothing() -> None:
    assert chosen("off")() is None
    script = (
        "import sys, inzwa_rtc.cli.serve, inzwa_rtc.cli.say, signaling.serve;"
        "from inzwa_rtc.noise.choice import chosen; chosen('off')();"
        "print(*sys.modules)"
    )
    result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    loaded = result.stdout.split()
    assert "inzwa_rtc.noise.choice" in loaded
    libraries = {module for module, _ in EXTRAS.values()}
    assert not libraries.union(f"inzwa_rtc.noise.{name}" for name in EXTRAS) & set(loaded)


def test_rnnoise_is_used_without_the_packages_that_its_wheel_asks_for() -> None:
    script = (
        "import sys; from inzwa_rtc.noise.choice import chosen;"
        "chosen('rnnoise')().feed(bytes(640)); print(*sys.modules)"
    )
    result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert not {"pyrnnoise", "matplotlib", "audiolab"} & set(result.stdout.split())


@BOTH
async def test_a_server_whose_suppressor_is_missing_does_not_start_and_says_what_to_run(
    name: NoiseSuppression, not_installed: str
) -> None:
    with pytest.raises(EngineUnavailable) as refused:
        async with serving(noise_suppression=name):
            pass
    assert name in refused.value.message
    assert "-m pip install -e '" in refused.value.action
    assert refused.value.action.endswith(f"[{not_installed}]'")


@BOTH
def test_the_doctor_says_so_too(name: NoiseSuppression, not_installed: str) -> None:
    (finding,) = run(noise_suppression, Settings(noise_suppression=name))
    assert finding.status == "problem"
    assert finding.action.endswith(f"[{not_installed}]'")


@BOTH
def test_a_library_that_cannot_be_loaded_is_to_be_installed_again(
    name: NoiseSuppression, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> None:
        raise OSError("invalid ELF header")

    monkeypatch.setattr("inzwa_rtc.noise.choice._imported", lambda name: broken)
    with pytest.raises(EngineUnavailable, match=r"invalid ELF header.*Reinstall.*pip install"):
        chosen(name)


@pytest.mark.parametrize("name", ["off", *EXTRAS])
def test_the_doctor_hears_whether_it_works(name: NoiseSuppression) -> None:
    finding = noise_suppression(Settings(noise_suppression=name))
    assert finding.status == "ok"
    assert name in finding.what
