"""A Kokoro of random weights, in ONNX as its exporters write it, and a file of voices.

Some 500 KB, made at once, with nothing but `onnx`. What matters to whoever runs it is there: the
inputs and outputs, a style for each length of text, durations that the speed divides, frames
repeated by them.

`python -m models.tiny.kokoro_onnx FOLDER` makes one by hand.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SYMBOLS = 178
STYLE = 256
LENGTHS = 24  # of text, that each voice has a style for; the true voices have 510
HOP = 600
"""Samples of a frame: 25 ms."""
VOICES = ("af_bella", "af_sarah", "am_adam", "bf_emma", "ef_dora", "jf_alpha", "zf_xiaobei")


def make(
    folder: Path,
    *,
    voices: Sequence[str] = VOICES,
    told: bool = True,
    symbols: int = SYMBOLS,
    tokens: str = "tokens",
    speeds: int = TensorProto.FLOAT,
) -> Path:
    """Write kokoro.onnx and voices.bin to `folder`; returns it.

    With `told` it has an output of durations; `tokens` is what it calls its symbols, `speeds`
    the type of its speed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    onnx.save(
        model(told=told, symbols=symbols, tokens=tokens, speeds=speeds), folder / "kokoro.onnx"
    )
    write_voices(folder / "voices.bin", voices)
    return folder


def write_voices(path: Path, voices: Sequence[str] = VOICES, width: int = STYLE) -> Path:
    """Write a file of voices; returns its path."""
    random = np.random.default_rng(1)
    styles = {name: random.normal(0, 1, (LENGTHS, 1, width)).astype(np.float32) for name in voices}
    with path.open("wb") as file:
        np.savez(file, **styles)  # type: ignore[arg-type]
    return path


def model(
    *, told: bool = True, symbols: int = SYMBOLS, tokens: str = "tokens", speeds: int = 1
) -> onnx.ModelProto:
    """The graph: each symbol a tone of its own, of a length and loudness of its own, coloured by
    the style."""
    random = np.random.default_rng(0)
    weights = {
        "lengths": random.uniform(3, 6, (symbols, 1)).astype(np.float32),
        "sounds": random.normal(0, 0.1, (symbols, HOP)).astype(np.float32),
        "colour": (random.normal(0, 0.01, (STYLE, HOP))).astype(np.float32),
        "zero": np.array([0], np.int64),
        "one": np.array([1], np.int64),
        "shortest": np.array(1, np.float32),
        "flat": np.array([-1], np.int64),
        "last": np.array(-1, np.int64),
        "first": np.array(0, np.int64),
        "step": np.array(1, np.int64),
    }
    node = helper.make_node
    nodes = [
        node("Squeeze", [tokens, "zero"], ["ids"]),
        node("Cast", ["speed"], ["pace"], to=TensorProto.FLOAT),
        # Whole frames for each symbol, at least one, as true exports have them.
        node("Gather", ["lengths", "ids"], ["plain"]),
        node("Reshape", ["plain", "flat"], ["row"]),
        node("Div", ["row", "pace"], ["paced"]),
        node("Round", ["paced"], ["rounded"]),
        node("Max", ["rounded", "shortest"], ["frames"]),
        node("Cast", ["frames"], ["duration"], to=TensorProto.INT64),
        # The symbol of each frame: how many symbols have ended by then.
        node("CumSum", ["duration", "first"], ["ends"]),
        node("Gather", ["ends", "last"], ["total"]),
        node("Range", ["first", "total", "step"], ["places"]),
        node("Unsqueeze", ["places", "one"], ["column"]),
        node("Unsqueeze", ["ends", "zero"], ["across"]),
        node("GreaterOrEqual", ["column", "across"], ["passed"]),
        node("Cast", ["passed"], ["counted"], to=TensorProto.INT64),
        node("ReduceSum", ["counted", "one"], ["of_symbol"], keepdims=0),
        node("Gather", ["ids", "of_symbol"], ["spoken"]),
        node("Gather", ["sounds", "spoken"], ["tones"]),
        node("MatMul", ["style", "colour"], ["coloured"]),
        node("Add", ["tones", "coloured"], ["mixed"]),
        node("Reshape", ["mixed", "flat"], ["audio"]),
    ]
    outputs = [helper.make_tensor_value_info("audio", TensorProto.FLOAT, ["samples"])]
    if told:
        outputs.append(helper.make_tensor_value_info("duration", TensorProto.INT64, ["symbols"]))
    graph = helper.make_graph(
        nodes,
        "kokoro",
        [
            helper.make_tensor_value_info(tokens, TensorProto.INT64, [1, "symbols"]),
            helper.make_tensor_value_info("style", TensorProto.FLOAT, [1, STYLE]),
            helper.make_tensor_value_info("speed", speeds, [1]),
        ],
        outputs,
        [numpy_helper.from_array(array, name) for name, array in weights.items()],
    )
    opsets = [helper.make_opsetid("", 17)]
    made = helper.make_model(graph, opset_imports=opsets, ir_version=8)
    onnx.checker.check_model(made)
    return made


if __name__ == "__main__":
    print(make(Path(sys.argv[1])))  # noqa: T201
