"""Whatever is given wrong, and wherever: no message repeats what may be a secret."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inzwa_rtc.errors import ConfigError
from inzwa_rtc.settings import Settings, flatten, load, names, read_assignments
from inzwa_rtc.settings.shown import rows
from tests.support.configuration import empty_surroundings

CANARY = "hunter2hunter2hunter2"

NAMES = sorted(name for name, _ in flatten(Settings().model_dump()))
# A secret by itself, among other text, as an address, run together with a name, in a container.
VALUES = st.one_of(
    st.sampled_from(
        [
            CANARY,
            f" {CANARY}\n",
            f"https://user:{CANARY}@host/path?key={CANARY}",
            f"{CANARY}-{CANARY}",
            f"[{CANARY}",
            f'{{"x": "{CANARY}"',
        ]
    ),
    st.just([CANARY]),
    st.just({"x": CANARY}),
    st.just({f"x:{CANARY}": None}),
    st.just([{"url": CANARY, "headers": {"Authorization": CANARY}}]),
)
ANYWHERE = st.dictionaries(st.sampled_from(NAMES), VALUES, min_size=1, max_size=4)

pytestmark = pytest.mark.usefixtures("empty")


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    empty_surroundings(tmp_path, monkeypatch)


def nested(wrong: dict[str, Any]) -> dict[str, Any]:
    """The same, with groups in place of full names."""
    tree: dict[str, Any] = {}
    for name, value in wrong.items():
        here = tree
        *above, last = name.split(".")
        for part in above:
            here = here.setdefault(part, {})
        here[last] = value
    return tree


def as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def tell(**given: Any) -> str:
    """What loading these says, if it refuses them."""
    try:
        load(**given)
    except ConfigError as error:
        return f"{error} {error.__cause__}"
    return ""


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ANYWHERE)
def test_from_the_file(wrong: dict[str, Any]) -> None:
    Path("inzwa.yaml").write_text(yaml.safe_dump(nested(wrong)), encoding="utf-8")
    assert CANARY not in tell()


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ANYWHERE)
def test_from_the_environment(wrong: dict[str, Any]) -> None:
    variables = {f"INZWA_{name.replace('.', '__').upper()}": value for name, value in wrong.items()}
    os.environ.update({name: as_text(value) for name, value in variables.items()})
    try:
        assert CANARY not in tell()
    finally:
        for name in variables:
            del os.environ[name]


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ANYWHERE)
def test_from_the_command_line(wrong: dict[str, Any]) -> None:
    try:
        given = read_assignments(
            [f"{name}={as_text(value)}" for name, value in wrong.items()], names()
        )
    except ConfigError as error:
        assert CANARY not in f"{error} {error.__cause__}"
        return
    assert CANARY not in tell(overrides=given)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(alphabet=":-[]{},'\"!&*#|>%@` \n", max_size=12), st.integers(0, 12))
def test_from_a_file_that_is_not_yaml(noise: str, at: int) -> None:
    text = f"llm:\n  api_key: {noise[:at]}{CANARY}{noise[at:]}\nport: no\n"
    Path("inzwa.yaml").write_text(text, encoding="utf-8")
    assert CANARY not in tell()


@given(st.sampled_from(["llm", "tts", "asr"]), st.sampled_from(["api_key", "x_token", "password"]))
def test_what_is_right_is_shown_without_it(kind: str, name: str) -> None:
    loaded = load(overrides={kind: {"server": [{name: CANARY}], name: CANARY}})
    assert CANARY not in json.dumps([row.value for row in rows(loaded)], default=str)
