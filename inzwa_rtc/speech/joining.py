"""Pieces of speech put together so that nobody hears where one ends and the next begins.

The end of a piece is laid over the beginning of the next for a few milliseconds, at equal
power: two sounds that have nothing to do with each other are then as loud together as alone
(the squares of the two gains add up to one). What borders on silence is faded.

No clock and no I/O. It holds back what may have to be changed: the last milliseconds of what
came, and the silence in it that may be the end of the piece.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

SILENT = 33  # of 32,768, or -60 dB: below the noise floor of recordings, and of voices made of them
LEADING_MS = 40  # of silence kept before the first sound: an "f" or an "h" begins below `SILENT`
HELD_BACK_MS = 3_000  # of silence, at most: longer ones within a piece are as they were made

_NOTHING: NDArray[np.int16] = np.zeros(0, np.int16)


@dataclass(frozen=True, slots=True)
class Joints:
    """How long pieces overlap, and how long the fades are at the ends of a text and next to
    pauses, in milliseconds."""

    crossfade_ms: float = 10.0
    fade_ms: float = 3.0


class Joiner:
    """One text's audio: for each piece `begin`, `feed` and `end`; at last `finish`.

    Audio is int16 LE mono at `rate` Hz. What a call returns follows what the last one did.
    """

    def __init__(self, rate: int, joints: Joints) -> None:
        self.given = 0
        """Samples returned so far."""
        self._rate = rate
        self._overlap = self.samples(joints.crossfade_ms)
        self._fade = self.samples(joints.fade_ms)
        self._kept = max(self._overlap, self._fade)  # until it is known what follows
        self._before = _NOTHING  # of the last piece: to be laid over the beginning of the next
        self._held = _NOTHING  # of this piece
        self._has_sound = False
        self._skipped = 0  # samples of silence at the beginning of this piece
        self._start: int | None = None  # where this piece's first sample lies in what is returned
        self._taken = 0  # samples of this piece that came
        self._sounding = 0

    def begin(self) -> None:
        """A piece begins."""
        self._held = _NOTHING
        self._has_sound = False
        self._skipped = self._taken = self._sounding = 0
        self._start = None

    def feed(self, pcm: bytes) -> bytes:
        """Take audio of the piece; return what will not change any more."""
        fresh = np.frombuffer(pcm, "<i2")
        self._taken += len(fresh)
        self._held = np.concatenate([self._held, fresh])
        if not self._has_sound:
            self._skip_silence()
            if not self._has_sound:
                return b""
        if self._start is None and len(self._held) < self._kept:
            return b""  # too little to be laid over what was before
        self._open()
        silent = min(_silent_at_the_end(self._held), self.samples(HELD_BACK_MS))
        return self._give(len(self._held) - max(silent, self._kept))

    def end(self, longest_silence_ms: float) -> bytes:
        """The piece is over. Of the silence at its end as much stays as is given here, at most."""
        longest = self.samples(longest_silence_ms)
        if not self._has_sound:  # it has none at all: what there is of it is a pause
            self._held = np.zeros(min(self._taken, longest), np.int16)
            self._skipped = self._taken - len(self._held)
        if self._start is None:
            if not len(self._held):
                return b""
            self._open()
        silent = _silent_at_the_end(self._held)
        self._sounding = max(0, self._taken - self._skipped - silent)
        self._held = self._held[: len(self._held) - max(0, silent - longest)]
        given = self._give(len(self._held) - self._kept)
        self._before, self._held = self._held, _NOTHING
        return given

    def pause(self) -> bytes:
        """Silence follows the piece that has ended, or nothing does: fade it out."""
        last, self._before = self._before, _NOTHING
        self.given += len(last)
        return _bytes(_faded(last, min(self._fade, len(last)), ends=True))

    def silence(self, samples: int) -> bytes:
        """That many samples of silence, after `pause`."""
        self.given += samples
        return bytes(2 * samples)

    def finish(self) -> bytes:
        """The text is over."""
        return self.pause()

    @property
    def given_ms(self) -> int:
        """Milliseconds returned so far."""
        return self.given * 1000 // self._rate

    @property
    def end_ms(self) -> int:
        """When the piece that has ended is over, in milliseconds from the beginning of all."""
        return (self.given + len(self._before)) * 1000 // self._rate

    @property
    def start_ms(self) -> int | None:
        """When this piece starts, in milliseconds from the beginning of all; None while that is
        not decided."""
        return None if self._start is None else self._start * 1000 // self._rate

    @property
    def sounding_ms(self) -> int:
        """Length of the piece that has ended, less the silence at its ends."""
        return self._sounding * 1000 // self._rate

    def place_ms(self, ms: float) -> int:
        """When a moment of this piece (milliseconds from its first sample) comes, counted from
        the beginning of all. To be asked once there is a `start_ms`."""
        assert self._start is not None, "asked too early"
        sample = max(0, self.samples(ms) - self._skipped)
        return (self._start + sample) * 1000 // self._rate

    def samples(self, ms: float) -> int:
        """How many make up this time."""
        return round(self._rate * ms / 1000)

    def _skip_silence(self) -> None:
        sounding = np.flatnonzero(_loud(self._held))
        self._has_sound = sounding.size > 0
        first = int(sounding[0]) if sounding.size else len(self._held)
        excess = max(0, first - self.samples(LEADING_MS))
        self._held = self._held[excess:]
        self._skipped += excess

    def _open(self) -> None:
        """Lay the beginning over the end of what was before, or fade it in, once."""
        if self._start is not None:
            return
        overlap = min(self._overlap, len(self._before), len(self._held))
        self._start = self.given + len(self._before) - overlap
        if not len(self._before):
            self._held = _faded(self._held, min(self._fade, len(self._held)), ends=False)
            return
        alone, under = np.split(self._before, [len(self._before) - overlap])
        mixed = _mixed(under, self._held[:overlap])
        self._held = np.concatenate([alone, mixed, self._held[overlap:]])
        self._before = _NOTHING

    def _give(self, samples: int) -> bytes:
        if samples <= 0:
            return b""
        given, self._held = np.split(self._held, [samples])
        self.given += samples
        return _bytes(given)


def longest_silence_ms(text: str) -> float:
    """The longest silence that sounds natural after a piece of speech: little within a clause,
    the most after a sentence."""
    last = text.rstrip().rstrip("\"'”’»)]")[-1:]
    if last and last in ".!?…。！？":
        return 320.0
    return 180.0 if last and last in ",;:–—" else 60.0


def _loud(audio: NDArray[np.int16]) -> NDArray[np.bool_]:
    return (audio > SILENT) | (audio < -SILENT)


def _silent_at_the_end(audio: NDArray[np.int16]) -> int:
    sounding = np.flatnonzero(_loud(audio))
    return len(audio) - 1 - int(sounding[-1]) if sounding.size else len(audio)


def _mixed(ending: NDArray[np.int16], beginning: NDArray[np.int16]) -> NDArray[np.int16]:
    angle = np.pi / 2 * _ramp(len(ending))
    return _whole(ending * np.cos(angle) + beginning * np.sin(angle))


def _faded(audio: NDArray[np.int16], samples: int, *, ends: bool) -> NDArray[np.int16]:
    """The audio with `samples` of it faded in, or out at its end."""
    if not samples:
        return audio
    gain = _ramp(samples)
    faded = audio.astype(np.float64)
    if ends:
        faded[-samples:] *= gain[::-1]
    else:
        faded[:samples] *= gain
    return _whole(faded)


def _ramp(samples: int) -> NDArray[np.float64]:
    """From 0 to 1, level at both ends: a corner in the gain would be a faint click."""
    return np.sin(np.pi / 2 * (np.arange(samples) + 0.5) / samples) ** 2


def _whole(audio: NDArray[Any]) -> NDArray[np.int16]:
    whole: NDArray[np.int16] = np.clip(np.rint(audio), -32768, 32767).astype(np.int16)
    return whole


def _bytes(audio: NDArray[np.int16]) -> bytes:
    return audio.astype("<i2", copy=False).tobytes()
