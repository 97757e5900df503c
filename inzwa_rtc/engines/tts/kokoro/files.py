"""Which files a model of Kokoro consists of."""

from __future__ import annotations

from pathlib import Path

from inzwa_rtc.errors import EngineUnavailable


def model_in(model: Path) -> Path:
    """The ONNX file that `model` names, or that lies in the folder which it names."""
    return _only(model, "*.onnx", "model", "tts_model") if model.is_dir() else model


def voices_beside(model: Path) -> Path:
    """The file of voices in the model's folder."""
    if not model.is_file():
        raise EngineUnavailable(
            f"There is no ONNX model {model}.",
            action="Set `tts_model` to kokoro-v1.0.onnx, a folder with it, or `kokoro` "
            "(`inzwa-rtc models pull kokoro`).",
        )
    return _only(model.parent, "voices*.bin", "file of voices", "tts.voices")


def _only(folder: Path, pattern: str, what: str, setting: str) -> Path:
    found = sorted(folder.glob(pattern))
    if len(found) == 1:
        return found[0]
    names = ", ".join(one.name for one in found[:5]) or "none"
    raise EngineUnavailable(
        f"The folder {folder} should have one {what} (`{pattern}`); it has {names}.",
        action=f"Set `{setting}` to the file, or put it there.",
    )
