"""What is shipped for Grafana and Prometheus asks for figures that there are."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
BOARD = json.loads((ROOT / "packaging/grafana/inzwa-rtc.json").read_text(encoding="utf-8"))
RULES = yaml.safe_load((ROOT / "packaging/prometheus/alerts.yml").read_text(encoding="utf-8"))
PAGE = (ROOT / "docs/metrics.md").read_text(encoding="utf-8")

DOCUMENTED = {
    match["name"]: match["kind"]
    for match in re.finditer(r"^\| `(?P<name>inzwa_\w+)` \| (?P<kind>\w+) \|", PAGE, re.M)
}


def queries() -> Iterator[str]:
    panels: list[dict[str, Any]] = BOARD["panels"]
    for panel in panels:
        yield from (target["expr"] for target in panel.get("targets", []))
    for rule in RULES["groups"][0]["rules"]:
        yield rule["expr"]


@pytest.mark.parametrize("query", sorted(set(queries())))
def test_a_query_names_figures_that_are_documented(query: str) -> None:
    for name in re.findall(r"\binzwa_\w+", query):
        base = name.removesuffix("_bucket")
        assert base in DOCUMENTED, f"no such figure: {name}"
        assert (base != name) == (DOCUMENTED[base] == "histogram"), f"{name}: {DOCUMENTED[base]}"
        if DOCUMENTED[base] == "counter":
            assert re.search(rf"(rate|increase)\({name}\b", query), f"{name} only grows"


def test_the_board_shows_every_figure() -> None:
    asked = " ".join(queries())
    shown = {name for name in DOCUMENTED if re.search(rf"\b{name}(_bucket)?\b", asked)}
    unshown = {
        "inzwa_build_info",  # it finds the jobs
        "inzwa_phrase_cache_phrases",
        "inzwa_phrase_cache_encodes_saved_total",
    }
    assert set(DOCUMENTED) - shown == unshown


def test_no_two_panels_lie_on_each_other() -> None:
    places = [panel["gridPos"] for panel in BOARD["panels"]]
    cells = [
        (x, y)
        for place in places
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24


def test_every_alert_says_what_to_do() -> None:
    for rule in RULES["groups"][0]["rules"]:
        assert rule["annotations"].keys() == {"summary", "action"}
