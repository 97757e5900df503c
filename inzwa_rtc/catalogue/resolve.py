"""From the name in a configuration to files that an engine may load."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from inzwa_rtc.catalogue.entries import Catalogue, Entry, Model, by_engine, checked_name, shipped
from inzwa_rtc.catalogue.errors import ModelError
from inzwa_rtc.catalogue.store import Store, default_folder
from inzwa_rtc.errors import ConfigError


def resolve(
    model: str,
    engine: str | None = None,
    folder: Path | None = None,
    catalogue: Catalogue | None = None,
) -> str:
    """What to give an engine as its model: the path of an intact one, or `model` itself.

    `model` names a model of the catalogue, or one that was pulled under that name; its
    files are verified (see `store`), which takes a moment unless they were changed. A
    path stays as it is, and so does every name that is given to an engine for which the
    catalogue has no models: those of a remote server are the server's.

    `engine` is the engine that will load it (None: any), `folder` where models lie.
    Raises `ModelError`, with the command to run, when the model is not here or must not
    be used, and `ConfigError` when it is made for another engine.
    """
    catalogue = catalogue or shipped()
    store = Store(folder or default_folder())
    known = by_engine(catalogue)
    if (engine is not None and engine not in known) or not _is_name(model):
        return model
    entry = catalogue.models.get(model)
    if entry is not None:
        if engine not in (None, entry.engine):
            raise _for_another(entry, engine, known)
        return str(store.verify(model, entry))
    if store.read(model) is not None:
        return str(store.verify(model))
    if engine is not None and not Path(model).exists():
        raise _unknown(model, engine, known, store)
    return model


def profile(name: str, catalogue: Catalogue | None = None) -> Mapping[str, Any]:
    """The settings of a starter set; `ConfigError` for a name that there is none of."""
    sets = (catalogue or shipped()).sets
    if name not in sets:
        raise ConfigError(
            f"There is no such profile; known: {', '.join(sorted(sets))}.",
            action="Correct `profile` (INZWA_PROFILE, --profile).",
        )
    return sets[name].settings


def entries(names: list[str], catalogue: Catalogue, store: Store) -> list[Entry]:
    """The models that names mean, those of starter sets spelt out; each one once.

    A name that is not in the catalogue may be one that was pulled from an address before.
    """
    found: dict[str, Entry] = {}
    for name in names:
        if name in catalogue.sets:
            found |= {model: catalogue.models[model] for model in catalogue.sets[name].models}
        elif name in catalogue.models:
            found[name] = catalogue.models[name]
        elif _is_name(name) and (here := store.read(name)):
            found[name] = Entry(name=name, source=here.source, opens=here.opens)
        else:
            names = [*catalogue.models, *catalogue.sets]
            raise ConfigError(
                f"The catalogue has no `{name}`.{_close(name, names)}",
                action="See `inzwa-rtc models list`, or give an address such as hf://ORG/REPO.",
            )
    return list(found.values())


def _is_name(model: str) -> bool:
    try:
        checked_name(model)
    except ValueError:
        return False
    return True


def _for_another(
    entry: Model, engine: str | None, known: Mapping[str, tuple[Model, ...]]
) -> ConfigError:
    own = ", ".join(model.name for model in known[engine or entry.engine])
    return ConfigError(
        f"The model `{entry.name}` is made for the engine `{entry.engine}`, not `{engine}`.",
        action=f"Set `{entry.kind}_model` to one of: {own}; or `{entry.kind}_engine` to "
        f"`{entry.engine}`.",
    )


def _unknown(
    model: str, engine: str, known: Mapping[str, tuple[Model, ...]], store: Store
) -> ModelError:
    names = [entry.name for entry in known[engine]]
    return ModelError(
        f"`{model}` is neither a model of the catalogue or in {store.folder}, nor a path."
        f"{_close(model, names)}",
        action=f"The models for {engine} are: {', '.join(names)}.",
        code="model_missing",
    )


def _close(name: str, names: list[str]) -> str:
    close = difflib.get_close_matches(name, names, n=1)
    return f" Is `{close[0]}` meant?" if close else ""
