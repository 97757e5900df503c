"""Running the installed `inzwa-rtc` command as a user does."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

COMMAND = Path(sys.executable).with_name("inzwa-rtc")


def environment(**settings: str) -> dict[str, str]:
    """This process's environment without its settings, and with those given; warnings are
    errors in the command too."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("INZWA_", "CONFIG_PATH"))
    }
    return {**kept, "PYTHONWARNINGS": "error", **settings}


def run(folder: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run the command in `folder` to its end."""
    return subprocess.run(
        [COMMAND, *arguments],
        cwd=folder,
        env=environment(**settings),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
