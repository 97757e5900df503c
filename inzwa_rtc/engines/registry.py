"""Which engines there are, and how one is loaded. Nothing else imports an engine.

An engine is an entry point in the group `inzwa_rtc.asr`, `inzwa_rtc.llm` or
`inzwa_rtc.tts`, ours and third parties' alike: `name = "package.module:Class"`. The
class has an attribute `Options` (a pydantic model that forbids extra members), takes
an instance of it, and has a `close()` beside its Protocol's methods.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from inzwa_rtc.engines.contracts import EngineKind
from inzwa_rtc.engines.shipped import shipped
from inzwa_rtc.errors import ConfigError, EngineUnavailable, InzwaError, told
from inzwa_rtc.installation import NAME, install_apart, own_environment, pip_install

if TYPE_CHECKING:
    # Imported for its type only: an engine's process has no use for the settings.
    from inzwa_rtc.settings import Settings

KINDS: tuple[EngineKind, ...] = get_args(EngineKind)

_MODELS = ("model", "cpu_model")  # options that name a model of the catalogue, or a path
_GROUPS_OF_MODELS = ("adapters",)  # options whose members do


@dataclass(frozen=True, slots=True)
class EngineSpec:
    """Where an engine's class is: `import_path` is `package.module:Class`.

    `requirement` is what pip installs to have it, as in `inzwa-rtc[embedded]`. Models of
    the catalogue lie in `models_dir` (None: where they do by default).
    """

    kind: EngineKind
    name: str
    import_path: str
    requirement: str = ""
    models_dir: str | None = None


def known(kind: EngineKind) -> tuple[str, ...]:
    """Names of all engines of this kind that are installed or can be."""
    return tuple(sorted(point.name for point in _entry_points(kind)))


def find(kind: EngineKind, name: str) -> EngineSpec:
    """The engine of this name; raises `ConfigError`, listing the known ones."""
    for point in _entry_points(kind):
        if point.name == name:
            return EngineSpec(kind, name, point.value, _requirement(kind, point))
    raise ConfigError(
        f"There is no {kind} engine named `{name}`; known: {', '.join(known(kind)) or 'none'}.",
        action=f"Set `{kind}_engine` to one of them, or install the package that brings it.",
    )


@dataclass(frozen=True, slots=True)
class Chosen:
    """An engine that the settings name: what to load, with which options (not validated), in
    which Python (None: the one that runs this), in a process of its own or the server's."""

    spec: EngineSpec
    options: Mapping[str, Any]
    python: str | None = None
    runs: Literal["process", "inline"] = "process"


def chosen(settings: Settings) -> dict[EngineKind, tuple[Chosen, ...]]:
    """The engines of each kind in the order of preference; nearly always one."""
    engines = {kind: _of_kind(settings, kind) for kind in KINDS}
    (asr, *_), (llm, *_) = engines["asr"], engines["llm"]
    if (asr.spec.name, llm.spec.name) == ("pocketsphinx", "scripted"):
        # What the script can answer is what the recogniser's grammar must cover.
        shared = {name: llm.options[name] for name in ("script", "extra") if name in llm.options}
        engines["asr"] = (replace(asr, options={**shared, **asr.options}), *engines["asr"][1:])
    return engines


def load(spec: EngineSpec, options: Mapping[str, Any]) -> Any:
    """Import and build the engine, which may take long and block.

    Raises `ConfigError` naming the wrong option, and `EngineUnavailable` when something is
    not installed or, with the engine's own message, when it cannot be built.
    """
    engine_class = imported(spec)
    validated = _validated(spec, engine_class, _with_models(spec, options))
    try:
        return engine_class(validated)
    except InzwaError:
        raise
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("inzwa_rtc"):
            raise  # a fault of ours, which no extra would mend
        raise _not_installed(spec, error) from error
    except Exception as error:
        raise EngineUnavailable(
            f"The {spec.kind} engine `{spec.name}` cannot be loaded: "
            f"{type(error).__name__}: {error}",
            action=f"Check its options under `{spec.kind}:` in the configuration.",
        ) from error


def _entry_points(kind: EngineKind) -> tuple[EntryPoint, ...]:
    return tuple(entry_points(group=f"inzwa_rtc.{kind}"))


def _requirement(kind: EngineKind, point: EntryPoint) -> str:
    distribution = point.dist.name if point.dist else ""
    if distribution != NAME:
        return distribution
    info = shipped(kind, point.name)
    return f"{NAME}[{info.extra}]" if info else NAME


def _of_kind(settings: Settings, kind: EngineKind) -> tuple[Chosen, ...]:
    named = getattr(settings, f"{kind}_engine")
    names = (named,) if isinstance(named, str) else named
    group: Mapping[str, Any] = getattr(settings, kind)
    shared = {
        "model": getattr(settings, f"{kind}_model"),
        "device": getattr(settings, f"{kind}_device"),
    }
    shared = {name: value for name, value in shared.items() if value not in (None, "auto")}
    folder = None if settings.models_dir is None else str(settings.models_dir)
    engines = []
    for name in names:
        own = group.get(name, {}) if len(names) > 1 else group
        if not isinstance(own, Mapping):
            raise ConfigError(
                f"`{kind}.{name}` must hold the options of the engine `{name}`.",
                action=f"With several engines, `{kind}:` has a group of options for each.",
            )
        if unknown := set(group) - set(names) if len(names) > 1 else set():
            raise ConfigError(
                f"`{kind}.{min(unknown)}` is none of the engines {', '.join(names)}.",
                action=f"With several engines, `{kind}:` has a group of options for each.",
            )
        # A model or device for all is meant for the one engine there is.
        options = {**(shared if len(names) == 1 else {}), **own}
        member = f"{kind}.{name}" if len(names) > 1 else kind
        python, runs = options.pop("engine_python", None), options.pop("engine_runs", "process")
        if python is not None and not _is_path(python):
            raise ConfigError(
                f"`{member}.engine_python` must be the path of a Python interpreter.",
                action="Set it to one, such as /opt/engine/bin/python, or leave it out.",
            )
        if runs not in ("process", "inline") or (runs == "inline" and python is not None):
            raise ConfigError(
                f"`{member}.engine_runs` must be `process` or, without `engine_python`, `inline`.",
                action="Leave it out: engines belong in processes of their own.",
            )
        spec = replace(find(kind, name), models_dir=folder)
        engines.append(Chosen(spec, options, python, runs))
    return tuple(engines)


def _is_path(value: object) -> bool:
    return isinstance(value, str) and value != "" and "\0" not in value


def models_named(options: Mapping[str, Any]) -> dict[str, str]:
    """The models that an engine's options name, by option, such as `model`, `adapters.shona`."""
    named = {name: options[name] for name in _MODELS if name in options}
    for name in _GROUPS_OF_MODELS:
        group = options.get(name)
        if isinstance(group, Mapping):
            named |= {f"{name}.{member}": model for member, model in group.items()}
    return {name: model for name, model in named.items() if isinstance(model, str)}


def _with_models(spec: EngineSpec, options: Mapping[str, Any]) -> Mapping[str, Any]:
    """The options, models named as in the catalogue replaced by their verified places."""
    # Imported late: only engines with models need it.
    from inzwa_rtc.catalogue.resolve import resolve

    folder = None if spec.models_dir is None else Path(spec.models_dir)
    placed = dict(options)
    for name, model in models_named(options).items():
        place = resolve(model, spec.name, folder)
        group, _, member = name.partition(".")
        placed[group] = {**placed[group], member: place} if member else place
    return placed


def imported(spec: EngineSpec) -> Any:
    """The engine's class. Raises `EngineUnavailable` when it is not installed, or broken."""
    module, _, name = spec.import_path.partition(":")
    try:
        return getattr(importlib.import_module(module), name)
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("inzwa_rtc"):
            raise  # a fault of ours, which no extra would mend
        raise _not_installed(spec, error) from error
    except (ImportError, AttributeError) as error:
        raise EngineUnavailable(
            f"The {spec.kind} engine `{spec.name}` cannot be imported: {error}",
            action=f"Reinstall it. {_how_to_install(spec)}",
        ) from error


def _not_installed(spec: EngineSpec, error: ModuleNotFoundError) -> EngineUnavailable:
    return EngineUnavailable(
        f"The {spec.kind} engine `{spec.name}` is not installed (no module `{error.name}`).",
        action=_how_to_install(spec),
    )


def _how_to_install(spec: EngineSpec) -> str:
    commands, option = install_commands(spec), engine_python(spec)
    if option is None:
        return f"Run: {commands[0]}"
    return f"Run: {' && '.join(commands)}; then set `{spec.kind}.engine_python: {option}`."


def install_commands(spec: EngineSpec) -> tuple[str, ...]:
    """The commands that install the engine: for the Python which runs this, or in an
    environment of its own, if it needs one."""
    requirement = spec.requirement or NAME
    if engine_python(spec) is None:
        return (pip_install(requirement),)
    return install_apart(requirement, spec.name)


def engine_python(spec: EngineSpec) -> str | None:
    """What the option `engine_python` is to be once these commands have run; None for an
    engine that is installed where the server is."""
    info = shipped(spec.kind, spec.name)
    if info is None or info.environment == "the server's":
        return None
    return str(own_environment(spec.name) / "bin/python")


def _validated(spec: EngineSpec, engine_class: Any, options: Mapping[str, Any]) -> Any:
    # Imported late: only whoever loads an engine needs pydantic, and each engine brings it.
    from pydantic import ValidationError

    try:
        return engine_class.Options.model_validate(dict(options))
    except ValidationError as error:
        names = ", ".join(sorted(engine_class.Options.model_fields)) or "none"
        wrong = "; ".join(_describe(spec, item) for item in error.errors(include_url=False))
        raise ConfigError(
            f"The {spec.kind} engine `{spec.name}` cannot use its options: {wrong}.",
            action=f"Its options are: {names}.",
        ) from None


def _describe(spec: EngineSpec, item: Any) -> str:
    name = told((spec.kind, *item["loc"]))
    if item["type"] == "extra_forbidden":
        return f"`{name}` is not an option"
    return f"`{name}`: {item['msg']}"
