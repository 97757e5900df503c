"""Writes one number into the settings file, and leaves the rest of it as it stands."""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path

from inzwa_rtc.errors import ConfigError
from inzwa_rtc.settings import load

NAME = "max_concurrent_sessions"
_LINE = re.compile(rf"^{NAME}[ \t]*:[ \t]*\d+", re.M)
_MENTIONED = re.compile(rf"^[\"']?{NAME}\b", re.M)


def write_limit(file: Path, calls: int) -> None:
    """Have the file say that so many calls are taken: its line is changed, or one is added.

    Raises `ConfigError`, and leaves the file alone, where it would not be understood so.
    """
    text = file.read_text(encoding="utf-8") if file.exists() else ""
    line = f"{NAME}: {calls}"
    if _LINE.search(text):
        changed = _LINE.sub(line, text, count=1)
    elif _MENTIONED.search(text):
        raise _unclear(file, line)
    else:
        changed = f"{text}{'' if text.endswith(chr(10)) or not text else chr(10)}{line}\n"
    folder = file.absolute().parent
    with tempfile.NamedTemporaryFile(
        "w", encoding="utf-8", dir=folder, prefix=".inzwa-", suffix=".yaml", delete=False
    ) as other:
        other.write(changed)
    place = Path(other.name)
    try:
        if load(place).settings.max_concurrent_sessions != calls:
            raise _unclear(file, line)  # a variable of the environment says otherwise
        if file.exists():
            place.chmod(file.stat().st_mode)
        os.replace(place, file.resolve())  # noqa: PTH105 - the file itself where it is a link
    finally:
        place.unlink(missing_ok=True)


def _unclear(file: Path, line: str) -> ConfigError:
    return ConfigError(
        f"The limit could not be written into {file}: it is set in another form, or elsewhere.",
        action=f"Write `{line}` yourself.",
    )
