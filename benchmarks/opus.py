"""What each way of encoding a reply costs, and how it sounds when packets are lost.

    python -m benchmarks.opus                          # cost and distortion, every way: minutes
    python -m benchmarks.opus --only 'c5$|celt' --opinions --words 36        # longer, see below

Speech is encoded as in a call, packets are lost by chance (seeded, the same for every way), and
the rest is decoded with FEC and concealment. Figures of a way, each with its extremes:

    CPU          of encoding, microseconds for 20 ms: one sample a round, ways in turn
    bit/s        of the packets alone
    distance     of what is heard from what was said, dB in Bark bands up to 12 kHz
    MOS          ViSQOL's, up to 8 kHz (--opinions); 1 to 5, the same voice in both
    words        of the guide's phrases that the embedded recogniser had right (--words N)

Distances and MOS have one sample for each voice (and, with loss, each seed). ViSQOL takes longer
than the speech itself.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import re
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from benchmarks.coders import (
    AUDIO,
    LOW_DELAY,
    RATE,
    WIDE,
    Coder,
    Coding,
    duration_s,
    frames,
    heard,
    mode_of,
)
from benchmarks.distortion import VISQOL_RATE, band_distance, opinion
from benchmarks.figures import Machine
from benchmarks.recognition import Score, count
from benchmarks.recognition import heard as understood
from benchmarks.rounds import Rounds
from benchmarks.sayings import Saying, passages, phrases, resampled
from inzwa_rtc.engines.asr.pocketsphinx.engine import PocketSphinx, PocketSphinxOptions
from inzwa_rtc.engines.contracts import ASR_SAMPLE_RATE

_COMPLEXITIES = (0, 2, 5, 6, 8, 10)  # in between, libopus hardly differs
_BITRATES = (24_000, 32_000)  # besides 28,000

_KINDS = (
    Coding("silk", bandwidth=WIDE),
    Coding("hybrid"),
    Coding("celt", application=LOW_DELAY),
    Coding("audio", application=AUDIO, is_voice=False),
    Coding("audio, told of voice", application=AUDIO),
)
_KEPT = Coding("kept", application=LOW_DELAY, complexity=10)


def codings() -> list[Coding]:
    """All ways: each kind at each complexity, at other bitrates, and with more loss expected."""
    found = []
    for kind in _KINDS:
        named = [replace(kind, complexity=complexity) for complexity in _COMPLEXITIES]
        named += [replace(kind, bitrate=bitrate) for bitrate in _BITRATES]
        if kind.name in ("silk", "hybrid"):
            named += [replace(kind, loss_percent=percent) for percent in (0, 10, 20)]
        if kind.name == "silk":
            named.append(replace(kind, name="kept, then silk", loss_percent=10, follows=_KEPT))
        found += [replace(coding, name=_name(coding)) for coding in named]
    return found


def _name(coding: Coding) -> str:
    name = f"{coding.name} {coding.bitrate // 1000}k"
    name += "" if coding.loss_percent == 5 else f" loss {coding.loss_percent}"
    return f"{name} c{coding.complexity}"


class Bench:
    """Speech, and what became of it."""

    def __init__(self, ways: Sequence[Coding], said: Sequence[Saying], losses: Sequence[int]):
        self._ways = ways
        self._said = [Saying(one.name, b"".join(frames(one.pcm)), one.text) for one in said]
        self._losses = losses
        units = {"CPU": "us", "bit/s": "packets alone"}
        for percent in losses:
            units |= {f"distance, {percent} %": "dB", f"MOS, {percent} %": "1-5"}
            units |= {f"words, {percent} %": "% right"}
        self.table = Rounds("Opus", units)

    def costs(self, rounds: int) -> None:
        """CPU time and size, ways in turn."""
        for _ in range(rounds):
            for way in self._ways:
                seconds, packets = 0.0, []
                for said in self._said:
                    coder, pieces = Coder(way), frames(said.pcm)
                    began = time.process_time()
                    packets += [coder.encode(piece) for piece in pieces]
                    seconds += time.process_time() - began
                bits = 8 * sum(map(len, packets)) / duration_s(packets)
                self.table.add(way.name, {"CPU": 1e6 * seconds / len(packets), "bit/s": bits})

    def distortions(self, seeds: int, *, opinions: bool) -> None:
        """How far it is from what was said."""
        for way in self._ways:
            modes: Counter[str] = Counter()
            for said in self._said:
                coder = Coder(way)
                packets = [coder.encode(piece) for piece in frames(said.pcm)]
                modes.update(map(mode_of, packets))
                for percent in self._losses:
                    for seed in range(seeds if percent else 1):
                        sound = heard(packets, lost(len(packets), percent, seed))
                        self._compare(way, percent, said, _in_time(sound, coder), opinions)
            told = ", ".join(f"{mode} {times}" for mode, times in modes.items())
            self.table.notes.append(f"{way.name}: packets {told}")
            sys.stderr.write(f"{way.name}\n")

    def _compare(
        self, way: Coding, percent: int, said: Saying, sound: bytes, opinions: bool
    ) -> None:
        distance = band_distance(_samples(said.pcm), _samples(sound), RATE)
        self.table.add(way.name, {f"distance, {percent} %": distance})
        if opinions:
            both = (_samples(resampled(pcm, RATE, VISQOL_RATE)) for pcm in (said.pcm, sound))
            self.table.add(way.name, {f"MOS, {percent} %": opinion(*both)})

    async def words(self, known: Sequence[Saying], seeds: int) -> None:
        """What the embedded recogniser understands of it. One sample a seed."""
        asr = PocketSphinx(PocketSphinxOptions(threshold=0))
        for way in self._ways:
            for percent in self._losses:
                for seed in range(seeds if percent else 1):
                    score = Score()
                    for number, said in enumerate(known):
                        coder = Coder(way)
                        packets = [coder.encode(piece) for piece in frames(said.pcm)]
                        gone = lost(len(packets), percent, 1000 * seed + number)
                        final, wait = await understood(asr, heard(packets, gone, ASR_SAMPLE_RATE))
                        count(score, said.text, final.text, wait)
                    right = 100 * (1 - score.wrong_words / score.words)
                    self.table.add(way.name, {f"words, {percent} %": right})
            sys.stderr.write(f"{way.name}: words\n")
        asr.close()


def lost(packets: int, percent: int, seed: int) -> frozenset[int]:
    """Numbers of the packets that are lost, the same for the same seed."""
    chance = random.Random(f"{percent} {seed}")
    return frozenset(number for number in range(packets) if chance.random() * 100 < percent)


def _in_time(sound: bytes, coder: Coder) -> bytes:
    """The sound without the encoder's delay in front of it."""
    delay = 2 * coder.lookahead
    return sound[delay:] + bytes(delay)


def _samples(pcm: bytes) -> NDArray[np.float64]:
    return np.frombuffer(pcm, "<i2").astype(np.float64)


async def measure(given: argparse.Namespace) -> Rounds:
    """Everything that was asked for."""
    machine = Machine()
    ways = [way for way in codings() if re.search(given.only, way.name)]
    bench = Bench(ways, await passages(RATE), [int(loss) for loss in given.loss.split(",")])
    bench.costs(given.rounds)
    bench.distortions(given.seeds, opinions=given.opinions)
    if given.words:
        await bench.words(await phrases(RATE, given.words), given.seeds)
    bench.table.notes.append(machine.note())
    return bench.table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="ways whose name this pattern finds")
    parser.add_argument("--loss", default="0,5", help="percent of packets")
    parser.add_argument("--rounds", type=int, default=5, help="of encoding everything")
    parser.add_argument("--seeds", type=int, default=3, help="of what is lost")
    parser.add_argument("--opinions", action="store_true", help="ViSQOL's, extra `bench`")
    parser.add_argument("--words", type=int, default=0, help="phrases to be recognised")
    parser.add_argument("--json", help="file for all samples")
    given = parser.parse_args()
    table = asyncio.run(measure(given))
    if given.json:
        with open(given.json, "w", encoding="utf-8") as file:  # noqa: PTH123
            json.dump(table.to_json(), file, indent=2)
    sys.stdout.write(f"{table.markdown()}\n")


if __name__ == "__main__":
    main()
