"""`hf://ORG/REPO[@REVISION][/PATH]`: a repository of the Hugging Face hub, or part of one.

`huggingface_hub` says what is there, at which commit, and with which SHA-256; its token,
endpoint (`HF_ENDPOINT`) and offline switch (`HF_HUB_OFFLINE`) hold. The bytes come through
`download`: the client itself starts a file over when it was cut.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from yarl import URL

from inzwa_rtc.catalogue.entries import Entry, File
from inzwa_rtc.catalogue.errors import DownloadFailed
from inzwa_rtc.catalogue.sources.download import WAITS_S, Wanted, download
from inzwa_rtc.catalogue.sources.source import Listing, Progress, bounded, listed, offered
from inzwa_rtc.catalogue.sources.web import part_name
from inzwa_rtc.installation import pip_install

if TYPE_CHECKING:
    from huggingface_hub.hf_api import ModelInfo

_TIMEOUT_S = 30.0  # the client has none of its own for this question
_COMMIT = re.compile(r"[0-9a-f]{40}")


class Hub:
    """A repository at one revision; `path` is the part of it that is meant."""

    def __init__(
        self, address: str, endpoint: str | None = None, waits_s: Sequence[float] = WAITS_S
    ) -> None:
        _client()
        parts = urlsplit(address)
        repository, _, path = parts.path.removeprefix("/").partition("/")
        name, _, revision = repository.partition("@")
        if not parts.netloc or not name:
            raise DownloadFailed(
                f"{address} names no repository.", action="Write hf://ORG/REPO[@REVISION][/PATH]."
            )
        self.repository = f"{parts.netloc}/{name}"
        self._address, self._path = address, path.strip("/")
        self._revision = revision or None
        self._endpoint, self._waits_s = endpoint, waits_s

    def listing(self, entry: Entry, revision: str | None) -> Listing:
        info = self._info(revision or self._revision)
        if not info.sha or not _COMMIT.fullmatch(info.sha):
            raise DownloadFailed(
                f"The hub does not say which version of {self.repository} it has.",
                action="Name one: hf://ORG/REPO@REVISION.",
            )
        wanted = {file.path for file in entry.files}
        files = offered(self._address, entry, list(self._files(info, wanted)))
        card = info.card_data
        return Listing(
            bounded(self._address, files),
            revision=info.sha,
            licence=card.get("license") if card is not None else None,
        )

    def fetch(self, file: File, revision: str | None, into: Path, progress: Progress) -> Path:
        from huggingface_hub import hf_hub_url
        from huggingface_hub.utils import build_hf_headers  # type: ignore[attr-defined]

        path = (
            self._path if self._is_file(file) else "/".join(filter(None, [self._path, file.path]))
        )
        url = hf_hub_url(self.repository, path, revision=revision, endpoint=self._endpoint)
        headers = build_hf_headers(library_name="inzwa-rtc")
        wanted = Wanted(URL(url), file.size, is_hashed=file.sha256 is not None, headers=headers)
        target = into / part_name(file)
        asyncio.run(download(wanted, target, progress, self._waits_s))
        return target

    def _is_file(self, file: File) -> bool:
        """Whether the address names this very file, not the folder that it is in."""
        return self._path.rpartition("/")[2] == file.path

    def _files(self, info: ModelInfo, wanted: set[str]) -> Iterator[File]:
        for found in info.siblings or []:
            name = found.rfilename
            if name == self._path:
                path = name.rpartition("/")[2]
            elif not self._path:
                path = name
            elif name.startswith(f"{self._path}/"):
                path = name.removeprefix(f"{self._path}/")
            else:
                continue
            if path in wanted or (not wanted and not _is_about_the_repository(path)):
                sha256 = found.lfs.sha256 if found.lfs else None
                yield listed(self._address, path, found.size, sha256)

    def _info(self, revision: str | None) -> ModelInfo:
        from httpx2 import HTTPError
        from huggingface_hub import HfApi
        from huggingface_hub.errors import (
            GatedRepoError,
            HfHubHTTPError,
            HFValidationError,
            OfflineModeIsEnabled,
            RepositoryNotFoundError,
            RevisionNotFoundError,
        )

        api = HfApi(endpoint=self._endpoint, library_name="inzwa-rtc")
        try:
            return api.model_info(
                self.repository, revision=revision, files_metadata=True, timeout=_TIMEOUT_S
            )
        except GatedRepoError:
            raise self._fault(
                "its owner wants to be asked first",
                f"Accept its terms at https://huggingface.co/{self.repository}, then run: "
                "hf auth login",
            ) from None
        except RevisionNotFoundError:
            raise self._fault(
                f"it has no version `{revision}`",
                "Correct what stands after the @; for one that is gone meanwhile add --update.",
            ) from None
        except RepositoryNotFoundError:
            raise self._fault(
                "there is none of this name that you may see",
                "Correct the name; for a private one run: hf auth login",
            ) from None
        except HFValidationError as error:
            raise self._fault(str(error), "Correct the name.") from None
        except OfflineModeIsEnabled:
            raise self._fault(
                "HF_HUB_OFFLINE is set", "Unset it, or pull where the network is."
            ) from None
        except (HfHubHTTPError, HTTPError, ValueError) as error:
            first_line = (str(error) or type(error).__name__).splitlines()[0].rstrip(".")
            raise self._fault(first_line, "Check the network, and HF_ENDPOINT if set.") from None

    def _fault(self, what: str, action: str) -> DownloadFailed:
        return DownloadFailed(
            f"The repository {self.repository} cannot be read: {what}.", action=action
        )


def _is_about_the_repository(path: str) -> bool:
    """Git's own files and the model card: no part of the model."""
    hidden = any(part.startswith(".") and part.strip(".") for part in path.split("/"))
    return hidden or path.lower() == "readme.md"


def _client() -> None:
    try:
        import huggingface_hub  # noqa: F401
    except ModuleNotFoundError:
        raise DownloadFailed(
            "Models of the Hugging Face hub need its client, which is not installed.",
            action=f"Run: {pip_install('inzwa-rtc[hub]')}",
        ) from None
