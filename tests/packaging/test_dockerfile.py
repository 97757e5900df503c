"""The Dockerfile as it is written. What its steps do is seen in test_image.py."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from tests.support.dockerfile import ROOT, Stage, context, lineage, stages

TARGETS = ("embedded", "full")
# Environments of their own, compilers, and what is for those who develop or release.
IN_NO_IMAGE = {"openai-whisper", "coqui", "qwen3", "chatterbox", "llama-cpp-python"}
IN_NO_IMAGE |= {"test", "sbom", "acceptance", "bench"}


def extras() -> dict[str, list[str]]:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    found: dict[str, list[str]] = tomllib.loads(text)["project"]["optional-dependencies"]
    return found


def default_extras(stage: Stage) -> set[str]:
    told = next(step for step in stage.steps if step.instruction == "ARG").settings({})
    return set(told["EXTRAS"].split(","))


def test_it_has_two_targets_and_builds_the_small_one_unless_told() -> None:
    assert list(stages())[-1] == "embedded"
    assert set(TARGETS) <= set(stages())


def test_the_two_differ_in_their_extras_and_in_nothing_else() -> None:
    small, full = stages()["build-embedded"], stages()["build-full"]
    assert small.base == full.base
    assert small.steps[0].instruction == full.steps[0].instruction == "ARG"
    assert small.steps[1:] == full.steps[1:]
    assert stages()["embedded"].base == stages()["full"].base == "server"
    assert default_extras(small) < default_extras(full)


def test_the_full_one_has_every_extra_that_can_share_an_environment() -> None:
    known = extras()
    # An extra that another one consists of comes with that one.
    parts = {
        part
        for needed in known.values()
        for match in (re.fullmatch(r"inzwa-rtc\[(.*)\]", one) for one in needed)
        if match
        for part in match[1].split(",")
    }
    full = default_extras(stages()["build-full"])
    assert full <= set(known)
    assert set(known) - IN_NO_IMAGE - full <= parts


@pytest.mark.parametrize("target", TARGETS)
def test_packages_are_installed_before_the_sources_come(target: str) -> None:
    steps = [step for stage in lineage(f"build-{target}") for step in stage.steps]
    install = next(
        i for i, step in enumerate(steps) if "EXTRAS" in step.text and "pip" in step.text
    )
    before = [
        name for step in steps[:install] if step.instruction == "COPY" for name in step.copied()[1]
    ]
    assert set(before) == {"pyproject.toml", "LICENSE"}, "a change of these alone installs again"


def test_what_is_copied_is_what_dockerignore_lets_through() -> None:
    steps = [step for stage in stages().values() for step in stage.steps]
    copies = [step.copied() for step in steps if step.instruction == "COPY"]
    sources = {source for stage, sources, _ in copies if stage is None for source in sources}
    sent_always = {Path("Dockerfile"), Path(".dockerignore")}
    seen = set(context()) - sent_always
    for source in sources:
        assert any(file.is_relative_to(source) for file in seen), f"{source} is kept back"
    for file in seen:
        assert any(file.is_relative_to(source) for source in sources), f"{file} is for nothing"


def test_nothing_private_or_built_here_is_sent() -> None:
    seen = context()
    folders = {part for file in seen for part in file.parts[:-1]}
    assert not folders & {".git", ".venv", "node_modules", "__pycache__", "tests", "docs"}
    assert not [file for file in seen if re.search(r"(^|/)(\.env|inzwa\.yaml)", str(file))]
    assert Path("models/catalogue.toml") in seen
    assert len([file for file in seen if file.parts[0] == "models"]) == 1


@pytest.mark.parametrize("target", TARGETS)
def test_it_runs_as_somebody_else_than_root_who_is_named_by_number(target: str) -> None:
    users = [s.text for stage in lineage(target) for s in stage.steps if s.instruction == "USER"]
    assert users[-1].isdigit()
    assert int(users[-1]) > 0


@pytest.mark.parametrize("target", TARGETS)
def test_the_server_is_process_one_and_no_shell_stands_between(target: str) -> None:
    steps = {step.instruction: step for stage in lineage(target) for step in stage.steps}
    assert steps["ENTRYPOINT"].words() == ["inzwa-rtc"]
    assert steps["CMD"].words() == ["serve"]


@pytest.mark.parametrize("target", TARGETS)
def test_no_variable_of_the_image_wins_over_a_file_of_the_operators(target: str) -> None:
    told = [
        name
        for stage in lineage(target)
        for step in stage.steps
        if step.instruction == "ENV"
        for name in step.settings({})
    ]
    assert [name for name in told if name.startswith("INZWA_")] == ["INZWA_CONFIG"]
