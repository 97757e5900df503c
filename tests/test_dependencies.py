"""What is imported is asked for, and docs/dependencies.md names all that is asked for."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

ROOT = Path(__file__).parent.parent
OF_AIOHTTP = {"yarl", "multidict"}
OF_OPENAI_WHISPER = {"torch"}
# What the extras for environments of their own are imported as, where it is not their names.
APART = {"whisper", "TTS", "chatterbox"}


def asked_for() -> set[str]:
    """The requirements of pyproject.toml, extras and all, by their names."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    groups = [project["dependencies"], *project["optional-dependencies"].values()]
    names = {re.split(r"[\[<>=]", line)[0].strip() for group in groups for line in group}
    return {normal(name) for name in names} - {"inzwa-rtc"}


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def imported() -> Iterator[str]:
    """Packages of others that the shipped code imports, wherever in a file."""
    for folder in ("inzwa_rtc", "signaling"):
        for file in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Import):
                    yield from (alias.name.partition(".")[0] for alias in node.names)
                elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                    yield node.module.partition(".")[0]


def test_all_that_is_imported_is_asked_for() -> None:
    own = {"inzwa_rtc", "signaling", *sys.stdlib_module_names}
    packages = packages_distributions()
    asked = asked_for() | OF_AIOHTTP | OF_OPENAI_WHISPER
    lacking = {
        name
        for name in set(imported()) - own
        if not asked & {normal(one) for one in packages.get(name, [])} and normal(name) not in asked
    }
    absent = {*APART, "llama_cpp"} - set(packages)  # extras that the tests do without
    assert lacking - absent == set()


def test_the_page_names_all_that_is_asked_for() -> None:
    page = (ROOT / "docs/dependencies.md").read_text(encoding="utf-8")
    named = {normal(word) for word in re.findall(r"[\w.-]+", page)}
    assert asked_for() - named == set()
