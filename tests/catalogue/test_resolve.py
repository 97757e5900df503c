"""From a name in the configuration to what an engine is given."""

from __future__ import annotations

from pathlib import Path

import pytest

from inzwa_rtc.catalogue.entries import Catalogue, read
from inzwa_rtc.catalogue.errors import ModelError
from inzwa_rtc.catalogue.resolve import entries, resolve
from inzwa_rtc.catalogue.store import Store
from inzwa_rtc.errors import ConfigError, EngineUnavailable
from tests.catalogue.models import GGUF, entry, fetch

TABLE = """
[models.{name}]
kind = "{kind}"
engine = "{engine}"
languages = ["en"]
summary = "A model"
source = "{source}"
memory_mb = 1
files = [{{ path = "model.gguf" }}]
"""


@pytest.fixture
def catalogue(tmp_path: Path) -> Catalogue:
    (tmp_path / "model.gguf").write_bytes(GGUF)
    source = (tmp_path / "model.gguf").as_uri()
    tables = [
        TABLE.format(name="tiny", kind="llm", engine="llama-cpp", source=source),
        TABLE.format(name="small", kind="llm", engine="llama-cpp", source=source),
        TABLE.format(name="ear", kind="asr", engine="faster-whisper", source=source),
        '[sets.starter]\nsummary = "S"\nmodels = ["tiny", "ear"]\n'
        'settings = {asr_model = "ear", llm_model = "tiny"}',
    ]
    return read("".join(tables))


def test_a_name_becomes_the_path_of_an_intact_model(store: Store, catalogue: Catalogue) -> None:
    fetch(catalogue.models["tiny"], store)
    found = resolve("tiny", "llama-cpp", store.folder, catalogue)
    assert found == str(store.folder / "tiny" / "model.gguf")
    assert resolve("tiny", None, store.folder, catalogue) == found


def test_a_model_that_is_not_here_names_the_command(store: Store, catalogue: Catalogue) -> None:
    with pytest.raises(EngineUnavailable) as missing:
        resolve("tiny", "llama-cpp", store.folder, catalogue)
    assert missing.value.code == "model_missing"
    assert missing.value.action == "Run: inzwa-rtc models pull tiny"


def test_a_tampered_model_is_not_given(store: Store, catalogue: Catalogue) -> None:
    fetch(catalogue.models["tiny"], store)
    (store.folder / "tiny" / "model.gguf").write_bytes(GGUF[::-1])
    with pytest.raises(EngineUnavailable) as tampered:
        resolve("tiny", "llama-cpp", store.folder, catalogue)
    assert tampered.value.code == "model_tampered"


def test_a_model_of_another_engine_says_what_to_set(store: Store, catalogue: Catalogue) -> None:
    with pytest.raises(ConfigError, match="made for the engine `faster-whisper`") as wrong:
        resolve("ear", "llama-cpp", store.folder, catalogue)
    assert "`asr_engine` to `faster-whisper`" in wrong.value.action


def test_a_misspelt_name_is_told_the_near_one(store: Store, catalogue: Catalogue) -> None:
    with pytest.raises(ModelError, match="Is `tiny` meant") as wrong:
        resolve("tinny", "llama-cpp", store.folder, catalogue)
    assert "tiny, small" in wrong.value.action


def test_a_model_pulled_from_an_address_has_its_own_name(
    store: Store, catalogue: Catalogue, tmp_path: Path
) -> None:
    fetch(entry("mine", (tmp_path / "model.gguf").as_uri()), store)
    found = resolve("mine", "llama-cpp", store.folder, catalogue)
    assert found == str(store.folder / "mine" / "model.gguf")


@pytest.mark.parametrize("path", ["./tiny", "/models/tiny", "Model.gguf", "C:\\tiny"])
def test_a_path_stays_a_path(store: Store, catalogue: Catalogue, path: str) -> None:
    assert resolve(path, "llama-cpp", store.folder, catalogue) == path


def test_a_file_of_this_folder_may_look_like_a_name(
    store: Store, catalogue: Catalogue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert resolve("model.gguf", "llama-cpp", store.folder, catalogue) == "model.gguf"


@pytest.mark.parametrize("model", ["tiny", "gpt-4o-mini", "llama3.2:1b", "org/model"])
def test_the_models_of_a_remote_engine_are_its_own(
    store: Store, catalogue: Catalogue, model: str
) -> None:
    assert resolve(model, "openai", store.folder, catalogue) == model


def test_a_starter_set_is_its_models(store: Store, catalogue: Catalogue) -> None:
    found = entries(["starter", "tiny", "small"], catalogue, store)
    assert [model.name for model in found] == ["tiny", "ear", "small"]


def test_a_model_pulled_from_an_address_is_pulled_again_by_its_name(
    store: Store, catalogue: Catalogue, tmp_path: Path
) -> None:
    mine = entry("mine", (tmp_path / "model.gguf").as_uri())
    fetch(mine, store)
    (store.folder / "mine" / "model.gguf").write_bytes(b"spoilt")
    assert entries(["mine"], catalogue, store) == [mine]


def test_a_name_that_is_in_no_catalogue_is_told_the_near_one(
    store: Store, catalogue: Catalogue
) -> None:
    with pytest.raises(ConfigError, match="Is `starter` meant"):
        entries(["startr"], catalogue, store)
