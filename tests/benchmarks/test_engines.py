"""The engines' benchmark runs through, on tiny models; what it measures is not looked at."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import engine_processes, engines, engines_llama, engines_whisper
from models.tiny import gguf_llama, whisper_ct2

WHISPER = whisper_ct2.Size(width=32, layers=2, heads=2, tokens=600)
LLAMA = gguf_llama.Size(width=256, layers=2, heads=4, inner=256, words=10_000, is_tied=True)


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tiny models under the names of true ones, few ways, no rests between them."""
    monkeypatch.setitem(whisper_ct2.ARCHITECTURES, "base", WHISPER)
    monkeypatch.setitem(gguf_llama.ARCHITECTURES, "1b", LLAMA)
    monkeypatch.setattr(engine_processes, "SETTLE_S", 0.0)
    ways = {way.name: way for way in engines_whisper.WAYS}
    few = tuple(ways[name] for name in (engines_whisper.STOCK, engines_whisper.FITTED))
    monkeypatch.setattr(engines_whisper, "WAYS", few)
    monkeypatch.setattr(engines_whisper, "IN_A_CALL", engines_whisper.IN_A_CALL[2:])
    monkeypatch.setattr(engines_whisper, "_SPEECH", engines_whisper._SPEECH[:8000])
    monkeypatch.setattr(engines_llama, "CALLS", (1, 2))
    monkeypatch.setitem(
        engines_llama.OPTIONS, "threads", 1
    )  # two spin where they must share a core
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))


def test_the_command_line_chooses_parts_and_sizes() -> None:
    asked, _ = engines.understood(["--sizes", "base,1.7b"])
    assert asked.parts == {"whisper": ("base",), "llama": ("1.7b",)}
    asked, file = engines.understood(["--only", "llama", "--quick", "--json", "here"])
    assert (asked.parts, asked.rounds, file) == ({"llama": ("1b",)}, 1, Path("here"))
    with pytest.raises(SystemExit):
        engines.understood(["--sizes", "huge"])


async def test_each_way_of_recognising_is_measured(tmp_path: Path) -> None:
    asked, _ = engines.understood(["--sizes", "base", "--only", "whisper", "--rounds", "1"])
    tables = [table async for table in engines.run(replace(asked, models=tmp_path))]
    after, in_call = (table.to_json() for table in tables)
    assert set(after["samples"]) == {engines_whisper.STOCK, engines_whisper.FITTED}
    assert len(in_call["samples"]) == 2
    assert "target 250" in tables[0].markdown()
    assert "load average" in tables[-1].markdown()


async def test_each_number_of_calls_is_measured(tmp_path: Path) -> None:
    asked, _ = engines.understood(["--sizes", "1b", "--only", "llama", "--rounds", "1"])
    tables = [table async for table in engines.run(replace(asked, models=tmp_path))]
    speed, first, cut, kept, *_ = (table.to_json() for table in tables)
    assert "xllamacpp" in speed["samples"]
    assert len(first["samples"]["xllamacpp, 2 calls"]["prefilled while speaking"]) == 2
    assert set(cut["samples"]["xllamacpp"]) == {"before the first token", "after the first token"}
    assert kept["samples"]["unloaded"]["resident"] == [0]
