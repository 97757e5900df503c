"""Models that are given to `inzwa-rtc models pull` by address, not by name."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

from pydantic import ValidationError

from inzwa_rtc.catalogue.entries import Entry, checked_name, shipped
from inzwa_rtc.catalogue.store import Store
from inzwa_rtc.errors import ConfigError


def at_addresses(
    addresses: list[str], name: str | None, sha256: str | None, store: Store
) -> list[Entry]:
    """An entry for each address. `name` and `sha256` may be given for one only."""
    if (name or sha256) and len(addresses) != 1:
        raise ConfigError(
            "--name and --sha256 are for one model that is given as an address.",
            action="Pull it by a command of its own.",
        )
    return [_entry(address, name or _name_in(address), sha256, store) for address in addresses]


def valid_name(name: str) -> str:
    """`name`, if it may be a model's; `ConfigError` otherwise."""
    try:
        return checked_name(name)
    except ValueError as error:
        raise ConfigError(f"`{name}` names no model: {error}.", action="Correct it.") from None


def _entry(address: str, name: str, sha256: str | None, store: Store) -> Entry:
    valid_name(name)
    here = store.read(name)
    if name in shipped().models or name in shipped().sets or (here and here.source != address):
        raise ConfigError(
            f"There is another model named `{name}`.", action="Choose another name with --name."
        )
    file = PurePosixPath(unquote(urlsplit(address).path)).name
    files = [{"path": file, "sha256": sha256.lower()}] if sha256 else []
    try:
        return Entry.model_validate({"name": name, "source": address, "files": files})
    except ValidationError as error:
        wrong = "; ".join(f"{item['loc'][-1]}: {item['msg']}" for item in error.errors())
        raise ConfigError(f"{address} cannot be pulled: {wrong}.", action="Correct it.") from None


def _name_in(address: str) -> str:
    """A model's name from its address: the file's without suffix, or the repository's."""
    parts = urlsplit(address)
    path = unquote(parts.path).strip("/")
    if parts.scheme == "mlflow":
        last = path.partition("/")[0].partition("@")[0]
    else:
        last = path.rpartition("/")[2].partition("@")[0]
        last = re.sub(r"\.(gguf|bin|onnx|safetensors)$", "", last, flags=re.I)
    return re.sub(r"[^a-z0-9._-]+", "-", last.lower()).strip("-._")[:64]
