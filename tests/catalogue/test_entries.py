"""The catalogue itself, and what a wrong one is told."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inzwa_rtc.catalogue.entries import (
    Catalogue,
    by_engine,
    checked_name,
    checked_path,
    read,
    shipped,
)
from inzwa_rtc.catalogue.formats import refuse_name
from inzwa_rtc.catalogue.resolve import profile
from inzwa_rtc.engines import registry
from inzwa_rtc.errors import ConfigError
from inzwa_rtc.settings import Settings

MODEL = """
[models.tiny]
kind = "llm"
engine = "llama-cpp"
languages = ["en"]
summary = "A model"
source = "file:///tmp/model.gguf"
memory_mb = 1
"""


def test_every_model_is_complete() -> None:
    for model in shipped().models.values():
        assert model.licence, model.name
        assert model.files, model.name
        assert ("NC" in (model.licence or "")) is model.non_commercial
        for file in model.files:
            refuse_name(file.path)


def test_every_pinned_model_says_what_all_its_files_are() -> None:
    unpinned = {
        model.name
        for model in shipped().models.values()
        if model.size is None or any(file.sha256 is None for file in model.files)
    }
    assert unpinned == {"mms-sna"}


def test_the_hub_is_asked_for_one_version_only() -> None:
    for model in shipped().models.values():
        if model.source.startswith("hf://") and model.name != "mms-sna":
            revision = model.source.partition("@")[2].partition("/")[0]
            assert len(revision) == 40, model.name


@pytest.mark.parametrize("name", sorted(shipped().sets))
def test_the_settings_of_a_starter_set_are_settings(name: str) -> None:
    settings = Settings.model_validate(dict(profile(name)))
    for kind in ("asr", "llm"):
        model = shipped().models[getattr(settings, f"{kind}_model")]
        assert model.kind == kind
        assert model.engine == getattr(settings, f"{kind}_engine")
        assert model.engine in registry.known(model.kind)
        assert not model.non_commercial


def test_the_shona_set_listens_for_shona_and_says_what_to_expect() -> None:
    starter = shipped().sets["starter-sn"]
    assert starter.settings["asr_language"] == starter.settings["language"] == "sn"
    assert "will not be good" in starter.note


def test_an_unknown_profile_names_the_known_ones() -> None:
    with pytest.raises(ConfigError, match="known: starter-en, starter-sn"):
        profile("starter-xx")


def test_models_are_found_by_engine() -> None:
    assert {model.name for model in by_engine(shipped())["whisper.cpp"]} == {
        "whisper-cpp-base",
        "whisper-cpp-small",
    }


@pytest.mark.parametrize("path", ["a.bin", "onnx/model.onnx", "a-b_c d/(1).txt", "a..b"])
def test_paths_within_a_model_are_taken(path: str) -> None:
    assert checked_path(path) == path


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "/a",
        "a/",
        "a//b",
        "..",
        "a/../b",
        "./a",
        ".hidden",
        "a/.b",
        "C:a",
        "a\\b",
        "a\0b",
        "a\n",
        "a ",
        "a.",
        "nul:",
        "a" * 513,
        "a?b",
    ],
)
def test_paths_out_of_a_model_are_not(path: str) -> None:
    with pytest.raises(ValueError, match="is not the path"):
        checked_path(path)


@given(st.text(st.sampled_from("ab./\\:~ -_\0"), max_size=12) | st.text(max_size=12))
def test_no_path_that_is_taken_leads_out_of_its_folder(path: str) -> None:
    folder = Path("/models/tiny")
    try:
        taken = checked_path(path)
    except ValueError:
        return
    assert folder in Path(os.path.normpath(folder / taken)).parents


@pytest.mark.parametrize("name", ["whisper-base", "qwen2.5-0.5b", "a"])
def test_names_are_taken(name: str) -> None:
    assert checked_name(name) == name


@pytest.mark.parametrize("name", ["", "A", "a/b", "..", ".a", "-a", "a..b", "a b", "a" * 65, "é"])
def test_names_that_are_no_folders_are_not(name: str) -> None:
    with pytest.raises(ValueError, match="a name has"):
        checked_name(name)


@pytest.mark.parametrize(
    ("more", "what"),
    [
        ('files = [{path = "../x"}]', "not the path"),
        ('files = [{path = "x", sha256 = "abc"}]', "pattern"),
        ('files = [{path = "x"}, {path = "x"}]', "named twice"),
        ('files = [{path = "x"}]\nopens = "y"', "names none of its files"),
        ("color = 1", "Extra inputs"),
        ('[sets.s]\nsummary = "S"\nmodels = ["tiny"]\nsettings = {}', "do not use its models"),
        ('[sets.s]\nsummary = "S"\nmodels = ["x"]\nsettings = {llm_model = "x"}', "do not use"),
        ('[sets.tiny]\nsummary = "S"\nmodels = []\nsettings = {}', "both models and sets"),
    ],
)
def test_a_wrong_catalogue_is_refused(more: str, what: str) -> None:
    with pytest.raises(ValueError, match=what):
        read(MODEL + more)


def test_a_model_from_an_unknown_place_is_refused() -> None:
    with pytest.raises(ValueError, match="a source starts with"):
        read(MODEL.replace("file://", "gopher://"))


def a_catalogue(text: str = MODEL) -> Catalogue:
    return read(text)


def test_names_come_from_the_tables() -> None:
    known: dict[str, Any] = dict(a_catalogue().models)
    assert known["tiny"].name == "tiny"
