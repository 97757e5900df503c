"""Cutting the graph of a VITS model in two, at the input of its decoder.

The encoder makes a sequence of latent frames of the whole text, and how many of them each
symbol takes. The decoder (HiFi-GAN) turns frames into samples. It is made of convolutions only,
so a sample depends on a few frames around it: any stretch of the sound can be computed from its
own frames and as many on either side as the decoder reaches.

Where the decoder begins is told by its form, whatever an exporter called its nodes: it is the
convolution that feeds the first transposed one.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import onnx
from onnx import helper

PACE = "inzwa_pace"
"""The input that `with_pace` adds."""

# Between the decoder's first convolution and the first transposed one.
_POINTWISE = frozenset({"LeakyRelu", "Relu", "Add", "Mul", "Identity", "Elu", "PRelu", "Cast"})
# What computes each moment from the same moment alone.
_STILL = _POINTWISE | frozenset(
    {"Sub", "Div", "Neg", "Tanh", "Sigmoid", "Sin", "Cos", "Exp", "Pow", "Clip", "Squeeze",
     "Unsqueeze", "Flatten", "Sqrt", "Abs", "Reciprocal", "Sum"}
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Reach:
    """How a tensor of the decoder depends on latent frames: how many on the left and on the
    right of its own moment, and how many of its values there are to a frame."""

    left: float = 0.0
    right: float = 0.0
    rate: int = 1

    @property
    def frames(self) -> tuple[int, int]:
        """Whole frames on the left and on the right."""
        return math.ceil(self.left), math.ceil(self.right)


@dataclass(frozen=True, slots=True)
class Halves:
    """A model cut in two. The decoder takes `latent` and `carried`, which the encoder gives."""

    encoder: onnx.ModelProto
    decoder_nodes: tuple[Any, ...]
    latent: str
    carried: tuple[str, ...]
    output: str
    reach: Reach


class Uncut(Exception):
    """Why a graph cannot be cut."""


def durations(graph: Any) -> str | None:
    """The tensor with the number of frames of each symbol; None where it is not found."""
    rounded = [node for node in graph.node if node.op_type == "Ceil"]
    return str(rounded[0].output[0]) if len(rounded) == 1 else None


def with_pace(graph: Any, tensor: str) -> None:
    """Give a graph that knows no pace an input by which the lengths in `tensor` are multiplied,
    before they are rounded up."""
    (node,) = [one for one in graph.node if tensor in one.output]
    place = list(graph.node).index(node)
    paced = f"{tensor}_paced"
    graph.node.insert(place, helper.make_node("Mul", [node.input[0], PACE], [paced]))
    graph.node[place + 1].input[0] = paced
    graph.input.append(helper.make_tensor_value_info(PACE, onnx.TensorProto.FLOAT, [1]))


def cut(model: onnx.ModelProto, output: str, kept: Iterable[str]) -> Halves:
    """Cut a model before its decoder, whose result is `output`; the encoder gives also `kept`.

    Raises `Uncut` where there is no such place.
    """
    graph = model.graph
    made = {name: node for node in graph.node for name in node.output if name}
    first = _first_convolution(graph, made)
    latent = first.input[0]
    if latent not in made:
        raise Uncut("its decoder has no part before it")
    below = _below(graph, latent)
    decoder = [node for node in _above(graph, made, output) if set(node.output) & below]
    inner = {name for node in decoder for name in node.output}
    if output not in inner or any(_has_graph(node) for node in decoder):
        raise Uncut("its decoder is not of one piece")
    given = {one.name for one in graph.input}
    weights = {one.name for one in graph.initializer}
    wanted = list(dict.fromkeys(
        name for node in decoder for name in node.input if name and name not in inner | {latent}
    ))  # fmt: skip
    changing = _changing(graph, given)
    carried = tuple(name for name in wanted if name in changing)
    fixed = _above(graph, made, *(set(wanted) - set(carried) - weights))
    reach = _reach(decoder, latent, output, graph)
    encoder = _part(
        model,
        _above(graph, made, latent, *(name for name in carried if name in made), *kept),
        list(graph.input),
        [latent, *(name for name in carried if name in made), *kept],
    )
    return Halves(encoder, (*fixed, *decoder), latent, carried, output, reach)


def decoder_of(model: onnx.ModelProto, halves: Halves, inputs: list[Any]) -> onnx.ModelProto:
    """The second half as a model; `inputs` describe `latent` and `carried`."""
    return _part(model, halves.decoder_nodes, inputs, [halves.output])


def _first_convolution(graph: Any, made: dict[str, Any]) -> Any:
    for node in graph.node:
        if node.op_type == "ConvTranspose":
            queue, seen = [node.input[0]], set[str]()
            while queue:
                name = queue.pop()
                before = made.get(name)
                if before is None or name in seen:
                    continue
                seen.add(name)
                if before.op_type == "Conv" and _ints(before, "kernel_shape", [1])[0] > 1:
                    return before
                if before.op_type in _POINTWISE:
                    queue += before.input
            break
    raise Uncut("it has no decoder of transposed convolutions")


def _below(graph: Any, name: str) -> set[str]:
    """All that is computed from a tensor; nodes come in an order in which they can be run."""
    below = {name}
    for node in graph.node:
        if below & set(node.input):
            below |= set(node.output)
    return below - {name}


def _changing(graph: Any, given: set[str]) -> set[str]:
    """All that is computed from the inputs, or by chance."""
    changing = set(given)
    for node in graph.node:
        if changing & set(node.input) or node.op_type.startswith("Random"):
            changing |= set(node.output)
    return changing


def _above(graph: Any, made: dict[str, Any], *names: str) -> list[Any]:
    """The nodes that make these tensors, in the graph's order."""
    needed, queue = set[str](), list(names)
    while queue:
        name = queue.pop()
        node = made.get(name)
        if node is not None and name not in needed:
            needed |= set(node.output)
            queue += [*node.input, *_outer(node)]
    return [node for node in graph.node if needed & set(node.output)]


def _outer(node: Any) -> list[str]:
    """What the graphs within a node use of the graph around it."""
    return [
        name
        for attribute in node.attribute
        for inner in (attribute.g, *attribute.graphs)
        for one in inner.node
        for name in (*one.input, *_outer(one))
    ]


def _has_graph(node: Any) -> bool:
    return any(one.HasField("g") or len(one.graphs) for one in node.attribute)


def _reach(nodes: list[Any], latent: str, output: str, graph: Any) -> Reach:
    reaches = {latent: Reach()}
    shapes = {one.name: list(one.dims) for one in graph.initializer}
    for node in nodes:
        inputs = [reaches[name] for name in node.input if name in reaches]
        if node.op_type not in ("Conv", "ConvTranspose") and node.op_type not in _STILL:
            raise Uncut(f"its decoder has a {node.op_type}")
        rate = inputs[0].rate
        if any(one.rate != rate for one in inputs):
            raise Uncut("its decoder joins sounds of different rates")
        widest = Reach(max(one.left for one in inputs), max(one.right for one in inputs), rate)
        if node.op_type in ("Conv", "ConvTranspose"):
            kernel = _ints(node, "kernel_shape", shapes.get(node.input[1], [])[2:])
            widest = _through(node, widest, kernel)
        for name in node.output:
            reaches[name] = widest
    return reaches[output]


def _through(node: Any, before: Reach, kernel: list[int]) -> Reach:
    """The reach behind a convolution along time."""
    if len(kernel) != 1:
        raise Uncut("its decoder has convolutions of another kind")
    stride = _ints(node, "strides", [1])[0]
    pads = _ints(node, "pads", [0, 0])
    span = (kernel[0] - 1) * _ints(node, "dilations", [1])[0]
    if node.op_type == "ConvTranspose":
        if span + 1 - sum(pads) + _ints(node, "output_padding", [0])[0] != stride:
            raise Uncut("its decoder makes no whole number of samples of a frame")
        left, right = max(0, span - pads[0]) / stride, pads[0] / stride
        rate = before.rate * stride
    else:
        if stride != 1 or span != sum(pads):
            raise Uncut("its decoder makes no whole number of samples of a frame")
        left, right, rate = pads[0], pads[1], before.rate
    return Reach(before.left + left / before.rate, before.right + right / before.rate, rate)


def _ints(node: Any, name: str, default: list[int]) -> list[int]:
    for attribute in node.attribute:
        if attribute.name == name:
            return list(attribute.ints) or [attribute.i]
    return default


def _part(
    model: onnx.ModelProto, nodes: Iterable[Any], inputs: list[Any], outputs: list[str]
) -> onnx.ModelProto:
    nodes = list(nodes)
    used = {name for node in nodes for name in (*node.input, *_outer(node))} | set(outputs)
    part = onnx.ModelProto(ir_version=model.ir_version)
    part.opset_import.extend(model.opset_import)
    part.functions.extend(model.functions)
    part.graph.name = model.graph.name or "part"
    part.graph.node.extend(nodes)
    part.graph.initializer.extend(one for one in model.graph.initializer if one.name in used)
    part.graph.sparse_initializer.extend(
        one for one in model.graph.sparse_initializer if one.values.name in used
    )
    part.graph.input.extend(one for one in inputs if one.name in used)
    # Without their types, which the runtime finds out.
    part.graph.output.extend(onnx.ValueInfoProto(name=name) for name in outputs)
    return part
