"""The client of MLflow against a registry of its own making.

MLflow's server needs half a gigabyte of packages and half a minute to start; its client
keeps a whole registry in files as well, through the same calls.
"""

from __future__ import annotations

from pathlib import Path

import mlflow
import pytest

from inzwa_rtc.catalogue.errors import DownloadFailed, Refused, Tampered
from inzwa_rtc.catalogue.store import Store
from tests.catalogue.models import GGUF, entry, fetch


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", (tmp_path / "mlflow").as_uri())
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    monkeypatch.setenv("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    model = tmp_path / "model"
    (model / "parts").mkdir(parents=True)
    (model / "model.gguf").write_bytes(GGUF)
    (model / "parts" / "config.json").write_text("{}")
    register(model)
    return model


def register(model: Path) -> None:
    client = mlflow.MlflowClient()
    if not client.search_registered_models():
        client.create_registered_model("shona llm")
    client.create_model_version("shona llm", source=model.as_uri())


def test_a_version_of_a_registered_model_comes_whole(registry: Path, store: Store) -> None:
    record = fetch(entry("mine", "mlflow://models/shona%20llm/1"), store)
    assert record.revision == "1"
    folder = store.verify("mine")
    assert (folder / "model.gguf").read_bytes() == GGUF
    assert (folder / "parts" / "config.json").read_text() == "{}"


def test_an_alias_means_the_version_that_it_named_at_first(
    registry: Path, store: Store, tmp_path: Path
) -> None:
    client = mlflow.MlflowClient()
    client.set_registered_model_alias("shona llm", "live", "1")
    wanted = entry("mine", "mlflow://models/shona%20llm@live")
    assert fetch(wanted, store).revision == "1"
    (tmp_path / "second").mkdir()
    (tmp_path / "second" / "model.gguf").write_bytes(GGUF + b"2")
    register(tmp_path / "second")
    client.set_registered_model_alias("shona llm", "live", "2")
    assert fetch(wanted, store).revision == "1"
    assert fetch(wanted, store, update=True).revision == "2"


def test_a_version_that_changed_since_it_was_trusted_is_refused(
    registry: Path, store: Store
) -> None:
    wanted = entry("mine", "mlflow://models/shona%20llm/1")
    fetch(wanted, store)
    (registry / "model.gguf").write_bytes(GGUF[::-1])
    with pytest.raises(Tampered):
        fetch(wanted, store)


def test_a_model_that_mlflow_pickled_is_refused(registry: Path, store: Store) -> None:
    (registry / "python_model.pkl").write_bytes(b"anything")
    with pytest.raises(Refused, match=r"python_model.pkl is a pickle"):
        fetch(entry("mine", "mlflow://models/shona%20llm/1"), store)


@pytest.mark.parametrize(
    "address",
    [
        "mlflow://models/nobody/1",
        "mlflow://models/shona%20llm/9",
        "mlflow://models/shona%20llm@nothing",
        "mlflow://models/shona%20llm",
        "mlflow://runs/abc/model",
    ],
)
def test_what_is_not_registered_is_named(registry: Path, store: Store, address: str) -> None:
    with pytest.raises(DownloadFailed) as missing:
        fetch(entry("mine", address), store)
    assert missing.value.action


def test_without_a_server_nothing_is_asked(
    store: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DownloadFailed, match="Which MLflow server"):
        fetch(entry("mine", "mlflow://models/any/1"), store)
    assert not list(tmp_path.glob("mlruns*"))
