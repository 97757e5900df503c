"""A VITS voice of random weights, in ONNX as the exporters write it.

120 KB, made at once, with nothing but `onnx`. What matters to whoever runs it is there: a table of
symbols, durations rounded up, frames repeated by them, a latent with chance in it, the speaker's
part of the decoder, and the decoder's convolutions, plain and transposed.

"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

Naming = Literal["dec", "waveform_decoder", "decoder"]
"""What Piper, Coqui and transformers call the decoder."""

HOP = 64
"""Samples of a frame."""
_SLOPE = 0.1


@dataclass(frozen=True, slots=True)
class Kind:
    """What a model is like.

    One that is not `scaled` has the inputs of transformers instead of `scales`. One that is
    not `told` rounds its durations in another way, which hides them; one that is not `plain`
    has something in its decoder that hears all of the sound at once.
    """

    symbols: int = 64
    naming: Naming = "dec"
    speakers: int = 1
    languages: int = 1
    width: int = 16
    scaled: bool = True
    told: bool = True
    plain: bool = True


@dataclass(slots=True)
class _Graph:
    """A graph in the making."""

    kind: Kind
    random: np.random.Generator
    nodes: list[Any] = field(default_factory=list)
    weights: list[Any] = field(default_factory=list)
    inputs: list[Any] = field(default_factory=list)

    def node(self, type: str, inputs: Sequence[str], name: str, **attributes: Any) -> str:
        """Add a node with one output; returns the output's name."""
        self.nodes.append(helper.make_node(type, inputs, [name], name=f"/{name}", **attributes))
        return name

    def input(self, name: str, type: int, shape: Sequence[int | str]) -> str:
        """Add an input; returns its name."""
        self.inputs.append(helper.make_tensor_value_info(name, type, shape))
        return name

    def value(self, name: str, array: Any) -> str:
        """Add weights; returns their name."""
        self.weights.append(numpy_helper.from_array(np.asarray(array), name))
        return name

    def weight(self, name: str, *shape: int) -> str:
        """Add random weights; returns their name."""
        scale = 1 / np.sqrt(np.prod(shape[1:]))
        return self.value(name, self.random.normal(0, scale, shape).astype(np.float32))

    def axis(self, number: int) -> str:
        """A constant with the number of an axis."""
        return self.value(f"axis_{len(self.weights)}", np.array([number], np.int64))

    def convolution(
        self, source: str, name: str, channels: tuple[int, int], size: int, dilation: int = 1
    ) -> str:
        """Add a convolution that keeps the length."""
        pad = dilation * (size - 1) // 2
        weight = self.weight(f"{name}.weight", channels[1], channels[0], size)
        return self.node(
            "Conv", [source, weight], f"{name.replace('.', '/')}/Conv",
            kernel_shape=[size], pads=[pad, pad], dilations=[dilation],
        )  # fmt: skip

    def growth(self, source: str, name: str, channels: tuple[int, int], factor: int) -> str:
        """Add a transposed convolution, which makes it so many times as long."""
        soft = self.node("LeakyRelu", [source], f"{name}/soft", alpha=_SLOPE)
        weight = self.weight(f"{name}.weight", *channels, 2 * factor)
        return self.node(
            "ConvTranspose", [soft, weight], f"{name.replace('.', '/')}/ConvTranspose",
            kernel_shape=[2 * factor], strides=[factor], pads=[factor // 2, factor // 2],
        )  # fmt: skip


def make(path: Path, kind: Kind = Kind()) -> Path:
    """Write a model to `path`; returns it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model(kind), path)
    return path


def model(kind: Kind) -> onnx.ModelProto:
    """A model in memory."""
    graph = _Graph(kind, np.random.default_rng(0))
    ids = graph.input("input" if kind.scaled else "input_ids", TensorProto.INT64, [1, "symbols"])
    lengths = _lengths(graph, ids)
    table = graph.weight("emb.weight", kind.symbols, kind.width)
    hidden = graph.node("Gather", [table, ids], "embedded")
    speaker = None
    if kind.speakers > 1:
        speaker = _embedding(graph, "sid", kind.speakers)
        hidden = graph.node("Add", [hidden, speaker], "of_speaker")
    if kind.languages > 1:
        hidden = graph.node(
            "Add", [hidden, _embedding(graph, "langid", kind.languages)], "of_language"
        )
    sound = _decoder(graph, _latent(graph, hidden, lengths), speaker)
    output = helper.make_tensor_value_info(sound, TensorProto.FLOAT, [1, 1, "time"])
    made = helper.make_model(
        helper.make_graph(graph.nodes, "vits", graph.inputs, [output], graph.weights),
        opset_imports=[helper.make_opsetid("", 17)],
        ir_version=8,
    )
    onnx.checker.check_model(made)
    return made


def _embedding(graph: _Graph, name: str, count: int) -> str:
    number = graph.input(name, TensorProto.INT64, [1])
    table = graph.weight(f"emb_{name}.weight", count, graph.kind.width)
    return graph.node("Gather", [table, number], f"embedded_{name}")


def _lengths(graph: _Graph, ids: str) -> str:
    """Frames of each symbol: 6 to 11 at the pace of 1."""
    kind = graph.kind
    scales = np.array([0.667, 1.0, 0.8], np.float32)
    if kind.scaled:
        graph.input("input_lengths", TensorProto.INT64, [1])
        graph.input("scales", TensorProto.FLOAT, [3])
    else:
        graph.input("attention_mask", TensorProto.INT64, [1, "symbols"])
    for number, name in enumerate(("noise", "length", "noise_w")):
        if kind.scaled:
            graph.node("Gather", ["scales", graph.axis(number)], name)
        else:
            graph.value(name, scales[number : number + 1])
    usual = graph.value("dp.weight", graph.random.uniform(6, 11, kind.symbols).astype(np.float32))
    length = graph.node("Gather", [usual, ids], "dp/length")
    chance = graph.node("RandomNormalLike", [length], "dp/chance")
    length = graph.node(
        "Add", [length, graph.node("Mul", [chance, "noise_w"], "dp/noise")], "dp/sum"
    )
    length = graph.node("Mul", [length, "length"], "dp/paced")
    mask = "input_lengths" if kind.scaled else "attention_mask"
    graph.node("Cast", [mask], "dp/mask", to=TensorProto.FLOAT)
    graph.node("Min", ["dp/mask", graph.value("dp.one", np.array([1], np.float32))], "dp/kept")
    length = graph.node("Mul", [length, "dp/kept"], "dp/masked")
    if kind.told:
        return graph.node("Ceil", [length], "Ceil")
    down = graph.node("Floor", [length], "Floor")
    return graph.node("Add", [down, "dp.one"], "rounded")


def _latent(graph: _Graph, hidden: str, lengths: str) -> str:
    """Each frame takes the symbol that it belongs to, and some chance: [1, width, frames]."""
    ends = graph.node("CumSum", [lengths, graph.value("time", np.array(1, np.int64))], "ends")
    last = graph.node("Cast", [graph.node("ReduceMax", [ends], "last", keepdims=0)], "count",
                      to=TensorProto.INT64)  # fmt: skip
    zero, one = (
        graph.value("zero", np.array(0, np.int64)),
        graph.value("one", np.array(1, np.int64)),
    )
    frames = graph.node("Range", [zero, last, one], "frames")
    graph.node("Cast", [frames], "moments", to=TensorProto.FLOAT)
    column = graph.node("Unsqueeze", ["moments", graph.axis(1)], "column")
    passed = graph.node("GreaterOrEqual", [column, ends], "passed")
    graph.node("Cast", [passed], "counted", to=TensorProto.INT64)
    place = graph.node("ReduceSum", ["counted", graph.axis(1)], "place", keepdims=0)
    rows = graph.node("Squeeze", [hidden, graph.axis(0)], "rows")
    mean = graph.node("Gather", [rows, place], "mean")
    chance = graph.node("RandomNormalLike", [mean], "chance")
    spread = graph.node("Add", [mean, graph.node("Mul", [chance, "noise"], "noises")], "spread")
    batch = graph.node("Unsqueeze", [spread, graph.axis(0)], "batch")
    return graph.node("Transpose", [batch], "latent", perm=[0, 2, 1])


def _decoder(graph: _Graph, latent: str, speaker: str | None) -> str:
    """HiFi-GAN, small: two growths by 8, one block of two convolutions."""
    name, width = graph.kind.naming, graph.kind.width
    sound = graph.convolution(latent, f"{name}.conv_pre", (width, 2 * width), 7)
    if speaker is not None:
        column = graph.node("Unsqueeze", [speaker, graph.axis(2)], "speaker_column")
        condition = graph.convolution(column, f"{name}.cond", (width, 2 * width), 1)
        sound = graph.node("Add", [sound, condition], f"{name}/Add")
    sound = graph.growth(sound, f"{name}.ups.0", (2 * width, width), 8)
    if not graph.kind.plain:
        mean = graph.node("ReduceMean", [sound], f"{name}/mean", axes=[2])
        sound = graph.node("Sub", [sound, mean], f"{name}/Sub")
    block = graph.node("LeakyRelu", [sound], f"{name}/block_soft", alpha=_SLOPE)
    block = graph.convolution(block, f"{name}.resblocks.0.convs.0", (width, width), 3)
    block = graph.node("LeakyRelu", [block], f"{name}/block_softer", alpha=_SLOPE)
    block = graph.convolution(block, f"{name}.resblocks.0.convs.1", (width, width), 3, 3)
    sound = graph.node("Add", [block, sound], f"{name}/block")
    sound = graph.growth(sound, f"{name}.ups.1", (width, width // 2), 8)
    sound = graph.node("LeakyRelu", [sound], f"{name}/last_soft", alpha=_SLOPE)
    sound = graph.convolution(sound, f"{name}.conv_post", (width // 2, 1), 7)
    return graph.node("Tanh", [sound], "output")
