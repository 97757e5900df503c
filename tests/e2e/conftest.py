"""What tests of whole calls share."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from tests.support.browser import FAKE_DEVICES, chromium, microphone_that_plays
from tests.support.plugin import Plugin


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Plugin:
    """Engines that remember and stall, to be plugged in by `settings` or `environment`."""
    folder = tmp_path / "plugin"
    folder.mkdir()
    plugin = Plugin(folder)
    plugin.install(monkeypatch)
    return plugin


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Browser]:
    """One Chromium for the tests of a file, each of which is a new visitor to it. It has the
    fake devices, silent ones: visitors lend them their voice."""
    silence = microphone_that_plays(tmp_path_factory.mktemp("browser") / "silence.wav", 1.0)
    async with chromium(FAKE_DEVICES, silence) as running:
        yield running
