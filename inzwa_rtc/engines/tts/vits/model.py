"""A VITS model that is loaded: from symbols to latent frames, from frames to samples.

Exports agree in what they compute and differ in names. Coqui's and Piper's take `input`,
`input_lengths` and `scales` (noise, length, noise of the durations), `sid` for the speaker and
`langid` for the language; those made of transformers' class take `input_ids` and
`attention_mask`, and are given an input for the pace here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx

from inzwa_rtc.engines.hardware import Device
from inzwa_rtc.engines.tts.onnx.file import broken, read_onnx
from inzwa_rtc.engines.tts.onnx.runtime import Array, Session, Stop
from inzwa_rtc.engines.tts.vits.graph import PACE, Uncut, cut, decoder_of, durations, with_pace
from inzwa_rtc.engines.tts.vits.windows import windows
from inzwa_rtc.errors import EngineError
from inzwa_rtc.machine.memory import give_back

Samples = npt.NDArray[np.float32]

_IDS = ("input", "input_ids")
_KNOWN = (*_IDS, "input_lengths", "attention_mask", "scales", "sid", "langid", "speaker_id", PACE)
_TRIED = 16  # symbols of the text with which a model is tried
_EQUAL = 1e-3  # of full scale: what the joined windows may differ from the whole


@dataclass(frozen=True, slots=True)
class Manner:
    """How a text is spoken. `length` above 1 is slower; `noise` and `noise_w` are the share of
    chance in the sound and in the durations."""

    noise: float
    length: float
    noise_w: float
    speaker: int = 0
    language: int = 0


@dataclass(frozen=True, slots=True)
class Encoded:
    """A text on its way: latent frames, or its sound already where the model is of one piece.

    `frames` counts them; `durations` are the frames of each symbol, None where unknown.
    """

    frames: int
    durations: Array | None
    tensors: dict[str, Array]


class VitsModel:
    """The sessions of one model. Threads may use it at once."""

    def __init__(self, path: Path, device: Device, threads: int) -> None:
        """Raises `EngineUnavailable` for a file that is no VITS model."""
        model, self.digest = read_onnx(path)
        self._path, self._device, self._threads = path, device, threads
        weights = {one.name for one in model.graph.initializer}
        self._check([one.name for one in model.graph.input if one.name not in weights])
        self.symbols = _rows(model.graph, _IDS)
        """How many symbols it knows; None where that is not to be seen."""
        self.speakers = _rows(model.graph, ("sid", "speaker_id")) or 1
        self.languages = _rows(model.graph, ("langid",)) or 1
        self._output = model.graph.output[0].name
        self._durations = durations(model.graph)
        if self._durations and "scales" not in _names(model.graph.input):
            with_pace(model.graph, self._durations)
        self.undivided = ""
        """Why its sound cannot be made in windows; empty where it can."""
        try:
            self._divide(model)
            self._try()
        except Uncut as reason:
            self._keep_whole(model, str(reason))
            self._try()
        del model
        give_back()  # what loading took beyond the sessions: several times the file

    @property
    def tells_durations(self) -> bool:
        """Whether it tells how long each symbol lasts."""
        return self._durations is not None

    @property
    def has_pace(self) -> bool:
        """Whether it can speak slower and faster."""
        return bool({"scales", PACE} & set(self._encoder.inputs))

    @property
    def hop(self) -> int | None:
        """Samples of a latent frame; None for a model of one piece."""
        return None if self.undivided else self._reach.rate

    def encode(self, ids: Sequence[int], manner: Manner, stop: Stop) -> Encoded:
        """All of a text, at once. Raises `Stopped`, and `EngineError` where the model fails."""
        feed = _feed(self._encoder, ids, manner)
        names = list(self._encoder.outputs)
        made = dict(zip(names, self._encoder.run(names, feed, stop), strict=True))
        lengths = made.pop(self._durations) if self._durations else None
        if lengths is not None:
            lengths = lengths.reshape(-1) if lengths.size == len(ids) else None
        first = made[self._output if self.undivided else self._latent]
        if not self.undivided:
            made |= {name: feed[name] for name in self._carried if name in feed}
        return Encoded(first.shape[-1], lengths, made)

    def sound(self, encoded: Encoded, rate: int, stop: Stop) -> Iterator[Samples]:
        """The sound from its beginning on, float32 of -1 to 1 at `rate`; the first piece is
        short where the model can be divided."""
        if self.undivided:
            whole = _samples(encoded.tensors[self._output])
            for start in range(0, len(whole), rate):  # a second each
                yield whole[start : start + rate]
            return
        left, right = self._reach.frames
        hop = self._reach.rate
        for one in windows(encoded.frames, left, right, hop * 1000 / rate):
            made = self._decode(encoded, one.first, one.last, stop)
            yield made[(one.start - one.first) * hop : (one.end - one.first) * hop]

    def close(self) -> None:
        """Free the sessions; runs under way keep them until their end."""
        self._encoder.close()
        if not self.undivided:
            self._decoder.close()

    def _decode(self, encoded: Encoded, first: int, last: int, stop: Stop) -> Samples:
        latent = np.ascontiguousarray(encoded.tensors[self._latent][..., first:last])
        feed = {**{name: encoded.tensors[name] for name in self._carried}, self._latent: latent}
        return _samples(self._decoder.run([self._decoded], feed, stop)[0])

    def _check(self, inputs: list[str]) -> None:
        strange = [name for name in inputs if name not in _KNOWN]
        if strange or not set(_IDS) & set(inputs):
            raise broken(
                self._path,
                f"it is no VITS voice (its inputs are {', '.join(inputs)[:200]}; known are "
                "input, input_lengths, scales, sid and langid, or input_ids and attention_mask)",
            )

    def _divide(self, model: onnx.ModelProto) -> None:
        kept = [self._durations] if self._durations else []
        halves = cut(model, self._output, kept)
        self._latent, self._carried, self._reach = halves.latent, halves.carried, halves.reach
        self._decoded = halves.output
        self._encoder = Session(halves.encoder, self._path, self._device, self._threads)
        given = {one.name: one for one in model.graph.input}
        inputs = [
            given[name] if name in given else self._encoder.described(name)
            for name in (halves.latent, *halves.carried)
        ]
        decoder = decoder_of(model, halves, inputs)
        self._decoder = Session(decoder, self._path, self._device, self._threads)

    def _keep_whole(self, model: onnx.ModelProto, reason: str) -> None:
        self.undivided = reason
        del model.graph.output[1:]
        if self._durations:
            model.graph.output.append(onnx.ValueInfoProto(name=self._durations))
        self._encoder = Session(model, self._path, self._device, self._threads)

    def _try(self) -> None:
        """Speak a few symbols: what is wrong with a model shows now, not in a call."""
        ids = [number % (self.symbols or 1) for number in range(_TRIED)]
        try:
            encoded = self.encode(ids, Manner(0.5, 1.0, 0.5), Stop())
            pieces = list(self.sound(encoded, 1000, Stop()))
            if not self.undivided:
                self._compare(encoded, np.concatenate(pieces))
        except EngineError as error:
            if self.undivided:
                raise broken(self._path, f"it does not speak: {error.message}") from None
            raise Uncut("its decoder does not run by itself") from None
        if self._durations and encoded.durations is None:
            self._durations = None  # what was taken for them has another form
        if not all(np.isfinite(piece).all() for piece in pieces):
            raise broken(self._path, "it makes values that are no numbers")

    def _compare(self, encoded: Encoded, joined: Samples) -> None:
        if any(array.shape[-1] == encoded.frames > 1
               for array in (encoded.tensors[name] for name in self._carried)):  # fmt: skip
            raise Uncut("its decoder wants more than one thing of each frame")
        whole = self._decode(encoded, 0, encoded.frames, Stop())
        if len(whole) != len(joined):
            raise Uncut("its decoder makes no whole number of samples of a frame")
        if np.abs(whole - joined).max(initial=0) > _EQUAL:
            raise Uncut("its decoder reaches further than it seems to")


def _feed(session: Session, ids: Sequence[int], manner: Manner) -> dict[str, Array]:
    """What a session asks for, by its names."""
    count = len(ids)
    symbols = np.array([ids], np.int64)
    values: dict[str, Array] = {
        "input": symbols,
        "input_ids": symbols,
        "input_lengths": np.array([count], np.int64),
        "attention_mask": np.ones((1, count), np.int64),
        "scales": np.array([manner.noise, manner.length, manner.noise_w], np.float32),
        "sid": np.array([manner.speaker], np.int64),
        "speaker_id": np.array([manner.speaker], np.int64),
        "langid": np.array([manner.language], np.int64),
        PACE: np.array([manner.length], np.float32),
    }
    return {name: values[name] for name in session.inputs}


def _rows(graph: Any, inputs: tuple[str, ...]) -> int | None:
    """Rows of the table in which an input's numbers are looked up."""
    sizes = {one.name: list(one.dims) for one in graph.initializer}
    followed = {name for name in _names(graph.input) if name in inputs}
    for node in graph.node:
        if node.op_type in ("Identity", "Cast", "Unsqueeze", "Squeeze"):
            if node.input[0] in followed:
                followed |= set(node.output)
            if node.input[0] in sizes and node.op_type == "Identity":
                sizes[node.output[0]] = sizes[node.input[0]]
        elif node.op_type == "Gather" and node.input[1] in followed and node.input[0] in sizes:
            return int(sizes[node.input[0]][0])
    return None


def _names(values: Any) -> list[str]:
    return [str(one.name) for one in values]


def _samples(array: Array) -> Samples:
    return np.asarray(array, np.float32).reshape(-1)
