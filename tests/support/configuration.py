"""Reading settings in a test: from an empty folder, with no variables of the developer's."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from inzwa_rtc.errors import ConfigError
from inzwa_rtc.settings import load


def empty_surroundings(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No file in the working directory, no variables of the person who runs the tests."""
    monkeypatch.chdir(folder)
    for variable in [name for name in os.environ if name.startswith(("INZWA_", "CONFIG_PATH"))]:
        monkeypatch.delenv(variable)


def write(text: str, name: str = "inzwa.yaml") -> Path:
    file = Path(name)
    file.write_text(text, encoding="utf-8")
    return file


def refusal(**load_arguments: object) -> str:
    with pytest.raises(ConfigError) as caught:
        load(**load_arguments)  # type: ignore[arg-type]
    assert caught.value.action, "every message says what to do"
    return str(caught.value)
