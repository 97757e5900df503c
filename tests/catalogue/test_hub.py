"""The hub's own client against a hub of ours."""

from __future__ import annotations

import pytest

from inzwa_rtc.catalogue.entries import Entry
from inzwa_rtc.catalogue.errors import DownloadFailed, Refused, Tampered
from inzwa_rtc.catalogue.pull import plan
from inzwa_rtc.catalogue.sources.hub import Hub
from inzwa_rtc.catalogue.store import Store
from tests.catalogue.hub import FakeHub, Repository
from tests.catalogue.models import AT_ONCE, GGUF, entry, fetch
from tests.catalogue.serving import sha256

FIRST, SECOND = "a" * 40, "b" * 40


def at(hub: FakeHub, wanted: Entry) -> Hub:
    return Hub(wanted.source, endpoint=hub.url, waits_s=AT_ONCE)


def whisper(commit: str = FIRST, config: bytes = b"{}") -> Repository:
    files = {".gitattributes": b"", "README.md": b"#", "config.json": config, "model.gguf": GGUF}
    return Repository(commit, files, large=("model.gguf",))


def test_all_that_a_repository_has_of_a_model_comes(hub: FakeHub, store: Store) -> None:
    hub.add("org/whisper", whisper())
    wanted = entry("whisper", "hf://org/whisper")
    record = fetch(wanted, store, at(hub, wanted))
    assert record.revision == FIRST
    assert record.licence == "mit"
    folder = store.verify("whisper")
    assert (folder / "model.gguf").read_bytes() == GGUF
    assert sorted(path.name for path in folder.iterdir()) == [
        ".inzwa.json",
        "config.json",
        "model.gguf",
    ]


def test_the_hubs_hashes_are_known_before_the_download(hub: FakeHub, store: Store) -> None:
    hub.add("org/whisper", whisper())
    wanted = entry("whisper", "hf://org/whisper")
    planned = plan(wanted, store, source=at(hub, wanted))
    assert {file.path: file.sha256 for file in planned.files} == {
        "config.json": None,
        "model.gguf": sha256(GGUF),
    }
    assert planned.trusted == ("config.json",)
    assert planned.size == len(GGUF) + 2


def test_bytes_that_differ_from_the_hubs_hash_are_refused(hub: FakeHub, store: Store) -> None:
    repository = whisper()
    repository.lies["model.gguf"] = sha256(b"another")
    hub.add("org/whisper", repository)
    wanted = entry("whisper", "hf://org/whisper")
    with pytest.raises(Tampered, match=sha256(GGUF)):
        fetch(wanted, store, at(hub, wanted))
    assert store.read("whisper") is None
    assert not list(store.folder.rglob("model.gguf"))


def test_a_hub_that_offers_another_file_than_the_catalogue_is_refused_before_the_download(
    hub: FakeHub, store: Store
) -> None:
    hub.add("org/whisper", whisper())
    pinned = {"path": "model.gguf", "sha256": sha256(b"another")}
    wanted = entry("whisper", "hf://org/whisper", pinned)
    with pytest.raises(Tampered):
        plan(wanted, store, source=at(hub, wanted))
    assert not [asked for asked in hub.asked if "resolve" in asked.path]


@pytest.mark.parametrize(
    ("address", "paths"),
    [
        ("hf://org/voices@main/en/alba", ["alba.onnx", "alba.onnx.json"]),
        ("hf://org/voices/en/alba/alba.onnx", ["alba.onnx"]),
        (f"hf://org/voices@{FIRST}/top.onnx", ["top.onnx"]),
    ],
)
def test_an_address_may_name_a_folder_or_a_file_of_a_repository(
    hub: FakeHub, store: Store, address: str, paths: list[str]
) -> None:
    files = {f"en/alba/{name}": name.encode() for name in ("alba.onnx", "alba.onnx.json")}
    hub.add("org/voices", Repository(FIRST, {**files, "en/other.onnx": b"o", "top.onnx": b"t"}))
    wanted = entry("voice", address)
    record = fetch(wanted, store, at(hub, wanted))
    assert [file.path for file in record.files] == paths


def test_files_in_folders_of_the_model_keep_their_places(hub: FakeHub, store: Store) -> None:
    hub.add("org/k", Repository(FIRST, {"onnx/model.onnx": b"m", "voices/a.bin": b"v" * 9}))
    wanted = entry("k", "hf://org/k")
    fetch(wanted, store, at(hub, wanted))
    assert (store.verify("k") / "voices" / "a.bin").read_bytes() == b"v" * 9


def test_the_version_that_was_used_first_is_used_again(hub: FakeHub, store: Store) -> None:
    hub.add("org/whisper", whisper())
    wanted = entry("whisper", "hf://org/whisper")
    fetch(wanted, store, at(hub, wanted))
    store.remove("whisper")
    hub.add("org/whisper", whisper(SECOND, config=b'{"new": 1}'))
    assert fetch(wanted, store, at(hub, wanted)).revision == FIRST
    updated = fetch(wanted, store, at(hub, wanted), update=True)
    assert updated.revision == SECOND
    assert (store.verify("whisper") / "config.json").read_bytes() == b'{"new": 1}'


def test_a_version_whose_files_changed_is_refused(hub: FakeHub, store: Store) -> None:
    """The first use of a file without a hash is trusted, the second has to agree with it."""
    hub.add("org/whisper", whisper())
    wanted = entry("whisper", "hf://org/whisper")
    fetch(wanted, store, at(hub, wanted))
    store.remove("whisper")
    hub.add("org/whisper", whisper(config=b"{ }"))
    with pytest.raises(Tampered, match=r"config.json .* is not the file") as changed:
        fetch(wanted, store, at(hub, wanted))
    assert "models pull --update whisper" in changed.value.action


def test_a_cut_file_goes_on_at_the_cdn(hub: FakeHub, store: Store) -> None:
    hub.add("org/whisper", whisper())
    hub.files[f"/cdn/{FIRST}/model.gguf"].cuts = [9000]
    wanted = entry("whisper", "hf://org/whisper/model.gguf")
    fetch(wanted, store, at(hub, wanted))
    cdn = [asked for asked in hub.asked if asked.path.startswith("/cdn")]
    assert [bool(asked.headers.get("Range")) for asked in cdn] == [False, True]


def test_the_token_is_sent_to_the_hub(
    hub: FakeHub, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_canary")
    hub.add("org/whisper", whisper())
    wanted = entry("whisper", "hf://org/whisper/model.gguf")
    fetch(wanted, store, at(hub, wanted))
    assert {asked.headers["Authorization"] for asked in hub.asked} == {"Bearer hf_canary"}


@pytest.mark.parametrize(
    ("address", "what"),
    [
        ("hf://org/nothing", "none of this name"),
        ("hf://org/whisper@v9", "no version `v9`"),
        ("hf://org/whisper/nothing.gguf", "has no files"),
        ("hf://org/bad..name", "cannot be read"),
        ("hf://org", "names no repository"),
    ],
)
def test_what_is_not_there_is_named(hub: FakeHub, store: Store, address: str, what: str) -> None:
    hub.add("org/whisper", whisper())
    wanted = entry("whisper", address)
    with pytest.raises(DownloadFailed, match=what) as failed:
        fetch(wanted, store, at(hub, wanted))
    assert failed.value.action


def test_a_gated_repository_says_how_to_be_let_in(hub: FakeHub, store: Store) -> None:
    hub.refuses["org/gated"] = "GatedRepo"
    wanted = entry("gated", "hf://org/gated")
    with pytest.raises(DownloadFailed, match="asked first") as gated:
        fetch(wanted, store, at(hub, wanted))
    assert "https://huggingface.co/org/gated" in gated.value.action


def test_a_hub_that_is_not_there_is_a_message(store: Store) -> None:
    wanted = entry("whisper", "hf://org/whisper")
    with pytest.raises(DownloadFailed, match="cannot be read") as failed:
        fetch(wanted, store, Hub(wanted.source, endpoint="http://127.0.0.1:1"))
    assert "network" in failed.value.action


def test_a_file_of_the_catalogue_that_the_repository_lacks_is_named(
    hub: FakeHub, store: Store
) -> None:
    hub.add("org/whisper", whisper())
    wanted = entry("whisper", "hf://org/whisper", {"path": "tokenizer.json"})
    with pytest.raises(DownloadFailed, match=r"has no tokenizer.json"):
        fetch(wanted, store, at(hub, wanted))


@pytest.mark.parametrize("path", ["../../etc/passwd", "/etc/passwd", "a/../../b", "C:evil", "a\\b"])
def test_a_path_that_leads_out_of_the_model_is_refused(
    hub: FakeHub, store: Store, path: str
) -> None:
    hub.add("org/whisper", Repository(FIRST, {"model.gguf": GGUF, path: b"evil"}))
    wanted = entry("whisper", "hf://org/whisper")
    with pytest.raises(Refused, match="cannot be stored"):
        fetch(wanted, store, at(hub, wanted))
    assert not store.folder.exists()


def test_pickles_are_refused_before_the_download(hub: FakeHub, store: Store) -> None:
    hub.add("org/whisper", Repository(FIRST, {"model.gguf": GGUF, "old/weights.pt": b"."}))
    wanted = entry("whisper", "hf://org/whisper")
    with pytest.raises(Refused, match="pickle"):
        fetch(wanted, store, at(hub, wanted))
    assert not [asked for asked in hub.asked if "resolve" in asked.path]
