"""One loudness for all voices: measured once of each voice, and then left as it is.

Loudness is that of ITU-R BS.1770: K-weighted blocks of 400 ms every 100 ms, of which those below
-70 LUFS, and then those more than 10 LU below the mean of the rest, do not count. The filter
`ebur128` of libavfilter weights and measures; what blocks count is decided here, because a voice
is known only once enough of them are speech.
"""

from __future__ import annotations

import json
import math
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import structlog

from inzwa_rtc.audio.filters import filter_graph, pulled
from inzwa_rtc.audio.frame import BYTES_PER_SAMPLE
from inzwa_rtc.speech.whole import write_whole

_log = structlog.get_logger(__name__)

MOST_GAIN_DB = 12.0  # either way: whatever needs more is not speech, or broken
MEASURE_BLOCKS = 40  # of speech, about 4 s: sentences of one voice differ by 1 LU or 2
_MOST_S = 30.0  # of the sound of a voice that is looked at in search of speech
_BLOCK_S = 0.1
_ABSOLUTE_GATE = -70.0
_RELATIVE_GATE = -10.0
_CLICK = 6.0  # LU above the median: hardly any speech is, a click in it is
_KNEE = 0.8  # of full scale; louder samples are bent, so that none goes beyond
_FULL = 32768.0
_FULL_LUFS = 10.0  # louder than any int16 can be


class Loudness:
    """The gain of each voice that brings it to `target_lufs` (None: no gain for any).

    `feed` it what each voice says, as the engine made it. A phrase is to be spoken with the gain
    that `gain` tells at its start, so that it never changes inside. `file` holds what was
    measured, for the next start; an error of the disk is logged and hurts nobody.
    """

    def __init__(self, target_lufs: float | None, file: Path | None = None) -> None:
        self._target = target_lufs
        self._file = file
        self._known: dict[str, float] = _read(file) if file is not None else {}
        self._heard: dict[str, _Voice] = {}

    def gain(self, engine: str, voice: str, fingerprint: str = "") -> float:
        """In dB, a tenth of it exact. Of a voice that has not been measured it is the middle of
        those of the engine's other voices, which are mostly alike; else 0."""
        if self._target is None:
            return 0.0
        known = self._known.get(_name(engine, voice, fingerprint))
        if known is None:
            of_engine = _name(engine, "", fingerprint)
            others = [lufs for name, lufs in self._known.items() if name.startswith(of_engine)]
            if not others:
                return 0.0
            known = float(np.median(others))
        return round(max(-MOST_GAIN_DB, min(MOST_GAIN_DB, self._target - known)), 1)

    def is_known(self, engine: str, voice: str, fingerprint: str = "") -> bool:
        """Whether the voice was measured, so that its gain no longer changes."""
        return self._target is None or _name(engine, voice, fingerprint) in self._known

    def feed(self, engine: str, voice: str, pcm: bytes, rate: int, fingerprint: str = "") -> bool:
        """Listen to sound of the voice: int16 LE mono at `rate` Hz, no gain applied. True where
        the voice has become known by it: the moment to `save`.

        Costs next to nothing once a voice is known, before that 2 ms for a second of sound.
        """
        if self.is_known(engine, voice, fingerprint):
            return False
        name = _name(engine, voice, fingerprint)
        heard = self._heard.get(name)
        if heard is None or heard.rate != rate:
            heard = self._heard[name] = _Voice(rate)
        lufs = heard.feed(pcm)
        if lufs is None:
            return False
        del self._heard[name]
        self._known[name] = round(lufs, 2)
        return True

    def save(self) -> None:
        """Write down what was measured, beside what other servers did. Blocks: call it in a
        thread."""
        if self._file is None:
            return
        try:
            _write(self._file, _read(self._file) | self._known)
        except OSError as error:
            _log.warning("loudness.not_saved", error=error.strerror or type(error).__name__)


def applied(pcm: bytes, gain_db: float) -> bytes:
    """The sound (int16 LE), louder or softer by a gain. Peaks that would not fit are bent
    rather than cut off; each sample by itself, so that pieces of a phrase join as they did."""
    if not gain_db or not pcm:
        return pcm
    sound = np.frombuffer(pcm, "<i2").astype(np.float32) * (10 ** (gain_db / 20) / _FULL)
    if gain_db > 0:
        level = np.abs(sound)
        over = level > _KNEE
        bent = _KNEE + (1 - _KNEE) * np.tanh((level[over] - _KNEE) / (1 - _KNEE))
        sound[over] = np.copysign(bent, sound[over])
    return bytes(np.clip(np.rint(sound * _FULL), -32768, 32767).astype("<i2").tobytes())


def loudness(pcm: bytes, rate: int) -> float | None:
    """Of sound (int16 LE mono at `rate` Hz) in LUFS; None where there is none of 400 ms."""
    return _Voice(rate).feed(pcm, 1)


def _name(engine: str, voice: str, fingerprint: str) -> str:
    return "\n".join((engine, fingerprint, voice))


def _read(file: Path) -> dict[str, float]:
    """What was measured before; nothing where the file is not what we wrote."""
    try:
        told = json.loads(file.read_bytes())
        return {str(name): _lufs(value) for name, value in told.items()}
    except FileNotFoundError:
        pass
    except (OSError, ValueError, TypeError, AttributeError) as error:
        _log.warning("loudness.not_read", error=type(error).__name__, action="Voices are measured.")
    return {}


def _lufs(value: object) -> float:
    if not isinstance(value, float) or not _ABSOLUTE_GATE <= value <= _FULL_LUFS:
        raise ValueError("not a loudness")
    return value


def _write(file: Path, known: dict[str, float]) -> None:
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_whole(file, json.dumps(known, indent=1).encode())


class _Voice:
    """A voice of which too little has been heard yet."""

    def __init__(self, rate: int) -> None:
        self.rate = rate
        self._fed = 0
        self._blocks: list[float] = []
        self._graph = filter_graph()
        source = self._graph.add_abuffer(
            sample_rate=rate, format="s16", layout="mono", time_base=Fraction(1, rate)
        )
        meter = self._graph.add("ebur128", "metadata=1")
        sink = self._graph.add("abuffersink")
        source.link_to(meter)
        meter.link_to(sink)
        self._graph.configure()

    def feed(self, pcm: bytes, blocks: int = MEASURE_BLOCKS) -> float | None:
        """The voice's loudness, once as many blocks of speech were heard."""
        if not pcm:
            return None
        frame = av.AudioFrame.from_ndarray(
            np.frombuffer(pcm, "<i2").reshape(1, -1), format="s16", layout="mono"
        )
        frame.sample_rate = self.rate
        frame.time_base = Fraction(1, self.rate)
        frame.pts = self._fed
        self._fed += len(pcm) // BYTES_PER_SAMPLE
        self._graph.push(frame)
        self._measure()
        # What is far back counts for nothing: a voice that was silent for long.
        del self._blocks[: -int(_MOST_S / _BLOCK_S)]
        return _gated(self._blocks, blocks)

    def _measure(self) -> None:
        for frame in pulled(self._graph):
            block = frame.metadata.get("lavfi.r128.M")
            if block is not None:
                self._blocks.append(float(block))


def _gated(blocks: list[float], least: int) -> float | None:
    loud = [block for block in blocks if block > _ABSOLUTE_GATE]
    if len(loud) < least:
        return None
    gate = _mean(loud) + _RELATIVE_GATE
    speech = [block for block in loud if block > gate]
    top = float(np.median(speech)) + _CLICK
    speech = [block for block in speech if block < top]
    return _mean(speech) if len(speech) >= least else None


def _mean(blocks: list[float]) -> float:
    return 10 * math.log10(float(np.mean([10 ** (block / 10) for block in blocks])))
