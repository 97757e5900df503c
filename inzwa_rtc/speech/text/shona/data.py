"""The words of Shona, as `sn.toml` has them."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Any

UNCERTAIN = "?"


@cache
def words() -> dict[str, Any]:
    """The file's tables; each entry is a list that ends in the mark of its source."""
    return tomllib.loads(files(__package__).joinpath("sn.toml").read_text(encoding="utf-8"))


def said(table: dict[str, list[str]]) -> dict[str, str]:
    """A table of pairs without their marks."""
    return {key: pair[0] for key, pair in table.items()}


def uncertain() -> Iterator[str]:
    """What a speaker has yet to confirm, as `table.key: what is said`."""
    for path, entry in _entries(words(), ""):
        if entry[-1] == UNCERTAIN:
            yield f"{path}: {' / '.join(str(part) for part in entry[:-1])}"


def _entries(table: dict[str, Any], path: str) -> Iterator[tuple[str, list[Any]]]:
    for key, value in table.items():
        where = f"{path}.{key}" if path else key
        if isinstance(value, dict):
            yield from _entries(value, where)
        else:
            yield where, value
