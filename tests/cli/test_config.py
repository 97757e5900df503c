"""`config show`: every value, who gave it, and no secret."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from inzwa_rtc.settings import Settings, flatten
from inzwa_rtc.settings.masking import MASK, rows
from tests.cli.command import run


def shown(folder: Path, **settings: str) -> dict[str, dict[str, Any]]:
    result = run(folder, "config", "show", "--json", **settings)
    assert result.returncode == 0, result.stderr
    table: dict[str, dict[str, Any]] = json.loads(result.stdout)["settings"]
    return table


def test_it_lists_every_setting_with_its_default(tmp_path: Path) -> None:
    table = shown(tmp_path)
    assert {name: row["value"] for name, row in table.items()} == dict(
        flatten(Settings().model_dump(mode="json"))
    )
    assert {row["origin"] for row in table.values()} == {"default"}


def test_it_tells_where_each_value_came_from(tmp_path: Path) -> None:
    (tmp_path / "inzwa.yaml").write_text("environment: production\nturn: {silence_ms: 700}\n")
    table = shown(tmp_path, INZWA_PORT="9000")
    assert table["port"] == {"value": 9000, "origin": "environment"}
    assert table["turn.silence_ms"] == {"value": 700, "origin": "file"}
    assert table["log_json"] == {"value": True, "origin": "profile"}
    assert table["turn.start_ms"]["origin"] == "default"


def test_the_table_is_aligned_and_names_the_file(tmp_path: Path) -> None:
    (tmp_path / "my.yaml").write_text("turn: {silence_ms: 700}\n")
    result = run(tmp_path, "config", "show", "--config", "my.yaml")
    lines = result.stdout.splitlines()
    assert lines[0] == "File: my.yaml"
    row = next(line for line in lines if line.startswith("turn.silence_ms"))
    assert row.split() == ["turn.silence_ms", "700", "file"]


def test_secrets_are_masked_in_both_forms(tmp_path: Path) -> None:
    (tmp_path / "inzwa.yaml").write_text(
        "llm:\n"
        "  api_key: canary-1\n"
        "  url: http://user:canary-2@llm.example/v1\n"
        "  headers: {Authorization: canary-3, X-Token: canary-4}\n"
        "  servers: [{password: canary-5}]\n"
        "  max_tokens: 7\n"
    )
    for arguments in (["config", "show"], ["config", "show", "--json"]):
        result = run(tmp_path, *arguments, INZWA_TTS__API_KEY="canary-6")
        assert result.returncode == 0, result.stderr
        assert "canary" not in result.stdout
        assert "llm.example/v1" in result.stdout
        assert "tts.api_key" in result.stdout
    assert shown(tmp_path)["timeouts.first_token"]["value"] == 8.0
    assert shown(tmp_path)["llm.max_tokens"]["value"] == 7


@pytest.mark.parametrize(
    "options",
    [
        {"api_key": "canary"},
        {"openai": {"api_key": "canary"}},
        {"openai": {"apiKey": "canary", "accessToken": "canary"}},
        {"openai": {"headers": {"X-Team": "canary", "x": {"y": "canary"}}}},
        {"headers": {"X-Number": 4711}},
        {"openai": {"api_keys": ["canary", "canary"], "tokens": ["canary"]}},
        {"servers": [{"token": "canary", "headers": {"A": "canary"}}]},
        {"auth": {"credentials": {"user": "canary"}}},
        {"openai": {"base_url": "https://x.example/v1?api_key=canary&n=1"}},
        {"urls": ["https://x.example/?access_token=canary#end", "https://u:canary@x.example/"]},
        {"extra": "Authorization: Bearer canary", "pin_key": 4711},
    ],
)
def test_secrets_of_engines_are_masked_wherever_they_stand(options: dict[str, Any]) -> None:
    names = ("openai", "scripted")
    for settings in (Settings(llm=options), Settings(llm_engine=names, llm=options)):
        told = json.dumps([row.value for row in rows(settings, {})])
        assert "canary" not in told
        assert "4711" not in told
        assert MASK in told


def test_what_only_sounds_like_a_secret_is_shown() -> None:
    options = {
        "max_tokens": 7,
        "stop": ["</s>"],
        "base_url": "https://x.example/v1?n=1",
        "keyboard": "qwerty",
        "tokenizer": "bpe",
        "api_key": None,
        "openai": {"headers": {}, "first_token_timeout_s": 3.0},
    }
    settings = Settings(llm=options)
    told = {row.name: row.value for row in rows(settings, {})}
    assert MASK not in json.dumps(told)
    assert told["llm.max_tokens"] == 7
    assert told["llm.base_url"] == "https://x.example/v1?n=1"
    assert told["timeouts.first_token"] == 8.0


def test_a_wrong_setting_is_a_message_and_exit_code_2(tmp_path: Path) -> None:
    result = run(tmp_path, "config", "show", INZWA_PROT="1")
    assert result.returncode == 2
    assert "INZWA_PROT is not a setting" in result.stderr
    assert "Traceback" not in result.stderr
