"""Checks of what engines compute with: processors, memory, GPUs."""

from __future__ import annotations

import shutil
import subprocess
from importlib.util import find_spec

from inzwa_rtc.catalogue.entries import shipped
from inzwa_rtc.cli.doctor.finding import Finding
from inzwa_rtc.engines import registry
from inzwa_rtc.machine.load import memory_left
from inzwa_rtc.machine.processors import affinity, usable_processors
from inzwa_rtc.settings import Settings

_GIB = 2**30
_SERVER_MB = 300  # the server itself and the embedded engines
_ASKS_WITHIN_S = 10.0


def processors(settings: Settings) -> Finding:
    """Speech engines and callers have processors to share."""
    count, there = usable_processors(), len(affinity())
    what = f"{count:g} usable" + (f" of {there}, by a quota" if count < there else "")
    if count < 2:
        return Finding(
            "processors",
            "warning",
            what,
            "Engines and calls will wait for each other: give the server two or more.",
        )
    return Finding("processors", "ok", what)


def memory(settings: Settings) -> Finding:
    """The models that the settings name find room."""
    left, needed = memory_left(), needed_memory(settings)
    what = f"{left / _GIB:.1f} GB free"
    if needed > left:
        return Finding(
            "memory",
            "warning",
            f"{what}, and the models that are named take about {needed / _GIB:.1f} GB",
            "Choose smaller ones (`inzwa-rtc models list`), or free memory.",
        )
    return Finding("memory", "ok", what)


def needed_memory(settings: Settings) -> int:
    """Bytes that the server takes with the models of the catalogue that the settings name."""
    models = shipped().models
    megabytes = _SERVER_MB
    for engines in registry.chosen(settings).values():
        for engine in engines:
            named = registry.models_named(engine.options)
            sizes = [models[name].memory_mb for name in named.values() if name in models]
            megabytes += max(sizes, default=0)  # of two, one is loaded
    return megabytes * 1_000_000


def gpu(settings: Settings) -> Finding:
    """Which GPUs NVIDIA's driver sees; each engine tells whether its library can use one."""
    found = gpus()
    if found:
        return Finding("gpu", "ok", ", ".join(found))
    asked = [kind for kind in registry.KINDS if getattr(settings, f"{kind}_device")[:4] == "cuda"]
    if asked:
        return Finding(
            "gpu",
            "problem",
            "none seen by NVIDIA's driver",
            f"Install the driver, or set {', '.join(f'{kind}_device' for kind in asked)} to auto.",
        )
    return Finding("gpu", "ok", "none: engines compute on the CPU")


def gpus() -> list[str]:
    """The names of the GPUs, by NVIDIA's own tool; none where that is not installed."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return []
    try:
        told = subprocess.run(
            [tool, "--query-gpu=name", "--format=csv,noheader"],
            capture_output=True,
            text=True,
            timeout=_ASKS_WITHIN_S,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):  # a tool without a driver
        return []
    return [line.strip() for line in told.stdout.splitlines() if line.strip()]


def llama_cpp(settings: Settings) -> Finding:
    """Whether llama.cpp is compiled for this machine, where it is used."""
    name = "llama.cpp"
    used = [
        engine for engine in registry.chosen(settings)["llm"] if engine.spec.name == "llama-cpp"
    ]
    if not used:
        return Finding(name, "ok", "not used")
    if used[0].python is not None:
        return Finding(name, "ok", f"in the environment of {used[0].python}")
    if find_spec("llama_cpp") and used[0].options.get("backend") != "xllamacpp":
        return Finding(name, "ok", "llama-cpp-python, compiled here")
    return Finding(
        name,
        "ok",
        "xllamacpp, built for any processor with AVX2",
        "llama-cpp-python, compiled for this machine, may be faster where that has more than AVX2"
        " (docs/benchmarks.md); it takes minutes to install: "
        f"{registry.install_commands(used[0].spec)[0].replace('[llama]', '[llama-cpp-python]')}",
    )
