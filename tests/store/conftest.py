"""Each test is made with both kinds of databases, and has one of its own."""

from __future__ import annotations

import pytest


@pytest.fixture
def url(database_url: str) -> str:
    """An empty database."""
    return database_url
