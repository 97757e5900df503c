"""`mlflow://models/NAME/VERSION`: a model of an MLflow registry, or `NAME@ALIAS`.

Which server is asked, and with which password, stands in MLflow's own variables
(`MLFLOW_TRACKING_URI`, `MLFLOW_REGISTRY_URI`, `MLFLOW_TRACKING_TOKEN`, ...). A version
never changes in a registry, yet MLflow knows no hashes: they are trusted on first use.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from inzwa_rtc.catalogue.entries import MAX_FILES, Entry, File
from inzwa_rtc.catalogue.errors import DownloadFailed
from inzwa_rtc.catalogue.sources import space
from inzwa_rtc.catalogue.sources.source import Listing, Progress, listed, offered
from inzwa_rtc.installation import pip_install


class ModelRegistry:
    """One version of a registered model. The client downloads a file whole: it does not
    resume one, but files that came are not asked for again."""

    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        name, _, version = unquote(parts.path).removeprefix("/").partition("/")
        self._name, _, self._alias = name.partition("@")
        self._address, self._version = address, version.strip("/")
        if parts.netloc != "models" or not self._name or bool(self._version) == bool(self._alias):
            raise DownloadFailed(
                f"{address} names no version of a model.",
                action="Write mlflow://models/NAME/VERSION or mlflow://models/NAME@ALIAS.",
            )
        self._mlflow = _client()

    def listing(self, entry: Entry, revision: str | None) -> Listing:
        version = revision or self._version or self._current()
        files = list(islice(self._walk(self._place(version), ""), MAX_FILES + 1))
        return Listing(offered(self._address, entry, files), revision=version)

    def fetch(self, file: File, revision: str | None, into: Path, progress: Progress) -> Path:
        space.require(into, file.size or 0)
        place = f"{self._place(revision or self._version)}/{file.path}"
        fetch = self._mlflow.artifacts.download_artifacts
        target = Path(self._asked(fetch, artifact_uri=place, dst_path=str(into)))
        progress(target.stat().st_size, file.size)
        return target

    def _current(self) -> str:
        client = self._mlflow.MlflowClient()
        found = self._asked(client.get_model_version_by_alias, self._name, self._alias)
        return str(found.version)

    def _place(self, version: str) -> str:
        client = self._mlflow.MlflowClient()
        place = self._asked(client.get_model_version_download_uri, self._name, version)
        return str(place).rstrip("/")

    def _walk(self, place: str, folder: str) -> Iterator[File]:
        found = self._asked(self._mlflow.artifacts.list_artifacts, artifact_uri=place)
        for item in found:
            name = item.path.rpartition("/")[2]
            if name.startswith("."):
                continue
            if item.is_dir:
                yield from self._walk(f"{place}/{name}", f"{folder}{name}/")
            else:
                yield listed(self._address, f"{folder}{name}", item.file_size)

    def _asked(self, question: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        try:
            return question(*arguments, **named)
        except (self._mlflow.MlflowException, OSError) as error:
            first_line = (str(error) or type(error).__name__).splitlines()[0].rstrip(".")
            raise DownloadFailed(
                f"{self._address} cannot be read: {first_line}.",
                action="Check MLFLOW_TRACKING_URI, the name and the version.",
            ) from None


def _client() -> Any:
    if not os.environ.get("MLFLOW_TRACKING_URI"):
        raise DownloadFailed(
            "Which MLflow server to ask is not said.",
            action="Set MLFLOW_TRACKING_URI, such as https://mlflow.example.org.",
        )
    # MLflow would report its use to its makers: this server contacts nobody on its own.
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    try:
        import mlflow
        import mlflow.artifacts
    except ModuleNotFoundError:
        raise DownloadFailed(
            "Models of an MLflow registry need its client, which is not installed.",
            action=f"Run: {pip_install('inzwa-rtc[mlflow]')}",
        ) from None
    return mlflow
