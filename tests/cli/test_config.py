"""`config show`: every value, who gave it, and no secret."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from jsonschema import Draft202012Validator

from inzwa_rtc.cli.main import main
from inzwa_rtc.settings import Loaded, Settings, flatten
from inzwa_rtc.settings.shown import MASK, rows
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
        {"header": "X-Api-Key: canary", "said": "it has password = 'canary canary'"},
        {"dsn": "host=db user=u password=canary"},
        {"url": "postgresql://u:ca/n@canary@db.example/calls"},
        {"command": ["tool", "--api-key", "canary", "--token=canary"]},
        {"env": {"ANY_NAME": "canary"}},
        {"url": "https://x.example/weather?q={place}&appid=canary"},
        {"url": "https://x.example/f?code=canary"},
        {"url": "see https://x.example/f?k=canary#end or https://y.example/?n=canary;z={z}"},
        {"pass": "canary", "app_id": "canary"},
    ],
)
def test_secrets_of_engines_are_masked_wherever_they_stand(options: dict[str, Any]) -> None:
    names = ("openai", "scripted")
    for settings in (Settings(llm=options), Settings(llm_engine=names, llm=options)):
        told = json.dumps([row.value for row in rows(Loaded(settings, {}, None))])
        assert "canary" not in told
        assert "4711" not in told
        assert MASK in told


def test_of_the_database_only_who_asks_is_hidden() -> None:
    given = {
        "database_url": "postgresql+asyncpg://calls:canary@db.example:5432/calls",
        "hmac_key": "canary canary canary",
        "admin_key": "canary://canary@canary",
    }
    settings = Settings.model_validate(given)
    told = {row.name: row.value for row in rows(Loaded(settings, {}, None))}
    assert told["database_url"] == f"postgresql+asyncpg://{MASK}@db.example:5432/calls"
    assert (told["hmac_key"], told["admin_key"]) == (MASK, MASK)


def test_any_setting_may_be_given_on_the_command_line_and_wins(tmp_path: Path) -> None:
    (tmp_path / "inzwa.yaml").write_text("turn: {silence_ms: 700}\nport: 1\n")
    given = ("turn.silence_ms=800", "llm.api_key=canary", "allowed_origins=https://a,https://b")
    options = [word for one in given for word in ("--set", one)]
    result = run(tmp_path, "config", "show", "--json", *options, INZWA_TURN__SILENCE_MS="750")
    table = json.loads(result.stdout)["settings"]
    assert table["turn.silence_ms"] == {"value": 800, "origin": "command line"}
    assert table["llm.api_key"] == {"value": MASK, "origin": "command line"}
    assert table["allowed_origins"]["value"] == ["https://a", "https://b"]
    assert table["port"]["origin"] == "file"


def test_every_command_that_reads_settings_takes_them_in_the_same_ways() -> None:
    without = {"version", "engines", "config schema"}
    commands = dict(leaves(main))
    assert commands.keys() > without
    for name, command in commands.items():
        options = {option for parameter in command.params for option in parameter.opts}
        assert ({"--config", "--profile", "--set"} <= options) == (name not in without), name


def leaves(group: click.Group) -> Iterator[tuple[str, click.Command]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from ((f"{name} {below}", leaf) for below, leaf in leaves(command))
        else:
            yield name, command


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("canary", "not name=value"),
        ("turn.silence=canary", "that is not a setting; `turn.silence_ms` is"),
        ("can ary=canary", "that is not a setting"),
        ("turn=canary", "is not a JSON object"),
        ("port=canary", "`port` (command line)"),
    ],
)
def test_what_is_wrong_on_the_command_line_is_told_without_its_value(
    tmp_path: Path, given: str, says: str
) -> None:
    for command in (["config", "show"], ["serve"], ["keys", "list"], ["safety", "rules"]):
        result = run(tmp_path, *command, "--set", given)
        assert result.returncode == 2
        assert says in result.stderr
        assert "canary" not in result.stderr


def test_editors_are_given_a_schema_that_the_settings_keep_to(tmp_path: Path) -> None:
    result = run(tmp_path, "config", "schema")
    assert result.returncode == 0, result.stderr
    schema = json.loads(result.stdout)
    Draft202012Validator.check_schema(schema)
    check = Draft202012Validator(schema)
    assert set(schema["properties"]) == set(Settings.model_fields)
    assert check.is_valid({"port": 8080, "turn": {"silence_ms": 700}, "llm": {"any": {"thing": 1}}})
    for wrong in ({"prot": 1}, {"turn": {"silence": 1}}, {"port": "eighty"}, {"port": 70_000}):
        assert not check.is_valid(wrong), wrong


def test_what_only_sounds_like_a_secret_is_shown() -> None:
    options = {
        "max_tokens": 7,
        "stop": ["</s>"],
        "base_url": "https://x.example/v1?near={place}&n={count}",
        "keyboard": "qwerty",
        "tokenizer": "bpe",
        "api_key": None,
        "openai": {"headers": {}, "first_token_timeout_s": 3.0},
    }
    settings = Settings(llm=options)
    told = {row.name: row.value for row in rows(Loaded(settings, {}, None))}
    assert MASK not in json.dumps(told)
    assert told["llm.max_tokens"] == 7
    assert told["llm.base_url"] == options["base_url"]
    assert told["timeouts.first_token"] == 8.0


def test_a_wrong_setting_is_a_message_and_exit_code_2(tmp_path: Path) -> None:
    result = run(tmp_path, "config", "show", INZWA_PROT="1")
    assert result.returncode == 2
    assert "INZWA_PROT is not a setting" in result.stderr
    assert "Traceback" not in result.stderr
