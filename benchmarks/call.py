"""How long a call takes to set up, to answer and to fall silent: docs/benchmarks.md.

    python -m benchmarks.call --calls 10 [--turns 2] [--only webrtc,websocket,stock] [--json]
    python -m benchmarks.call --calls 10 --questions 0 --interruptions 6 --only webrtc

One call after another, its targets in turn (interleaved), so that the machine's
ups and downs meet all of them alike.
"""

from __future__ import annotations

import argparse
import asyncio
import random
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import yaml

from benchmarks import server
from benchmarks.caller import Caller, SocketCaller, WebRtcCaller, calling
from benchmarks.ear import Told
from benchmarks.figures import Figures, Machine
from benchmarks.mouth import Phrase, phrase
from inzwa_rtc.settings import TurnSettings

QUESTION, STORY, INTERRUPTION = (
    "what is seven times eight",
    "tell me a story",
    "what is twelve plus nine",
)
TARGETS = ("webrtc", "stock", "websocket")
QUIET_S = 0.7  # nothing audible for so long: an answer is over (phrases are closer together)
PLAYS_S = (0.8, 2.0)  # how far into the story the caller interrupts it
PAUSE_S = 0.02  # silence that began so long before `playback.held` was the story's own


@dataclass(frozen=True, slots=True)
class Target:
    """A server by one of its transports; `tells` of turns in events, as ours does."""

    name: str
    running: server.Running
    new_caller: Callable[[aiohttp.ClientSession, str], Caller]
    tells: bool = True


@dataclass(frozen=True, slots=True)
class Said:
    """The phrases of the benchmark's caller."""

    question: Phrase
    story: Phrase
    interruption: Phrase


@dataclass(frozen=True, slots=True)
class Course:
    """What happens in each call: questions and interruptions in turn, as long as there are any.

    An interruption needs a story to interrupt, so it measures two more responses."""

    questions: int
    interruptions: int
    silence_ms: int


async def measure_call(target: Target, said: Said, course: Course, figures: Figures) -> None:
    """One call."""
    silence_ms = course.silence_ms
    prefix = f"{target.name}: "
    async with aiohttp.ClientSession() as http:
        caller = target.new_caller(http, target.running.url)
        async with calling(caller):
            await _set_up(caller, target, figures, prefix)
            for number in range(max(course.questions, course.interruptions)):
                if number < course.questions:
                    await caller.ear.silence(QUIET_S)
                    await _ask(caller, said.question, target, silence_ms, figures, prefix)
                if number < course.interruptions:
                    await caller.ear.silence(QUIET_S)
                    await _interrupt(caller, said, target, silence_ms, figures, prefix)


async def _set_up(caller: Caller, target: Target, figures: Figures, prefix: str) -> None:
    started = await caller.ear.event("session.started")
    first = await caller.ear.packet()
    times = {"set-up, session.started": started.at, "set-up, first packet": first.at}
    if isinstance(caller, WebRtcCaller):
        times = {"set-up, answer": caller.answered_at, **times}
    if target.tells:
        times["set-up, greeting audible"] = (await caller.ear.audible(0.0)).at
    figures.add({name: (at - caller.asked_at) * 1000 for name, at in times.items()}, prefix)


async def _ask(
    caller: Caller, what: Phrase, target: Target, silence_ms: int, figures: Figures, prefix: str
) -> None:
    spoken = caller.mouth.speak(what)
    await spoken.sent()
    await _answered(caller, spoken.last_at, target, silence_ms, figures, prefix)


async def _answered(
    caller: Caller,
    last_at: float,
    target: Target,
    silence_ms: int,
    figures: Figures,
    prefix: str,
) -> None:
    """Note how long the answer to what was said took, and where the time went."""
    heard = await caller.ear.audible(last_at)
    response = (heard.at - last_at) * 1000 - silence_ms
    figures.add({"response": response}, prefix)
    if target.tells:
        metrics = await caller.ear.event("turn.metrics", last_at)
        figures.add(_breakdown(metrics, last_at, heard.at, silence_ms), f"{prefix}  ")


def _breakdown(metrics: Told, last_at: float, heard_at: float, silence_ms: int) -> dict[str, float]:
    """The parts of a response; they add up to it.

    The server's times count from what its detector takes for the last voiced sample.
    """
    event = metrics.event
    left_ms = (metrics.at - last_at) * 1000
    return {
        "voice judged over after": left_ms - event["first_audio_ms"],
        "endpointing beyond its silence": event["silence_ms"] - silence_ms,
        "recognition": event["transcript_ms"] - event["silence_ms"],
        "first token": event["first_token_ms"] - event["transcript_ms"],
        "first audio": event["first_audio_ms"] - event["first_token_ms"],
        "way, and quiet before the first sound": (heard_at - metrics.at) * 1000,
    }


async def _interrupt(
    caller: Caller, said: Said, target: Target, silence_ms: int, figures: Figures, prefix: str
) -> None:
    await _ask(caller, said.story, target, silence_ms, figures, prefix)
    await asyncio.sleep(random.uniform(*PLAYS_S))
    spoken = caller.mouth.speak(said.interruption)
    await spoken.sent()
    cut = await caller.ear.event("turn.interrupted", spoken.first_at)
    silent_at = caller.ear.fell_silent_at(spoken.first_at - 1.0, spoken.last_at)
    figures.add({"barge-in, turn.interrupted": (cut.at - spoken.first_at) * 1000}, prefix)
    if target.tells:
        held = await caller.ear.event("playback.held", spoken.first_at)
        figures.add({"barge-in, playback.held": (held.at - spoken.first_at) * 1000}, prefix)
        if silent_at < held.at - PAUSE_S:
            figures.count(f"{prefix}barge-in: left out, fell into a pause of the story")
            silent_at = 0.0
    if silent_at:
        hold_ms = (silent_at - spoken.first_at) * 1000
        figures.add({"barge-in, silence": hold_ms}, prefix)
    await _answered(caller, spoken.last_at, target, silence_ms, figures, prefix)


async def run(calls: int, course: Course, only: list[str], config: Path | None) -> Figures:
    """Start the servers, place the calls."""
    said = Said(await phrase(QUESTION), await phrase(STORY), await phrase(INTERRUPTION))
    figures = Figures()
    async with AsyncExitStack() as servers:
        targets = await _targets(only, config, servers)
        machine = Machine()
        before = {target.running.process.pid: target.running.cpu_s() for target in targets}
        for _ in range(calls):
            for target in targets:
                try:
                    await measure_call(target, said, course, figures)
                except TimeoutError:
                    figures.count(f"{target.name}: calls given up, no answer in time")
        for running in {target.running.process.pid: target.running for target in targets}.values():
            machine.count(running.cpu_s() - before[running.process.pid])
    figures.ratios("webrtc: ", "stock: ")
    figures.notes.append(machine.note())
    return figures


async def _targets(only: list[str], config: Path | None, servers: AsyncExitStack) -> list[Target]:
    targets: list[Target] = []
    if {"webrtc", "websocket"} & set(only):
        ours = await servers.enter_async_context(server.inzwa(config))
        targets += [
            Target("webrtc", ours, WebRtcCaller),
            Target("websocket", ours, SocketCaller),
        ]
    if "stock" in only:
        floor = await servers.enter_async_context(server.stock())
        targets.insert(1, Target("stock", floor, WebRtcCaller, tells=False))
    return [target for target in targets if target.name in only]


def _silence_ms(config: Path | None) -> int:
    settings = yaml.safe_load(config.read_text()) if config else None
    return int(((settings or {}).get("turn") or {}).get("silence_ms", TurnSettings().silence_ms))


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--calls", type=int, default=10, help="calls to each target")
    parser.add_argument("--turns", type=int, default=2, help="questions and interruptions in each")
    parser.add_argument("--questions", type=int, help="questions in each (default: --turns)")
    parser.add_argument("--interruptions", type=int, help="interruptions in each (the same)")
    parser.add_argument("--only", default=",".join(TARGETS), help="targets, comma-separated")
    parser.add_argument("--config", type=Path, help="the server's settings (YAML)")
    parser.add_argument("--json", action="store_true", help="JSON, with all samples")
    given = parser.parse_args()
    course = Course(
        given.turns if given.questions is None else given.questions,
        given.turns if given.interruptions is None else given.interruptions,
        _silence_ms(given.config),
    )
    figures = asyncio.run(run(given.calls, course, given.only.split(","), given.config))
    print(figures.show(given.json))  # noqa: T201


if __name__ == "__main__":
    main()
