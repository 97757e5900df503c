"""Checks of the models that the settings name: here, whole, and what was pulled."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from inzwa_rtc.catalogue.entries import Model, shipped
from inzwa_rtc.catalogue.errors import ModelError
from inzwa_rtc.catalogue.resolve import resolve
from inzwa_rtc.catalogue.store import Store, default_folder
from inzwa_rtc.cli.doctor.finding import Finding, found
from inzwa_rtc.engines import registry
from inzwa_rtc.engines.registry import Chosen, EngineSpec
from inzwa_rtc.settings import Settings

_LACKS = {
    "absent": "not pulled yet",
    "unfinished": "pulled in part",
    "damaged": "incomplete, or not what the catalogue names now",
}


def models(settings: Settings) -> Sequence[Finding]:
    """How each model stands that an engine is to load; those of servers are the servers'."""
    findings = [
        finding
        for engines in registry.chosen(settings).values()
        for finding in _of_kind(engines, Store(settings.models_dir or default_folder()))
    ]
    return findings or [Finding("models", "ok", "none to be loaded")]


def _of_kind(engines: Sequence[Chosen], store: Store) -> Iterator[Finding]:
    known = {entry.engine for entry in shipped().models.values()}
    for engine in engines:
        if engine.spec.name not in known:
            continue
        for model in dict.fromkeys(registry.models_named(engine.options).values()):
            for finding in found(f"model {model}", partial(_model, engine.spec, model, store)):
                # Where there is another engine, calls go on without this one.
                is_mild = len(engines) > 1 and finding.status == "problem"
                yield replace(finding, status="warning") if is_mild else finding


def _model(spec: EngineSpec, model: str, store: Store) -> Finding:
    name, entry = f"model {model}", shipped().models.get(model)
    lacks = _LACKS.get(store.state(entry)) if entry else None
    if lacks:
        return Finding(name, "problem", lacks, f"Run: inzwa-rtc models pull {model}")
    place = Path(resolve(model, spec.name, store.folder))
    if not place.exists():
        raise ModelError(
            f"There is nothing at {place}.", action=f"Correct the path under `{spec.kind}`."
        )
    if entry is None and store.folder not in place.parents:
        return Finding(name, "ok", "a path; nobody vouches for it")
    return Finding(name, "ok", "here and unchanged" + _vouched(entry))


def _vouched(entry: Model | None) -> str:
    if entry and entry.files and all(file.sha256 for file in entry.files):
        return ", as the catalogue has it"
    return " since it was pulled; its source alone vouches for it"
