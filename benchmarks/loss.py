"""What bad networks leave of a caller's speech: our receive path, and stock aiortc's.

    python -m benchmarks.loss                  # some minutes; --words 0 leaves recognition out

A caller says phrases of the guide; a browser's encoder makes packets of them, of which a network
(`benchmarks.network`, seeded) loses, delays and reorders some. The same arrivals are given to our
receiver and to stock aiortc's parts. One sample a seed:

    used      of the packets that arrived, those whose sound was handed on, %
    audio     handed on for a second of the call, concealment and silence that stands in included
    added     from a packet's arrival until its sound is handed on: median and 95th percentile
    stall     the longest time in which nothing was handed on, nor anything that stands in
    words     that the embedded recogniser had right in what came out, %
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from benchmarks.coders import BROWSER, Coder, frames
from benchmarks.figures import Machine
from benchmarks.network import Bursts, Impairment
from benchmarks.receivers import Arrivals, Received, audio_ms, ours, stock
from benchmarks.recognition import Score, count, heard
from benchmarks.rounds import Rounds
from benchmarks.sayings import Saying, phrases
from inzwa_rtc.audio.frame import FRAME_MS
from inzwa_rtc.engines.asr.pocketsphinx.engine import PocketSphinx, PocketSphinxOptions
from inzwa_rtc.transport.rtp import RTP_CLOCK, RtpPacket

_RATE = 48_000
_TICKS = RTP_CLOCK * FRAME_MS // 1000
_BEHIND = 100  # packets of silence at the end, which no figure counts: what is held comes out
_JITTER_MS = 2.0  # of a quiet network: packets never come in step with a clock

NETWORKS = {
    "no loss": Impairment(jitter_ms=_JITTER_MS),
    **{
        f"{percent} % at random": Impairment(jitter_ms=_JITTER_MS, loss=percent / 100)
        for percent in (1, 3, 5, 10)
    },
    "5 % in bursts of 3": Impairment(
        jitter_ms=_JITTER_MS, bursts=Bursts(begin=0.05 / 0.95 / 3, end=1 / 3)
    ),
    "jitter of 30 ms": Impairment(delay_ms=60, jitter_ms=30),
    "5 % come 50 ms late": Impairment(jitter_ms=_JITTER_MS, reorder=0.05, reorder_ms=50),
    "all of it": Impairment(
        delay_ms=60,
        jitter_ms=20,
        bursts=Bursts(begin=0.03 / 0.97 / 2, end=1 / 2),
        reorder=0.02,
        reorder_ms=50,
        duplicate=0.01,
    ),
}


@dataclass(frozen=True, slots=True)
class Call:
    """Everything that the caller says, in packets 20 ms apart; `starts` are the numbers of the
    packets with which phrases begin, and of the one behind the last."""

    packets: Sequence[bytes]
    said: Sequence[Saying]
    starts: Sequence[int]

    @property
    def counted(self) -> int:
        """Packets up to the silence at the end."""
        return self.starts[-1]

    def arrivals(self, network: Impairment) -> Arrivals:
        """What arrives, and when."""
        sent = (
            (number * FRAME_MS / 1000, RtpPacket(number, number * _TICKS, packet, ssrc=1))
            for number, packet in enumerate(self.packets)
        )
        return list(network.carry(sent))


def call(said: Sequence[Saying]) -> Call:
    """These phrases, one after the other, as a browser encodes them."""
    pieces = [frames(saying.pcm, _RATE) for saying in said]
    starts = [0, *itertools.accumulate(map(len, pieces))]
    pieces.append([bytes(len(pieces[0][0]))] * _BEHIND)
    coder = Coder(BROWSER, _RATE)
    return Call([coder.encode(frame) for piece in pieces for frame in piece], said, starts)


def figures(of: Call, arrivals: Arrivals, received: Received) -> dict[str, float]:
    """All but the words."""
    arrived: dict[int, float] = {}
    for at, packet in arrivals:
        if packet.sequence < of.counted:
            arrived.setdefault(packet.sequence, at)
    used = {number: at for number, at in received.used_at.items() if number in arrived}
    added = [1000 * (at - arrived[number]) for number, at in used.items()]
    end = max(used.values())
    times = [at for at, _ in received.handed_on if at <= end]
    first_at, first = received.handed_on[0]
    last = max(size for at, size in received.handed_on if at <= end)
    return {
        "used": 100 * len(used) / len(arrived),
        "audio": audio_ms(last - first) / (end - first_at),
        "added, median": float(np.median(added)),
        "added, p95": float(np.percentile(added, 95)),
        "stall": 1000 * max(later - at for at, later in itertools.pairwise(times)),
    }


async def words(of: Call, received: Received, asr: PocketSphinx) -> float:
    """How many of the words were right, %."""
    score = Score()
    for saying, (first, behind) in zip(of.said, itertools.pairwise(of.starts), strict=True):
        final, wait = await heard(asr, received.between(first, behind))
        count(score, saying.text, final.text, wait)
    return 100 * (1 - score.wrong_words / score.words)


async def measure(of: Call, seeds: int, *, asr: PocketSphinx | None) -> Rounds:
    """The table: every network, both receive paths."""
    units = {"used": "%", "audio": "ms/s", "added, median": "ms", "added, p95": "ms"}
    table = Rounds("Receiving", units | {"stall": "ms", "words": "% right"})
    for name, network in NETWORKS.items():
        for seed in range(seeds):
            arrivals = of.arrivals(replace(network, seed=seed))
            phase_s = (seed + 0.5) / seeds * FRAME_MS / 1000  # of our clock behind the caller's
            until = arrivals[-1][0] + 1
            for path, received in (
                ("ours", ours(arrivals, phase_s, until)),
                ("aiortc", stock(arrivals)),
            ):
                table.add(f"{name}: {path}", figures(of, arrivals, received))
                if asr is not None:
                    right = await words(of, received, asr)
                    table.add(f"{name}: {path}", {"words": right})
        sys.stderr.write(f"{name}\n")
    return table


async def run(given: argparse.Namespace) -> Rounds:
    """Everything that was asked for."""
    machine = Machine()
    of = call(await phrases(_RATE, given.words or 24))
    asr = PocketSphinx(PocketSphinxOptions(threshold=0)) if given.words else None
    table = await measure(of, given.seeds, asr=asr)
    if asr is not None:
        asr.close()
    table.notes.append(f"{of.counted} packets a seed; {machine.note()}")
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--words", type=int, default=24, help="phrases to be recognised")
    parser.add_argument("--json", help="file for all samples")
    given = parser.parse_args()
    table = asyncio.run(run(given))
    if given.json:
        with open(given.json, "w", encoding="utf-8") as file:  # noqa: PTH123
            json.dump(table.to_json(), file, indent=2)
    sys.stdout.write(f"{table.markdown()}\n")


if __name__ == "__main__":
    main()
