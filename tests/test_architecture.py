"""The dependency rule of docs/architecture.md, read from the imports of every file."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MAX_LINES = 320

# What each room may import besides itself. A name stands for itself and all below it.
COMMON = (
    *("installation", "audio", "events", "errors", "language", "settings", "logging", "metrics"),
    "users",
    "observer",
    "pseudonym",
)
ROOMS: dict[str, tuple[str, ...]] = {
    "audio": (),
    "errors": (),
    "events": (),
    "installation": (),
    "language": (),
    "logging": (),
    "metrics": (),
    "observer": (),
    "pseudonym": (),
    "tracing": (),
    "machine": (),
    "bench": (),  # calls any server: it knows nothing of ours
    # A starter set brings settings.
    "settings": ("catalogue", "prices"),
    "users": (),
    "prices": (),
    "transport": ("playout", "engines.contracts"),  # the rate that recognisers take
    "playout": ("engines.contracts",),  # words and their times
    "turntaking": ("engines.contracts",),  # declares what a voice detector is
    "conversation": ("turntaking", "playout", "safety", "speech", "tools", "engines.contracts"),
    # How a text is read: what is said, how it is joined.
    "speech": ("engines.contracts", "prices"),
    "safety": (),
    "engines": ("catalogue", "machine"),
    "recordings": ("turntaking", "engines.contracts"),
    "noise": ("engines.contracts", "engines.registry"),  # the latter says how to install
    "catalogue": (),
    "store": (),
    "tools": ("engines.contracts",),
}
# What the network edge may import of inzwa_rtc.
SIGNALING: tuple[str, ...] = (
    "transport",
    "conversation",
    "playout",
    "turntaking",
    "noise",
    "recordings",
    "store",
    "safety",
    "speech",
    "tools",
    "tracing",
    "machine",  # how busy it is
    "engines.contracts",
    "engines.registry",
    "engines.client",  # the engines as they are reached in their own processes
)
# The code that decides knows no clock and no loop.
NEVER_ASYNC = (
    "turntaking",
    "safety",
    "conversation.phrases",
    "conversation.shedding",
    "conversation.spoken",
    "speech.text",
)


def sources(*folders: str) -> list[Path]:
    return sorted(file for folder in folders for file in (ROOT / folder).rglob("*.py"))


def module_name(file: Path) -> str:
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(file: Path) -> Iterator[str]:
    """Every module that a file imports, wherever in the file."""
    package = module_name(file).split(".")
    if file.name != "__init__.py":
        package = package[:-1]
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*above, *filter(None, [node.module])])
            # `from package import module` may import a module: name both.
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


def is_within(module: str, room: str) -> bool:
    return module == room or module.startswith(f"{room}.")


def within_any(module: str, rooms: tuple[str, ...]) -> bool:
    return any(is_within(module, f"inzwa_rtc.{room}") for room in rooms)


def engine_modules() -> tuple[str, ...]:
    """Where engines live: the folders under engines/."""
    return tuple(f"engines.{kind}" for kind in ("asr", "llm", "tts"))


def ours(file: Path) -> list[str]:
    """What a file imports of inzwa_rtc, packages that only lead to a module left out."""
    named = [module for module in imports(file) if is_within(module, "inzwa_rtc")]
    return [
        module
        for module in dict.fromkeys(named)
        if not any(other.startswith(f"{module}.") for other in named)
    ]


ALL = sources("inzwa_rtc", "signaling")


@pytest.mark.parametrize("file", ALL, ids=module_name)
def test_a_room_imports_only_what_it_may(file: Path) -> None:
    name = module_name(file)
    if is_within(name, "inzwa_rtc.cli") or name == "inzwa_rtc":
        return  # the composition root may import everything
    if is_within(name, "signaling"):
        allowed: tuple[str, ...] = SIGNALING
    else:
        room = name.split(".")[1]
        assert room in ROOMS, f"{name}: say in ROOMS what this new room may import"
        allowed = (room, *ROOMS[room])
    wrong = [
        module
        for module in ours(file)
        if module.count(".") and not within_any(module, (*allowed, *COMMON, "__version__"))
    ]
    assert not wrong, f"{name} must not import {wrong}"


@pytest.mark.parametrize("file", sources("inzwa_rtc"), ids=module_name)
def test_signaling_is_imported_by_the_composition_root_alone(file: Path) -> None:
    if not is_within(module_name(file), "inzwa_rtc.cli"):
        assert not [module for module in imports(file) if is_within(module, "signaling")]


@pytest.mark.parametrize("file", ALL, ids=module_name)
def test_nothing_imports_an_engine_but_its_own_kind(file: Path) -> None:
    """Engines are found by entry point; files of one kind may share code."""
    name = module_name(file)
    foreign = tuple(kind for kind in engine_modules() if not is_within(name, f"inzwa_rtc.{kind}"))
    assert not [module for module in imports(file) if within_any(module, foreign)]


@pytest.mark.parametrize(
    "file",
    [file for kind in engine_modules() for file in sources(f"inzwa_rtc/{kind.replace('.', '/')}")],
    ids=module_name,
)
def test_an_engine_imports_contracts_and_audio_only(file: Path) -> None:
    own = tuple(
        kind for kind in engine_modules() if is_within(module_name(file), f"inzwa_rtc.{kind}")
    )
    # engines.registry: several takes are judged by a recogniser that is loaded beside the voice.
    # engines.guide: what the scripted engine answers is what the recogniser must understand.
    allowed = (
        *own,
        "engines.contracts",
        "engines.guide",
        "engines.hardware",
        "engines.remote",  # what engines on a server share
        "engines.run_folder",  # files that a library wants to read
        "catalogue.manifest",  # the licence of a voice that was pulled
        "machine.memory",  # what loading took is given back
        "engines.registry",
        "audio",
        "errors",
        "language",
    )
    assert not [module for module in ours(file) if not within_any(module, allowed)]


@pytest.mark.parametrize("file", ALL, ids=module_name)
def test_code_that_decides_never_waits(file: Path) -> None:
    if within_any(module_name(file), NEVER_ASYNC):
        assert not [module for module in imports(file) if is_within(module, "asyncio")]


@pytest.mark.parametrize(
    "file", sources("inzwa_rtc", "signaling", "tests", "benchmarks", "models"), ids=module_name
)
def test_a_file_stays_readable_in_one_sitting(file: Path) -> None:
    lines = file.read_text(encoding="utf-8").count("\n")
    assert lines <= MAX_LINES, "it is usually two things: split it"


PRIVATE = re.compile(
    r"_RTC[A-Za-z]+__|\._connection\b.*\._|\b(?:_rx_srtp|_rtp_router|_setup_srtp)\b"
)
REACHES_IN = ("inzwa_rtc.transport.hooks", "inzwa_rtc.bench.tap")


@pytest.mark.parametrize("file", ALL, ids=module_name)
def test_what_aiortc_and_aioice_keep_to_themselves_is_reached_into_in_one_room(file: Path) -> None:
    if not any(is_within(module_name(file), room) for room in REACHES_IN):
        assert not PRIVATE.search(file.read_text(encoding="utf-8"))
