"""What lies beside an exported voice: the files that describe it, and what was pulled."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

FILES = ("config.json", "vocab.json", "tokenizer_config.json")
_PULLED = ".inzwa.json"
"""What `inzwa-rtc models pull` writes into a model's folder; see `inzwa_rtc/catalogue/manifest.py`,
which the environment of an export does not have."""


def check_whole(folder: Path) -> None:
    """Raises `SystemExit` for a folder that lacks a file."""
    if missing := [name for name in FILES if not (folder / name).is_file()]:
        raise SystemExit(f"{folder} has no {', '.join(missing)}: pull the model again.")


def describe(folder: Path, made: Path) -> None:
    """Carry over from `folder` what tells of the voice whose export lies in `made`: its licence
    and its source too, where it was pulled."""
    for name in FILES:
        shutil.copyfile(folder / name, made / name)
    if not (folder / _PULLED).is_file():
        return
    told = json.loads((folder / _PULLED).read_text(encoding="utf-8"))
    told["opens"] = "model.onnx"
    told["files"] = [_kept(made / name) for name in ("model.onnx", *FILES)]
    (made / _PULLED).write_text(json.dumps(told, indent=2), encoding="utf-8")


def _kept(file: Path) -> dict[str, object]:
    with file.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    return {"path": file.name, "size": file.stat().st_size, "sha256": digest}
