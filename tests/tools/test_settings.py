"""Wrong configuration of tools is refused by its place, and secrets in it are not shown."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from inzwa_rtc.cli.config import config
from inzwa_rtc.errors import ConfigError
from inzwa_rtc.settings import load
from tests.support.configuration import empty_surroundings, write

PLACES = {"Harare": {"latitude": -17.8, "longitude": 31.0}}
HTTP = {"source": "http", "url": "http://x.example/", "description": "x", "always": True}
WEATHER = {"source": "weather", "url": "http://x.example/", "places": PLACES}
MCP = {"source": "mcp", "command": ["x"], "always": True}
PYTHON = {"source": "python", "function": "a:b", "always": True}


@pytest.fixture(autouse=True)
def _empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    empty_surroundings(tmp_path, monkeypatch)


def configured(name: str, entry: Any) -> None:
    write(yaml.safe_dump({"tools": {"use": {name: entry}}}))


@pytest.mark.parametrize(
    ("name", "entry", "told"),
    [
        ("a b", HTTP, "letters"),
        ("hang_up", HTTP, "tools.use"),
        ("it", {}, "source"),
        ("it", {"source": "magic"}, "'mcp'"),
        ("it", {**HTTP, "colour": "red"}, "colour"),
        ("it", {**HTTP, "always": False}, "`words`"),
        ("it", {**HTTP, "words": {"en": []}, "always": False}, "`words`"),
        ("it", {**HTTP, "url": "ftp://x.example/"}, "http://"),
        ("it", {**HTTP, "url": "http://{host}/"}, "placeholder"),
        ("it", {**HTTP, "url": "http://user:pass@x.example/"}, "password"),
        ("it", {**HTTP, "url": "http://[::/"}, "web address"),
        ("it", {**HTTP, "url": "http://x.example/{city}"}, "{city}"),
        ("it", {**HTTP, "body": "json"}, "method: GET"),
        ("it", {**HTTP, "result": "now"}, "JSON pointer"),
        ("it", {**HTTP, "timeout_s": 0}, "timeout_s"),
        ("it", {**WEATHER, "places": {}}, "places"),
        ("it", {**WEATHER, "places": {"Nowhere": {"latitude": 91, "longitude": 0}}}, "latitude"),
        ("it", {**WEATHER, "format": "generic"}, "`values`"),
        ("it", {**WEATHER, "values": {"a": "/a"}}, "`values`"),
        ("it", {**WEATHER, "url": "http://x.example/{town}"}, "{town}"),
        ("it", {**MCP, "command": []}, "`command` or `url`"),
        ("it", {**MCP, "url": "http://x.example/"}, "`command` or `url`"),
        ("it", {**MCP, "headers": {"a": "b"}}, "`headers` for a `url`"),
        ("it", {**MCP, "always": False}, "`words`"),
        ("it", {**PYTHON, "function": "module"}, "function"),
    ],
)
def test_what_cannot_be_is_refused_by_its_place(name: str, entry: Any, told: str) -> None:
    configured(name, entry)
    with pytest.raises(ConfigError) as refused:
        load()
    assert "tools.use" in refused.value.message
    assert told in refused.value.message
    assert "(file)" in refused.value.message


@pytest.mark.parametrize(
    "entry",
    [
        {**HTTP, "headers": {"X-Key": "sesame-open"}},
        {**WEATHER, "headers": {"X-Key": "sesame-open"}},
        {**MCP, "env": {"KEY": "sesame-open"}},
        {**MCP, "command": [], "url": "http://x.example/", "headers": {"X-Key": "sesame-open"}},
    ],
)
def test_secrets_are_not_shown(entry: Any) -> None:
    configured("it", entry)
    for arguments in (["show"], ["show", "--json"]):
        shown = CliRunner().invoke(config, arguments, catch_exceptions=False)
        assert shown.exit_code == 0
        assert "sesame-open" not in shown.output
        assert "tools.use.it" in shown.output


def test_all_is_given_as_the_documentation_has_it() -> None:
    """The examples of the page are whole, and can be taken over."""
    page = (Path(__file__).parents[2] / "docs/tools.md").read_text(encoding="utf-8")
    examples = [part.split("```")[0] for part in page.split("```yaml\n")[1:]]
    assert len(examples) >= 5
    for example in examples:
        write(example)
        assert load().settings.tools.use, example
    assert json.dumps(load().settings.model_dump(mode="json"))
