"""Kokoro's graph: symbols, a style and a speed in, sound and the lengths of the symbols out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from inzwa_rtc.engines.hardware import Device
from inzwa_rtc.engines.tts.kokoro.vocabulary import vocabulary
from inzwa_rtc.engines.tts.onnx.file import broken, read_onnx
from inzwa_rtc.engines.tts.onnx.runtime import Session, Stop
from inzwa_rtc.errors import EngineError

SAMPLE_RATE = 24_000

_KINDS = {
    "tensor(int32)": np.int32,
    "tensor(int64)": np.int64,
    "tensor(float16)": np.float16,
    "tensor(float)": np.float32,
    "tensor(double)": np.float64,
}
_SYMBOLS = ("tokens", "input_ids")  # what exports call them


@dataclass(frozen=True, slots=True)
class Sound:
    """Sound (float, -1 to 1), and where each symbol begins in it, in samples: one more than
    there are symbols, the last being where the last ends. None from a model that does not tell."""

    samples: npt.NDArray[np.float32]
    begins: npt.NDArray[np.int64] | None


class KokoroModel:
    """A model that was tried out once. Several threads may run it at once.

    Raises `EngineUnavailable` for a file that is no Kokoro, or one that does not fit the voices.
    """

    def __init__(self, path: Path, device: Device, threads: int, style: npt.NDArray[Any]) -> None:
        """`style` is one to try it out with, `[1, width]`."""
        graph, self.digest = read_onnx(path)
        metadata = {entry.key: entry.value for entry in graph.metadata_props}
        self.vocabulary = vocabulary(path, metadata)
        self._session = Session(graph, path, device, threads)
        del graph
        self._inputs = _inputs(path, self._session)
        self._outputs = _outputs(path, self._session)
        self.tells_times = len(self._outputs) > 1
        self.has_whole_speeds = np.dtype(self._inputs["speed"]).kind == "i"
        """Whether it was exported with speeds that have no fractions."""
        self._try_out(path, style)

    def speak(self, ids: Sequence[int], style: npt.NDArray[Any], speed: float, stop: Stop) -> Sound:
        """The sound of these symbols, `style` being `[1, width]`, at a speed that the model has
        (see `nearest`). Raises `Stopped`, and `EngineError` where the model fails."""
        values = {"style": style, "speed": np.array([speed])}
        feed = {
            name: np.asarray(values.get(name, [[0, *ids, 0]]), dtype=kind)
            for name, kind in self._inputs.items()
        }
        made = self._session.run(self._outputs, feed, stop)
        samples = np.asarray(made[0], dtype=np.float32).ravel()
        if not self.tells_times:
            return Sound(samples, None)
        return Sound(samples, _begins(made[1].ravel(), len(ids), len(samples)))

    def nearest(self, speed: float) -> float:
        """The speed that the model has which is nearest."""
        return float(max(1, round(speed))) if self.has_whole_speeds else speed

    def close(self) -> None:
        """Free the model; a run under way keeps it until its end."""
        self._session.close()

    def _try_out(self, path: Path, style: npt.NDArray[Any]) -> None:
        try:
            sound = self.speak([max(self.vocabulary.values())], style, 1.0, Stop())
        except EngineError:
            raise broken(
                path, "it fails on a first sound: its symbols or voices are another model's"
            ) from None
        if not len(sound.samples) or not np.isfinite(sound.samples).all():
            raise broken(path, "what it makes is no sound")


def _inputs(path: Path, session: Session) -> Mapping[str, Any]:
    """The type of each input. They are told apart by their names."""
    names = set(session.inputs)
    if not any(names == {symbols, "style", "speed"} for symbols in _SYMBOLS):
        raise broken(path, f"it is no Kokoro: its inputs are {', '.join(sorted(names))[:200]}")
    kinds = {name: _KINDS.get(one.type) for name, one in session.inputs.items()}
    if wrong := [name for name, kind in kinds.items() if kind is None]:
        raise broken(path, f"its input `{wrong[0]}` takes no numbers")
    return kinds


def _outputs(path: Path, session: Session) -> list[str]:
    """The sound's name, and that of the lengths of the symbols if there is one."""
    sounds = [name for name in session.outputs if name != "duration"]
    if len(sounds) != 1:
        raise broken(path, f"it is no Kokoro: it has {len(sounds)} outputs of sound")
    return [*sounds, *(name for name in session.outputs if name == "duration")]


def _begins(
    durations: npt.NDArray[Any], symbols: int, samples: int
) -> npt.NDArray[np.int64] | None:
    """From the frames of each symbol, the padding before and after included."""
    lengths = np.asarray(durations, dtype=np.float64)
    if len(lengths) != symbols + 2 or not np.isfinite(lengths).all() or (lengths < 0).any():
        return None
    ends = np.cumsum(lengths)
    if not ends[-1]:
        return None
    return np.asarray(np.rint(ends[:-1] / ends[-1] * samples), dtype=np.int64)
