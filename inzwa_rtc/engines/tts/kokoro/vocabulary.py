"""The symbols that Kokoro was trained on, and their numbers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from inzwa_rtc.engines.tts.onnx.file import broken

METADATA = "kokoro_config"
"""Where an export may carry the model's own symbols."""


def vocabulary(path: Path, metadata: Mapping[str, str]) -> Mapping[str, int]:
    """The symbols of a model: those that its file carries, else those of Kokoro 82M.

    Raises `EngineUnavailable` where what it carries cannot be read.
    """
    told = metadata.get(METADATA)
    if told is None:
        known: dict[str, int] = json.loads(
            Path(__file__).with_name("symbols.json").read_text(encoding="utf-8")
        )
        return known
    try:
        symbols = json.loads(told)["vocab"]
        if symbols and all(
            isinstance(name, str) and len(name) == 1 and type(number) is int and 0 < number < 2**20
            for name, number in symbols.items()
        ):
            return dict(symbols)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        pass
    raise broken(path, f"the symbols that it carries (`{METADATA}`) cannot be read")
