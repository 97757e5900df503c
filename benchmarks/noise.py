"""What the noise suppressors do to noise, to recognition and to turn-taking, and what they cost.

Synthetic voices speak phrases of the guide, and sentences that are not in it, into noise
that has been there for two seconds, as in a call. Each noise is as loud as the signal-to-noise
ratio says, against the mean power of the speech:

    white   as from an amplifier or a poor line
    hum     a motor's: mains harmonics and rumble
    babble  six other voices at once, of the same synthesizer

    python -m benchmarks.noise [--sentences 2] [--snr 15,5] [--noises white,hum]
        [--suppressors off,webrtc2,rnnoise]

Columns, over all voices: words and whole phrases that were right, phrases taken for others,
sentences of strangers to the guide that were refused; turns that were begun while the
caller spoke, and turns begun per minute of mere noise, by the voice detector and the settings
of a server; how late such a turn ended, in the median, after the last sound of the voice and
less `turn.silence_ms`; CPU microseconds per frame of 20 ms. Treat them as a comparison
between suppressors, not as a forecast.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.recognition import (
    KNOWN,
    QUIET_AFTER_MS,
    UNKNOWN,
    Score,
    count,
    heard,
    share,
    spoken,
)
from inzwa_rtc.audio.frame import FRAME_MS, Frame, frame_bytes
from inzwa_rtc.engines.asr.pocketsphinx.engine import PocketSphinx, PocketSphinxOptions
from inzwa_rtc.engines.contracts import ASR_SAMPLE_RATE, NoiseSuppressor
from inzwa_rtc.engines.tts.espeak.engine import ESpeak, ESpeakOptions
from inzwa_rtc.noise.rnnoise import RNNoise
from inzwa_rtc.noise.webrtc import STRENGTHS, WebRtcSuppressor
from inzwa_rtc.settings import TurnSettings
from inzwa_rtc.turntaking.detector import SpeechStarted, TurnDetector, TurnEnded, TurnEvent
from inzwa_rtc.turntaking.vad import SileroVad

Samples = NDArray[np.float64]

VOICES = ("en-us", "en-gb", "en-us+f2", "en-gb+michael")
NOISES = ("white", "hum", "babble")
BEFORE_MS, AFTER_MS = 2000, 1500  # noise alone; the suppressors settle in the first second
PREROLL_MS = 300  # as the server's turn.preroll_ms
SPEECH_LEVEL = 0.5  # half as loud as the synthesizer speaks
NOISE_ALONE_S = 30
TALKERS = 6
FRAME_BYTES = frame_bytes(ASR_SAMPLE_RATE)
PER_MS = ASR_SAMPLE_RATE // 1000


@dataclass
class Row:
    """What came of one suppressor in one noise."""

    score: Score = field(default_factory=Score)
    turns: int = 0
    begun: int = 0
    late_ms: list[float] = field(default_factory=list)
    false_starts: int = 0
    alone_s: float = 0.0
    cpu_s: float = 0.0
    frames: int = 0

    def add(self, other: Row) -> None:
        """Count another one in."""
        for part, more in ((self, other), (self.score, other.score)):
            for name, value in vars(more).items():
                if not isinstance(value, Score):
                    setattr(part, name, getattr(part, name) + value)

    def cells(self) -> list[str]:
        """As `HEAD` names them."""
        score = self.score
        return [
            share(score.words - score.wrong_words, score.words),
            share(score.exact, score.phrases),
            share(score.accepted_wrong, score.phrases),
            share(score.refused, score.strangers),
            share(self.begun, self.turns),
            f"{60 * self.false_starts / self.alone_s:.0f}",
            f"{np.median(self.late_ms or [np.nan]):.0f}",
            f"{1e6 * self.cpu_s / max(self.frames, 1):.0f}",
        ]


HEAD = (
    "words", "exact", "wrong", "refused", "turns begun", "false/min", "end late ms", "us/frame",
)  # fmt: skip


class Off:
    """No suppressor."""

    def feed(self, pcm: bytes) -> bytes:
        """As in `NoiseSuppressor`."""
        return pcm


SUPPRESSORS: Mapping[str, Callable[[], NoiseSuppressor]] = {
    "off": Off,
    **{f"webrtc{n}": (lambda n=n: WebRtcSuppressor(n)) for n in STRENGTHS},  # type: ignore[misc]
    "rnnoise": RNNoise,
}


@dataclass(frozen=True, slots=True)
class Said:
    """A voice's sentence; `phrase` is what should be understood, None for nothing."""

    phrase: str | None
    samples: Samples


async def sentences(tts: ESpeak, pairs: int) -> list[Said]:
    """Of each voice, so many of the guide's phrases and as many of others."""
    chance = np.random.default_rng(7)
    said = []
    for voice, _ in itertools.product(VOICES, range(pairs)):
        known, unknown = str(chance.choice(KNOWN)), str(chance.choice(UNKNOWN))
        for text, phrase in ((known, known), (unknown, None)):
            samples = await spoken(tts, text, voice, 1.0)
            said.append(Said(phrase, _trimmed(samples * SPEECH_LEVEL)))
    return said


async def noises(tts: ESpeak, seconds: int) -> dict[str, Samples]:
    """Of each kind so many seconds, at a power of 1."""
    chance = np.random.default_rng(11)
    size = seconds * ASR_SAMPLE_RATE
    times = np.arange(size) / ASR_SAMPLE_RATE
    rumble = np.convolve(chance.standard_normal(size), np.ones(64) / 8, "same")
    hum = sum(np.sin(2 * np.pi * 50 * n * times + n) / n for n in range(1, 13))
    babble = np.zeros(size)
    for talker in range(TALKERS):
        lines = chance.permutation(UNKNOWN)[:12]
        voice = VOICES[talker % len(VOICES)]
        speech = np.concatenate([await spoken(tts, line, voice, 1.0) for line in lines])
        babble += np.roll(np.resize(speech, size).astype(float), talker * size // TALKERS)
    kinds = {"white": chance.standard_normal(size), "hum": hum + 0.3 * rumble, "babble": babble}
    return {kind: noise / np.sqrt(np.mean(noise**2)) for kind, noise in kinds.items()}


class Bench:
    """One run's voices and noises."""

    def __init__(self, asr: PocketSphinx, said: list[Said], noise: Mapping[str, Samples]) -> None:
        self._asr = asr
        self._said = said
        self._noise = noise
        self._power = float(np.mean(np.concatenate([one.samples for one in said]) ** 2))

    async def row(self, suppressor: str, kind: str | None, snr_db: float) -> Row:
        """Everything said once into the noise, and half a minute of the noise alone."""
        row = Row()
        level = 3.0 if kind is None else np.sqrt(self._power / 10 ** (snr_db / 10))
        for number, said in enumerate(self._said):
            noisy, start = self._in_noise(said.samples, kind or "white", level, number)
            cleaned = _through(SUPPRESSORS[suppressor](), noisy, row)
            end = start + len(said.samples)
            await self._recognise(row.score, said, cleaned, start, end)
            _take_turns(row, cleaned, start, end)
        alone = self._noise[kind or "white"][: NOISE_ALONE_S * ASR_SAMPLE_RATE] * level
        row.alone_s = NOISE_ALONE_S
        starts = _events(_through(SUPPRESSORS[suppressor](), _int16(alone), row))
        row.false_starts = len({at.start for at, _ in starts if isinstance(at, SpeechStarted)})
        return row

    def _in_noise(self, speech: Samples, kind: str, level: float, number: int) -> tuple[bytes, int]:
        start = BEFORE_MS * PER_MS
        voice = np.pad(speech, (start, AFTER_MS * PER_MS))
        noise = np.roll(self._noise[kind], -number * 3 * ASR_SAMPLE_RATE)[: len(voice)]
        return _int16(voice + noise * level), start

    async def _recognise(
        self, score: Score, said: Said, cleaned: bytes, start: int, end: int
    ) -> None:
        begin = start - PREROLL_MS * PER_MS
        utterance = cleaned[2 * begin : 2 * (end + QUIET_AFTER_MS * PER_MS)]
        final, wait = await heard(self._asr, utterance)
        count(score, said.phrase, final.text, wait)


def _take_turns(row: Row, cleaned: bytes, start: int, end: int) -> None:
    events = _events(cleaned)
    settings = TurnSettings()
    row.turns += 1
    row.begun += any(
        isinstance(event, SpeechStarted) and start - ASR_SAMPLE_RATE // 2 < event.start < end
        for event, _ in events
    )
    ends = [at for event, at in events if isinstance(event, TurnEnded) and at > end]
    if ends:
        row.late_ms.append((ends[0] - end) / PER_MS - settings.silence_ms)


def _events(pcm: bytes) -> list[tuple[TurnEvent, int]]:
    """What the turn detector says, and at which sample."""
    vad, detector = SileroVad(), TurnDetector(TurnSettings())
    events: list[tuple[TurnEvent, int]] = []
    for at in range(0, len(pcm), FRAME_BYTES):
        frame = Frame(pcm[at : at + FRAME_BYTES], ASR_SAMPLE_RATE, at // 2)
        for event in detector.feed(frame, vad.feed(frame.pcm)):
            events.append((event, frame.index + frame.samples))
    return events


def _through(suppressor: NoiseSuppressor, pcm: bytes, row: Row) -> bytes:
    frames = [pcm[at : at + FRAME_BYTES] for at in range(0, len(pcm), FRAME_BYTES)]
    began = time.process_time()
    cleaned = b"".join([suppressor.feed(frame) for frame in frames])
    row.cpu_s += time.process_time() - began
    row.frames += len(frames)
    return cleaned


def _int16(samples: Samples) -> bytes:
    """Whole frames of it."""
    whole = len(samples) // (FRAME_MS * PER_MS) * FRAME_MS * PER_MS
    return np.clip(np.rint(samples[:whole]), -32768, 32767).astype("<i2").tobytes()


def _trimmed(samples: NDArray[np.floating[Any]]) -> Samples:
    loud = np.flatnonzero(np.abs(samples) > 100)
    return samples[loud[0] : loud[-1] + 1].astype(float)


async def measure(
    pairs: int, surroundings: list[tuple[str | None, float]], suppressors: list[str]
) -> str:
    """The table, as Markdown. Surroundings are a kind of noise and its ratio in dB."""
    tts, asr = ESpeak(ESpeakOptions()), PocketSphinx(PocketSphinxOptions())
    bench = Bench(asr, await sentences(tts, pairs), await noises(tts, NOISE_ALONE_S))
    lines = [f"| noise | SNR | suppressor | {' | '.join(HEAD)} |", "|---" * (len(HEAD) + 3) + "|"]
    totals = {name: Row() for name in suppressors}
    for (kind, ratio), suppressor in itertools.product(surroundings, suppressors):
        row = await bench.row(suppressor, kind, ratio)
        where = "none | |" if kind is None else f"{kind} | {ratio:g} |"
        lines.append(f"| {where} {suppressor} | {' | '.join(row.cells())} |")
        sys.stderr.write(f"{lines[-1]}\n")
        totals[suppressor].add(row)
    lines += [f"| all | | {name} | {' | '.join(row.cells())} |" for name, row in totals.items()]
    tts.close()
    asr.close()
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sentences", type=int, default=2, help="pairs per voice")
    parser.add_argument("--snr", default="15,5", help="signal-to-noise ratios in dB")
    parser.add_argument("--noises", default=",".join(NOISES))
    parser.add_argument("--suppressors", default=",".join(SUPPRESSORS))
    given = parser.parse_args()
    ratios = [float(ratio) for ratio in given.snr.split(",")]
    surroundings = [(None, 0.0), *itertools.product(given.noises.split(","), ratios)]
    table = asyncio.run(measure(given.sentences, surroundings, given.suppressors.split(",")))
    sys.stdout.write(f"{table}\n")


if __name__ == "__main__":
    main()
