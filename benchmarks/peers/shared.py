"""What all servers that are compared have in common."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

SENTENCES = 3
TONE_HZ = 440
LEVEL = 6000
TRANSCRIPT = "what can you do"
REPLY = (
    "The river listens to the wind. ",
    "The wind answers in the reeds. ",
    "In the evening both of them rest.",
)

THRESHOLD, RELEASE = 0.5, 0.35
MAYBE_MS, START_MS = 60, 200
"""The probabilities and times of our own settings (`turn.threshold` and its neighbours)."""

WINDOW = 512  # samples at 16 kHz: 32 ms
_CONTEXT = 64
_RATE = np.array(16_000, np.int64)
WINDOW_MS = 32

Samples = npt.NDArray[np.int16]


class Session(Protocol):
    """An ONNX model, as ONNX Runtime runs it, from any thread."""

    def run(self, names: None, inputs: dict[str, Any]) -> list[Any]:
        """Its outputs for these inputs."""
        ...


@dataclass(frozen=True, slots=True)
class Given:
    """The command line of every peer."""

    port: int
    silence_ms: int
    silero: Path


def given() -> Given:
    """Read it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--silence-ms", type=int, default=200)
    parser.add_argument("--silero", type=Path, required=True, help="pipecat's silero_vad.onnx")
    told = parser.parse_args()
    return Given(told.port, told.silence_ms, told.silero)


def tone(rate: int, seconds: float = 1.0) -> Samples:
    """A sentence."""
    turns = TONE_HZ * np.arange(round(rate * seconds)) / rate
    return (LEVEL * np.sin(2 * np.pi * turns)).astype(np.int16)


class Silero:
    """The voice detector in ONNX Runtime, one thread: one for a process, whose threads may all
    use it, because it keeps nothing of what it hears."""

    def __init__(self, session: Session) -> None:
        self._session = session

    @classmethod
    def of(cls, file: Path) -> Silero:
        """The model of this file."""
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        return cls(
            onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
        )

    def stream(self) -> Stream:
        """For one caller, or for one piece of what they say."""
        return Stream(self._session)

    def speech_s(self, piece: Samples) -> float:
        """Seconds of speech in a piece of sound, nothing known of what was before it."""
        stream = self.stream()
        windows = piece[: len(piece) // WINDOW * WINDOW].reshape(-1, WINDOW)
        voiced = sum(stream.judge(window) >= THRESHOLD for window in windows)
        return voiced * WINDOW_MS / 1000


class Stream:
    """What a detector remembers of one stream."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._state = np.zeros((2, 1, 128), np.float32)
        self._context = np.zeros((1, _CONTEXT), np.float32)

    def judge(self, window: Samples) -> float:
        """Probability of speech in `WINDOW` samples at 16 kHz."""
        samples = np.concatenate(
            [self._context, window.astype(np.float32)[None] / 32768.0], axis=1, dtype=np.float32
        )
        out, self._state = self._session.run(
            None, {"input": samples, "state": self._state, "sr": _RATE}
        )
        self._context = samples[:, -_CONTEXT:]
        return float(out[0, 0])


class Turns:
    """A minimal turn detector with our times: `hold`, `cut`, `release` and `end` as they come."""

    def __init__(self, silence_ms: int) -> None:
        self._silence_ms = silence_ms
        self._voice_ms = 0
        self._quiet_ms = 0
        self._is_speaking = False

    def feed(self, probability: float) -> Iterator[str]:
        """The next window of 32 ms."""
        if probability >= THRESHOLD or (self._voice_ms and probability >= RELEASE):
            yield from self._voice()
        else:
            yield from self._silence()

    def _voice(self) -> Iterator[str]:
        before, self._voice_ms = self._voice_ms, self._voice_ms + WINDOW_MS
        self._quiet_ms = 0
        if before < MAYBE_MS <= self._voice_ms:
            yield "hold"
        if not self._is_speaking and self._voice_ms >= START_MS:
            self._is_speaking = True
            yield "cut"

    def _silence(self) -> Iterator[str]:
        self._quiet_ms += WINDOW_MS
        if not self._is_speaking:
            if self._voice_ms:
                yield "release"
            self._voice_ms = 0
        elif self._quiet_ms >= self._silence_ms:
            self._is_speaking, self._voice_ms = False, 0
            yield "end"
