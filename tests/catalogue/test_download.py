"""Files over HTTP: resumed, never mixed, never more than they should be."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections import namedtuple
from pathlib import Path

import pytest
from aiohttp import web as http
from yarl import URL

from inzwa_rtc.catalogue.errors import DownloadFailed, ModelError
from inzwa_rtc.catalogue.sources.download import Wanted, download
from tests.catalogue.models import AT_ONCE
from tests.catalogue.serving import FileServer

CONTENT = bytes(range(251)) * 4099  # about a megabyte, no repeating kilobytes

_Usage = namedtuple("_Usage", "total used free")


def get(
    web: FileServer,
    folder: Path,
    path: str = "/model.gguf",
    *,
    size: int | None = None,
    is_hashed: bool = False,
    waits_s: tuple[float, ...] = AT_ONCE,
    headers: dict[str, str] | None = None,
) -> bytes:
    target = folder / "model"
    wanted = Wanted(URL(web.url + path), size, is_hashed, headers)
    asyncio.run(download(wanted, target, lambda done, total: None, waits_s))
    return target.read_bytes()


def test_a_file_comes_whole_and_leaves_nothing_beside_it(web: FileServer, tmp_path: Path) -> None:
    web.put("/model.gguf", CONTENT)
    assert get(web, tmp_path) == CONTENT
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_progress_is_told_in_bytes_of_the_whole(web: FileServer, tmp_path: Path) -> None:
    web.put("/model.gguf", CONTENT, cuts=[600_000])
    told: list[tuple[int, int | None]] = []
    wanted = Wanted(URL(f"{web.url}/model.gguf"))
    asyncio.run(download(wanted, tmp_path / "m", lambda *told_now: told.append(told_now), AT_ONCE))
    assert told[0] == (0, len(CONTENT))
    assert told[-1] == (len(CONTENT), len(CONTENT))
    assert all(total == len(CONTENT) for _, total in told)


def test_a_cut_download_goes_on_where_it_stopped(web: FileServer, tmp_path: Path) -> None:
    web.put("/model.gguf", CONTENT, cuts=[400_000, 300_000])
    assert get(web, tmp_path) == CONTENT
    first, second, third = web.ranges()
    assert first is None
    assert second and 0 < int(second[6:-1]) <= 400_000
    assert third and int(second[6:-1]) < int(third[6:-1]) <= 700_000


def test_a_later_run_goes_on_where_an_earlier_one_gave_up(web: FileServer, tmp_path: Path) -> None:
    web.put("/model.gguf", CONTENT, cuts=[400_000])
    with pytest.raises(DownloadFailed, match=r"model.gguf cannot be downloaded") as failed:
        get(web, tmp_path, waits_s=())
    assert "goes on" in failed.value.action
    assert not (tmp_path / "model").exists()
    assert get(web, tmp_path) == CONTENT
    assert web.ranges()[1]


def test_a_server_without_ranges_sends_it_all_again(web: FileServer, tmp_path: Path) -> None:
    web.put("/model.gguf", CONTENT, cuts=[400_000], ranges=False)
    assert get(web, tmp_path) == CONTENT


def test_a_file_that_changed_meanwhile_is_not_mixed_with_the_old_one(
    web: FileServer, tmp_path: Path
) -> None:
    web.put("/model.gguf", CONTENT, cuts=[400_000])
    with pytest.raises(DownloadFailed):
        get(web, tmp_path, waits_s=())
    new = CONTENT[::-1]
    web.put("/model.gguf", new, etag='"2"')
    assert get(web, tmp_path) == new
    assert web.asked[-1].headers["If-Range"] == '"1"'


def test_a_server_that_resumes_another_file_is_noticed(web: FileServer, tmp_path: Path) -> None:
    web.put("/model.gguf", CONTENT, cuts=[400_000])
    with pytest.raises(DownloadFailed):
        get(web, tmp_path, waits_s=())

    async def ignores_if_range(request: http.Request) -> http.StreamResponse:
        whole = "Range" not in request.headers
        start = 0 if whole else int(request.headers["Range"][6:-1])
        headers = {"ETag": '"2"'}
        if not whole:
            headers["Content-Range"] = f"bytes {start}-{len(new) - 1}/{len(new)}"
        return http.Response(status=200 if whole else 206, body=new[start:], headers=headers)

    new = CONTENT[::-1]
    web.handlers["/model.gguf"] = ignores_if_range
    assert get(web, tmp_path) == new


def test_without_a_validator_a_part_is_kept_only_where_the_hash_will_tell(
    web: FileServer, tmp_path: Path
) -> None:
    for is_hashed in (False, True):
        web.put("/model.gguf", CONTENT, cuts=[400_000], etag=None)
        web.asked.clear()
        assert get(web, tmp_path, is_hashed=is_hashed) == CONTENT
        assert bool(web.ranges()[1]) is is_hashed


def test_a_weak_validator_is_none(web: FileServer, tmp_path: Path) -> None:
    web.put("/model.gguf", CONTENT, cuts=[400_000], etag='W/"1"')
    assert get(web, tmp_path) == CONTENT
    assert web.ranges() == [None, None]


def test_the_part_of_another_address_is_not_gone_on_with(web: FileServer, tmp_path: Path) -> None:
    web.put("/old.gguf", CONTENT[::-1], cuts=[400_000])
    web.put("/model.gguf", CONTENT)
    with pytest.raises(DownloadFailed):
        get(web, tmp_path, "/old.gguf", waits_s=())
    assert get(web, tmp_path) == CONTENT
    assert web.ranges()[-1] is None


def test_a_part_that_is_longer_than_the_file_is_dropped(web: FileServer, tmp_path: Path) -> None:
    web.put("/model.gguf", CONTENT)
    (tmp_path / "model.part").write_bytes(CONTENT + b"more")
    note = {"url": f"{web.url}/model.gguf", "validator": '"1"'}
    (tmp_path / "model.part.json").write_text(json.dumps(note))
    assert get(web, tmp_path) == CONTENT


def test_a_file_in_chunks_without_a_length_comes_whole(web: FileServer, tmp_path: Path) -> None:
    web.put("/model.gguf", CONTENT, chunked=True)
    assert get(web, tmp_path) == CONTENT


def test_chunks_that_end_early_are_not_taken_for_the_whole(web: FileServer, tmp_path: Path) -> None:
    web.put("/model.gguf", CONTENT[:-1], chunked=True, ranges=False)
    with pytest.raises(DownloadFailed, match="ended early"):
        get(web, tmp_path, size=len(CONTENT))


def test_another_size_than_expected_is_refused_at_once(web: FileServer, tmp_path: Path) -> None:
    web.put("/model.gguf", CONTENT)
    with pytest.raises(DownloadFailed, match=f"{len(CONTENT)} bytes, where 7 are expected"):
        get(web, tmp_path, size=7)
    assert len(web.asked) == 1


def test_more_than_the_size_is_never_written(web: FileServer, tmp_path: Path) -> None:
    web.put("/model.gguf", CONTENT, chunked=True)
    with pytest.raises(DownloadFailed, match="more than it should"):
        get(web, tmp_path, size=1000)
    assert (tmp_path / "model.part").stat().st_size <= 1000


def test_a_huge_length_is_refused_before_a_byte_is_written(web: FileServer, tmp_path: Path) -> None:
    web.put("/model.gguf", b"", headers={"Content-Length": str(10**15)}, cuts=[0])
    with pytest.raises(ModelError, match="do not fit") as full:
        get(web, tmp_path)
    assert full.value.code == "disk_full"
    assert "models_dir" in full.value.action
    assert not (tmp_path / "model.part").exists()


def test_too_little_room_is_said_before_anything_is_written(
    web: FileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    web.put("/model.gguf", CONTENT)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: _Usage(10**12, 0, 1000))
    with pytest.raises(ModelError, match=r"1.0 MB more do not fit .*: 1.0 kB are free"):
        get(web, tmp_path)
    assert not (tmp_path / "model.part").exists()


def test_a_busy_server_is_asked_again(web: FileServer, tmp_path: Path) -> None:
    answers = [503, 429, 500]

    async def busy(request: http.Request) -> http.StreamResponse:
        if answers:
            return http.Response(status=answers.pop(), headers={"Retry-After": "0"})
        return http.Response(body=CONTENT)

    web.handlers["/model.gguf"] = busy
    assert get(web, tmp_path) == CONTENT


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_a_refusal_is_not_asked_again(web: FileServer, tmp_path: Path, status: int) -> None:
    async def refuse(request: http.Request) -> http.StreamResponse:
        return http.Response(status=status)

    web.handlers["/model.gguf"] = refuse
    with pytest.raises(DownloadFailed, match=str(status)):
        get(web, tmp_path)
    assert len(web.asked) == 1


def test_redirects_are_followed_with_the_address_as_it_was_signed(
    web: FileServer, tmp_path: Path
) -> None:
    raw: list[str] = []

    async def away(request: http.Request) -> http.StreamResponse:
        return http.Response(status=302, headers={"Location": "/there?sig=a%2Fb%2Bc%20d"})

    async def there(request: http.Request) -> http.StreamResponse:
        raw.append(request.raw_path)
        return http.Response(body=CONTENT)

    web.handlers |= {"/model.gguf": away, "/there": there}
    assert get(web, tmp_path) == CONTENT
    assert raw == ["/there?sig=a%2Fb%2Bc%20d"]


def test_a_ring_of_redirects_is_given_up(web: FileServer, tmp_path: Path) -> None:
    async def round_and_round(request: http.Request) -> http.StreamResponse:
        return http.Response(status=302, headers={"Location": "/model.gguf"})

    web.handlers["/model.gguf"] = round_and_round
    with pytest.raises(DownloadFailed, match="without end"):
        get(web, tmp_path)
    assert len(web.asked) < 20


@pytest.mark.parametrize(
    "target", ["http://example.org/model", "file:///etc/passwd", "ftp://127.0.0.1/", "http://[::"]
)
def test_a_redirect_to_an_unsafe_address_is_refused(
    web: FileServer, tmp_path: Path, target: str
) -> None:
    async def away(request: http.Request) -> http.StreamResponse:
        return http.Response(status=302, headers={"Location": target})

    web.handlers["/model.gguf"] = away
    with pytest.raises(DownloadFailed):
        get(web, tmp_path)


def test_a_token_does_not_follow_to_another_host(web: FileServer, tmp_path: Path) -> None:
    async def away(request: http.Request) -> http.StreamResponse:
        elsewhere = f"http://localhost:{request.url.port}/there"
        return http.Response(status=307, headers={"Location": elsewhere})

    web.handlers["/model.gguf"] = away
    web.put("/there", CONTENT)
    get(web, tmp_path, headers={"authorization": "Bearer canary", "X-Plain": "1"})
    at_home, abroad = web.asked
    assert at_home.headers["authorization"] == "Bearer canary"
    assert "canary" not in str(abroad.headers)
    assert abroad.headers["X-Plain"] == "1"


def test_a_compressed_answer_is_refused(web: FileServer, tmp_path: Path) -> None:
    web.put("/model.gguf", CONTENT, headers={"Content-Encoding": "gzip"})
    with pytest.raises(DownloadFailed, match="compressed"):
        get(web, tmp_path)


def test_errors_do_not_tell_what_is_secret_in_an_address(web: FileServer, tmp_path: Path) -> None:
    with pytest.raises(DownloadFailed) as missing:
        get(web, tmp_path, "/nothing?token=canary")
    assert "canary" not in str(missing.value)
