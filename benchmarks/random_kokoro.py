"""A Kokoro for benchmarks: the true architecture, random weights, exported by its own code.

    python -m benchmarks.random_kokoro FOLDER

Run it in the root of a checkout, in an environment of its own with torch, transformers, loguru,
attrs, huggingface_hub, onnx, onnxruntime, and kokoro without what else it asks for (`pip install
--no-deps kokoro`): the phonemes are not needed. It makes `kokoro.onnx` (82 million parameters,
in 32 bits as published) and `voices.bin`; nothing is fetched.
"""

from __future__ import annotations

import math
import sys
import tempfile
import warnings
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

import torch

from models.tiny.kokoro_onnx import STYLE, SYMBOLS, write_voices

_MOST_FRAMES = 50  # of one symbol; a frame is 25 ms
_FRAMES = 2.1  # of one symbol, rounded each: some 3 s for a sentence of ten words
_MILLIONS = 82

_SIZES: dict[str, Any] = {
    "vocab": {},
    "n_token": SYMBOLS,
    "dim_in": 64,
    "dropout": 0.2,
    "hidden_dim": 512,
    "max_conv_dim": 512,
    "max_dur": _MOST_FRAMES,
    "multispeaker": True,
    "n_layer": 3,
    "n_mels": 80,
    "style_dim": STYLE // 2,
    "text_encoder_kernel_size": 5,
    "istftnet": {
        "upsample_kernel_sizes": [20, 12],
        "upsample_rates": [10, 6],
        "gen_istft_hop_size": 5,
        "gen_istft_n_fft": 20,
        "resblock_dilation_sizes": [[1, 3, 5]] * 3,
        "resblock_kernel_sizes": [3, 7, 11],
        "upsample_initial_channel": 512,
    },
    "plbert": {
        "hidden_size": 768,
        "num_attention_heads": 12,
        "intermediate_size": 2048,
        "max_position_embeddings": 512,
        "num_hidden_layers": 12,
        "dropout": 0.1,
    },
}
"""Those that Kokoro 82M is published with."""


def make(folder: Path) -> Path:
    """Write kokoro.onnx and voices.bin to `folder`; returns the first."""
    package = _kokoro()
    torch.manual_seed(0)
    model = _model(package)
    counted = sum(one.numel() for one in model.parameters()) / 1e6
    if round(counted) != _MILLIONS:
        raise SystemExit(f"The model has {counted:.1f} million parameters, not {_MILLIONS}.")
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "kokoro.onnx"
    _without_weight_norm(model)
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the tracer's, and of functions that will go
        torch.onnx.export(
            package.KModelForONNX(model).eval(),
            (torch.randint(1, SYMBOLS, (1, 50)), torch.randn(1, STYLE), torch.ones(1)),
            str(path),
            opset_version=17,  # its own
            input_names=["input_ids", "style", "speed"],
            output_names=["waveform", "duration"],
            dynamic_axes={
                "input_ids": {1: "symbols"},
                "waveform": {0: "samples"},
                "duration": {0: "symbols"},
            },
            dynamo=False,
        )
    write_voices(folder / "voices.bin", ["af_random"])
    return path


def _kokoro() -> Any:
    """Its module of the model, without the package's own start, which loads the phonemes."""
    found = find_spec("kokoro")
    if found is None:
        raise SystemExit("kokoro is not installed in this environment.")
    package = ModuleType("kokoro")
    package.__path__ = list(found.submodule_search_locations or ())
    sys.modules["kokoro"] = package
    from kokoro import model

    return model


def _model(package: Any) -> Any:
    """It reads weights from a file, and asks a hub where there is none: an empty one leaves
    what chance gave."""
    with tempfile.TemporaryDirectory() as folder:
        weights = Path(folder) / "none.pth"
        torch.save({}, weights)
        model = package.KModel("random", _SIZES, str(weights), disable_complex=True).eval()
    # A symbol's length is the sum of so many chances.
    share = _FRAMES / _MOST_FRAMES
    torch.nn.init.constant_(
        model.predictor.duration_proj.linear_layer.bias, math.log(share / (1 - share))
    )
    return model


def _without_weight_norm(model: Any) -> None:
    for module in model.modules():
        if hasattr(module, "weight_g"):
            torch.nn.utils.remove_weight_norm(module)


if __name__ == "__main__":
    print(make(Path(sys.argv[1])))  # noqa: T201
