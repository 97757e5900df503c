"""How what is missing is installed. This package is in no registry: it comes from a checkout."""

from __future__ import annotations

import sys
from pathlib import Path

NAME = "inzwa-rtc"

_CHECKOUT = Path(__file__).parents[1]


def pip_install(requirement: str) -> str:
    """The command that installs a requirement, ours with its extras (`inzwa-rtc[hub]`), for the
    Python which runs this."""
    install = f"{sys.executable} -m pip install"
    name, bracket, extra = requirement.partition("[")
    if name != NAME:
        return f"{install} '{requirement}'"
    if (_CHECKOUT / "pyproject.toml").is_file():
        return f"{install} -e '{_CHECKOUT}{bracket}{extra}'"
    return f"{install} '/path/to/checkout{bracket}{extra}'"
