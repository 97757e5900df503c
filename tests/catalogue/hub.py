"""A hub that speaks the API of huggingface.co to its own client."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.catalogue.serving import FileServer, sha256


@dataclass
class Repository:
    """One version of a repository: its commit, its files, and which of them LFS keeps."""

    commit: str
    files: dict[str, bytes]
    large: tuple[str, ...] = ()
    licence: str | None = "mit"
    lies: dict[str, str] = field(default_factory=dict)
    """SHA-256 that the hub states of a large file in place of the true one."""


class FakeHub(FileServer):
    """Repositories by name and revision; large files come from another path, as from a CDN."""

    def __init__(self) -> None:
        super().__init__()
        self.repositories: dict[tuple[str, str], Repository] = {}
        self.refuses: dict[str, str] = {}
        """Error code of the hub by repository, such as `GatedRepo`."""

    def add(self, name: str, repository: Repository, *revisions: str) -> None:
        for revision in (repository.commit, *(revisions or ("main",))):
            self.repositories[name, revision] = repository
        for path, content in repository.files.items():
            etag = f'"{sha256(content)}"'
            self.put(f"/cdn/{repository.commit}/{path}", content, etag=etag)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        match request.path.strip("/").split("/"):
            case ["api", "models", org, repo]:
                return self._info(f"{org}/{repo}", "main")
            case ["api", "models", org, repo, "revision", revision]:
                return self._info(f"{org}/{repo}", revision)
            case [org, repo, "resolve", revision, *path]:
                return await self._resolve(request, f"{org}/{repo}", revision, "/".join(path))
        return await super().answer(request)

    def _info(self, name: str, revision: str) -> web.Response:
        if code := self.refuses.get(name):
            return web.Response(status=403, headers={"X-Error-Code": code}, text="refused")
        if not any(name == known for known, _ in self.repositories):
            return web.Response(status=401, headers={"X-Error-Code": "RepoNotFound"})
        repository = self.repositories.get((name, revision))
        if repository is None:
            return web.Response(status=404, headers={"X-Error-Code": "RevisionNotFound"})
        info = {
            "id": name,
            "modelId": name,
            "sha": repository.commit,
            "siblings": [self._sibling(repository, path) for path in repository.files],
            "cardData": {"license": repository.licence} if repository.licence else None,
            "tags": [],
            "private": False,
            "downloads": 0,
            "likes": 0,
        }
        return web.Response(text=json.dumps(info), content_type="application/json")

    def _sibling(self, repository: Repository, path: str) -> dict[str, Any]:
        content = repository.files[path]
        blob = hashlib.sha1(f"blob {len(content)}\0".encode() + content).hexdigest()
        sibling: dict[str, Any] = {"rfilename": path, "size": len(content), "blobId": blob}
        if path in repository.large:
            stated = repository.lies.get(path, sha256(content))
            sibling["lfs"] = {"sha256": stated, "size": len(content), "pointerSize": 134}
        return sibling

    async def _resolve(
        self, request: web.Request, name: str, revision: str, path: str
    ) -> web.StreamResponse:
        repository = self.repositories.get((name, revision))
        if repository is None or path not in repository.files:
            return web.Response(status=404, headers={"X-Error-Code": "EntryNotFound"})
        place = f"/cdn/{repository.commit}/{path}"
        if path in repository.large:
            return web.Response(status=302, headers={"Location": f"{place}?signature=a%2Fb%20c"})
        file = self.files[place]
        headers = {"X-Repo-Commit": repository.commit, "ETag": file.etag or ""}
        return web.Response(body=file.content, headers=headers)
