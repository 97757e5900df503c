"""Checks of the machine: Python, open files, the browser that tests drive."""

from __future__ import annotations

import platform
import resource
import shutil

from inzwa_rtc.cli.doctor.finding import Finding
from inzwa_rtc.settings import Settings

_FILES_PER_CALL = 10  # a socket per address and engine connection, with room to spare
_FILES_OF_SERVER = 256

_BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def python(settings: Settings) -> Finding:
    """Which interpreter runs, for reports of errors."""
    what = f"{platform.python_implementation()} {platform.python_version()}"
    return Finding("python", "ok", f"{what} on {platform.system()} {platform.machine()}")


def open_files(settings: Settings) -> Finding:
    """The limit on open files allows as many calls as are configured."""
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = settings.max_concurrent_sessions * _FILES_PER_CALL + _FILES_OF_SERVER
    if limit != resource.RLIM_INFINITY and limit < needed:
        return Finding(
            "open files",
            "warning",
            f"at most {limit}; {settings.max_concurrent_sessions} calls may need {needed}",
            f"Raise it (`ulimit -n {needed}`, LimitNOFILE= in systemd)"
            " or lower max_concurrent_sessions.",
        )
    return Finding("open files", "ok", f"enough for {settings.max_concurrent_sessions} calls")


def chromium(settings: Settings) -> Finding:
    """Chromium, which only the project's own tests need."""
    found = next((path for name in _BROWSERS if (path := shutil.which(name))), None)
    if found is None:
        return Finding(
            "chromium",
            "warning",
            "not installed; only the project's tests need it",
            "To run them: `make test` as root installs it, or `apt-get install chromium`.",
        )
    return Finding("chromium", "ok", f"{found} (for the project's tests)")
