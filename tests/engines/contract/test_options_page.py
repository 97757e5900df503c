"""docs/engines.md has every option of every engine, with its default."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from inzwa_rtc.engines import registry
from inzwa_rtc.engines.llm.fixed import FixedReplyOptions
from inzwa_rtc.engines.shipped import SHIPPED, Shipped
from inzwa_rtc.engines.tts.chatterbox.options import ChatterboxOptions
from inzwa_rtc.engines.tts.coqui.options import CoquiOptions
from inzwa_rtc.engines.tts.qwen3.options import Qwen3Options

PAGE = Path(__file__).parents[3] / "docs/engines.md"
MODELS = ("llm llama-cpp", "llm openai", "llm ollama")
SECTIONS = {
    "Embedded engines": ("asr pocketsphinx", "llm scripted", "tts espeak"),
    "Engines for load tests": ("asr fixed", "llm fixed", "tts tone"),
    "Whisper": ("asr faster-whisper", "asr whisper.cpp", "asr openai-whisper"),
    "Speech on PyTorch": ("tts coqui", "tts qwen3", "tts chatterbox"),
    "llama.cpp": ("llm llama-cpp",),
    "Engines on a server": ("asr openai", "llm openai", "llm ollama"),
    "Speech on a server": ("tts openai", "tts elevenlabs", "tts alltalk"),
    "Sampling": MODELS,
    "VITS and Piper": ("tts vits", "tts piper"),
    "Kokoro": ("tts kokoro",),
}
"""The engines whose options each section has; `all` in its table are these."""

_ROW = re.compile(r"^\| (?P<option>`\w+`) \| (?P<default>.*?) \| (?P<engines>.*?) \|", re.M)


def documented() -> dict[str, dict[str, str]]:
    """The default of each option, for each engine (`asr whisper.cpp`)."""
    page = PAGE.read_text(encoding="utf-8")
    options: dict[str, dict[str, str]] = {named(one): {} for one in SHIPPED}
    for title, engines in SECTIONS.items():
        section = page.partition(f"\n### {title}\n")[2].partition("\n### ")[0]
        rows = list(_ROW.finditer(section))
        assert rows, f"the section {title} has no table"
        assert len(rows) == section.count("\n| `"), f"a row of {title} has another form"
        for row in rows:
            option = row["option"].strip("`")
            for engine in meant(row["engines"], engines):
                assert option not in options[engine], f"{engine} has {option} twice"
                options[engine][option] = row["default"].strip("`")
    return options


def meant(cell: str, engines: tuple[str, ...]) -> Iterator[str]:
    """The engines of a section that the cell of a row names: with their kind, or without."""
    if cell == "all":
        yield from engines
        return
    for name in cell.split(", "):
        (engine,) = [one for one in engines if name in (one, one.partition(" ")[2])]
        yield engine


def named(one: Shipped) -> str:
    return f"{one.kind} {one.name}"


def written(field: Any) -> str:
    """A default as the page writes it."""
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if value == FixedReplyOptions().reply:
        return "three sentences"
    if isinstance(value, bool):
        return str(value).lower()
    if value in (None, (), {}, ""):
        return "none"
    return f"{value:g}" if isinstance(value, float) else str(value)


APART: dict[str, type[BaseModel]] = {
    "tts coqui": CoquiOptions,
    "tts qwen3": Qwen3Options,
    "tts chatterbox": ChatterboxOptions,
}
"""Options of engines that are never installed here; they can be imported all the same."""


@pytest.mark.parametrize("engine", APART)
def test_the_page_has_the_options_of_engines_in_environments_of_their_own(engine: str) -> None:
    fields = APART[engine].model_fields
    assert documented()[engine] == {name: written(field) for name, field in fields.items()}


@pytest.mark.parametrize("one", [one for one in SHIPPED if find_spec(one.module)], ids=named)
def test_the_page_has_its_options_and_their_defaults(one: Shipped) -> None:
    made: Any = registry.imported(registry.find(one.kind, one.name))
    fields = made.Options.model_fields
    assert documented()[named(one)] == {name: written(field) for name, field in fields.items()}


def test_the_page_has_options_of_every_engine() -> None:
    assert all(documented().values())
