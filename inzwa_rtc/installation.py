"""How what is missing is installed. This package is in no registry: it comes from a checkout."""

from __future__ import annotations

import sys
from pathlib import Path

NAME = "inzwa-rtc"

_CHECKOUT = Path(__file__).parents[1]


def pip_install(requirement: str, python: Path | None = None) -> str:
    """The command that installs a requirement, ours with its extras (`inzwa-rtc[hub]`), for
    `python` (None: the Python which runs this)."""
    install = f"{python or sys.executable} -m pip install"
    name, bracket, extra = requirement.partition("[")
    if name != NAME:
        return f"{install} '{requirement}'"
    if (_CHECKOUT / "pyproject.toml").is_file():
        return f"{install} -e '{_CHECKOUT}{bracket}{extra}'"
    return f"{install} '/path/to/checkout{bracket}{extra}'"


def own_environment(name: str) -> Path:
    """A place for an environment beside the one that runs this, or among the system's packages."""
    if sys.prefix == sys.base_prefix:
        return Path("/opt") / f"{NAME}-{name}"
    return Path(f"{sys.prefix}-{name}")


def install_apart(requirement: str, name: str) -> tuple[str, str]:
    """The commands that make such an environment and install a requirement there."""
    place = own_environment(name)
    return f"{sys.executable} -m venv {place}", pip_install(requirement, place / "bin/python")
