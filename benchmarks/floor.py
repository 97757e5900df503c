"""What a call costs at the least on this machine: the sum of what no server can leave out.

    python -m benchmarks.floor                 # half a minute
    python -m benchmarks.floor --core 0 --calls 1,5,10 --rounds 3 --json floor.json

Each operation is timed by itself: CPU time, the smallest of some rounds in which the operations
take turns, so that other work on the machine counts as little as it may. The second table adds
them up for a second of a call, with 1, 4, 16 and 50 calls in the process (or those of `--calls`),
for these duties:

    talking, phrases made    the caller speaks half of the time and the agent the other half; the
                             caller's packets come all the time; the agent's are encoded
    talking, phrases kept    the same; all that the agent says was encoded before
    idle                     nobody speaks; the caller's packets come all the time
    idle, with DTX           nobody speaks; the caller's encoder sends 2.5 packets a second, and
                             the detector is not asked what they are

A silent server sends 2.5 packets a second. Nothing else is counted: no jitter buffer, no turn
detector, no playout, no interpreter between the operations.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks import operations
from benchmarks.coders import RATE
from benchmarks.figures import Machine
from benchmarks.operations import CALLER_RATE, Work, frames_of, silence, windows_of
from benchmarks.rounds import Rounds
from benchmarks.sayings import passages, resampled
from inzwa_rtc.engines.contracts import ASR_SAMPLE_RATE
from inzwa_rtc.settings import Settings

CALLS = (1, 4, 16, 50)
SUMS = "A second of a call"
_PER_S = 50  # packets, and ticks of the clock
_WINDOWS_PER_S = 31.25
_QUIET_PER_S = 2.5
_BEHIND_IP = 98  # bytes: a packet of 28 kbit/s, its header and SRTP's tag


@dataclass(frozen=True, slots=True)
class Duty:
    """What a second of a call asks for. `speech_in` and `quiet_in` are the caller's packets of
    either kind; `out` the server's, of which `encoded` are made for it."""

    name: str
    speech_in: float
    quiet_in: float
    out: float
    encoded: float
    windows: float = _WINDOWS_PER_S

    def seconds(self, cost: Mapping[str, float], calls: int) -> float:
        """CPU time of one call, given that of each operation."""
        packet_in = cost[RECEIVE] + cost[UNPROTECT] + cost[PARSE]
        packet_out = cost[BUILD] + cost[PROTECT] + cost[SEND]
        return (
            (self.speech_in + self.quiet_in) * packet_in
            + self.speech_in * cost[DECODE]
            + self.quiet_in * cost[DECODE_QUIET]
            + self.windows * cost[listening(calls)]
            + self.out * packet_out
            + self.encoded * cost[ENCODE]
            + _PER_S * cost[WAKE] / calls
        )


RECEIVE, SEND = "UDP receive, with the loop's wake-up", "UDP send"
PROTECT, UNPROTECT = "SRTP protect", "SRTP unprotect"
PARSE, BUILD = "RTP parse", "RTP build"
DECODE, DECODE_QUIET = "Opus decode to 16 kHz, speech", "Opus decode to 16 kHz, silence"
ENCODE, WAKE = "Opus encode, speech", "asyncio timer"

_HALF, _OUT = _PER_S / 2, _PER_S / 2 + _QUIET_PER_S / 2
DUTIES = (
    Duty("talking, phrases made", _HALF, _HALF, _OUT, _HALF),
    Duty("talking, phrases kept", _HALF, _HALF, _OUT, 0),
    Duty("idle", 0, _PER_S, _QUIET_PER_S, 0),
    Duty("idle, with DTX", 0, _QUIET_PER_S, _QUIET_PER_S, 0, windows=0),
)


def listening(calls: int) -> str:
    """The row of the voice detector."""
    return f"Silero, a window of 32 ms, {calls} at once"


async def works(counts: Sequence[int] = CALLS) -> dict[str, Work]:
    """Every operation, for so many calls."""
    bitrate = Settings().opus_bitrate
    pcm = b"".join(saying.pcm for saying in await passages(RATE))
    at_48, at_16 = (resampled(pcm, RATE, rate) for rate in (CALLER_RATE, ASR_SAMPLE_RATE))
    payloads = [bytes(range(70))] * 500
    datagram = bytes(_BEHIND_IP)
    found = {
        RECEIVE: operations.receive(datagram),
        UNPROTECT: operations.unprotect(payloads),
        PARSE: operations.parse(payloads),
        DECODE: operations.decode(frames_of(at_48, CALLER_RATE)),
        DECODE_QUIET: operations.decode(frames_of(silence(CALLER_RATE, 5), CALLER_RATE)),
        ENCODE: operations.encode(frames_of(pcm, RATE), RATE, bitrate),
        BUILD: operations.build(payloads),
        PROTECT: operations.protect(payloads),
        SEND: operations.send(datagram),
        WAKE: operations.wake,
    }
    windows = windows_of(at_16)
    return found | {listening(calls): operations.listen(calls, windows) for calls in counts}


def measured(found: Mapping[str, Work], rounds: int) -> dict[str, list[float]]:
    """Seconds of each operation, one sample a round."""
    samples: dict[str, list[float]] = {name: [] for name in found}
    for _ in range(rounds):
        for name, work in found.items():
            samples[name].append(work())
    return samples


def tables(
    samples: Mapping[str, Sequence[float]], note: str, counts: Sequence[int] = CALLS
) -> list[Rounds]:
    """The operations, and what they come to."""
    operations_table = Rounds("One operation", {"smallest": "us", "all rounds": "us"})
    for name, seconds in samples.items():
        operations_table.add(name, {"smallest": 1e6 * min(seconds)})
        for one in seconds:
            operations_table.add(name, {"all rounds": 1e6 * one})
    least = {name: min(seconds) for name, seconds in samples.items()}
    units = {f"{calls} calls": "ms" for calls in counts} | {"a core holds": "calls"}
    sums = Rounds(SUMS, units)
    for duty in DUTIES:
        costs = {f"{calls} calls": 1e3 * duty.seconds(least, calls) for calls in counts}
        sums.add(duty.name, costs | {"a core holds": 1e3 / costs[f"{counts[-1]} calls"]})
    sums.notes.append(note)
    return [operations_table, sums]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--calls", default=",".join(map(str, CALLS)), help="ascending")
    parser.add_argument("--core", type=int, help="the processor to use, of those there are")
    parser.add_argument("--json", help="file for all samples")
    given = parser.parse_args()
    if given.core is not None:
        os.sched_setaffinity(0, {given.core})
    machine, counts = Machine(), [int(count) for count in given.calls.split(",")]
    samples = measured(asyncio.run(works(counts)), given.rounds)
    found = tables(samples, machine.note(), counts)
    if given.json:
        with open(given.json, "w", encoding="utf-8") as file:  # noqa: PTH123
            json.dump([table.to_json() for table in found], file, indent=2)
    sys.stdout.write("\n\n".join(table.markdown() for table in found) + "\n")


if __name__ == "__main__":
    main()
