"""An MMS voice, as it is published (PyTorch), exported to ONNX for the engine `vits`.

    python -m models.recipes.export_mms FOLDER NEW_FOLDER

Run it in the root of a checkout, in an environment with torch, transformers, onnx and
onnxruntime (docs/models.md has the commands). It reads FOLDER alone, never a hub, and compares
what it has made with the original, symbol by symbol lengths and sample by sample sound.
"""

from __future__ import annotations

import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import torch
from transformers import VitsModel

from models.recipes.exported import check_whole, describe

_OPSET = 17
_LENGTHS = (40, 121, 9, 1)
_DIFFERENCE = 1e-3  # of full scale


class Export(torch.nn.Module):  # type: ignore[misc]
    """The model with the inputs of Piper's and Coqui's exports, so that each request has its own
    pace and its own share of chance."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, ids: Any, lengths: Any, scales: Any, speaker: Any = None) -> Any:
        """ids [1, symbols], lengths [1], scales [noise, length, noise of the durations]
        and speaker [1] to sound [1, 1, samples]."""
        self.model.noise_scale = scales[0]
        self.model.noise_scale_duration = scales[2]
        mask = (torch.arange(ids.shape[1])[None] < lengths[:, None]).long()
        made = self.model(
            input_ids=ids,
            attention_mask=mask,
            speaker_id=speaker,
            speaking_rate=1 / scales[1],
        )
        return made.waveform[:, None]


def export(folder: Path, made: Path) -> float:
    """Write the ONNX model and what describes it into `made`; the largest difference between
    its samples and the original's. Raises `SystemExit` where they are not the same."""
    check_whole(folder)
    made.mkdir(parents=True, exist_ok=True)
    model = VitsModel.from_pretrained(folder, local_files_only=True)
    voice = Export(model).eval()  # all of it: the exporter leaves it as it finds it
    several = model.config.num_speakers > 1
    names = ["input", "input_lengths", "scales", *(["sid"] if several else [])]
    path = made / "model.onnx"
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the tracer's, of checks that hold for any text
        torch.onnx.export(
            voice,
            _example(model, 50, 0.5),
            str(path),
            opset_version=_OPSET,
            input_names=names,
            output_names=["output"],
            dynamic_axes={"input": {1: "symbols"}, "output": {2: "samples"}},
            dynamo=False,
        )
    difference = _compare(model, voice, path, names)
    describe(folder, made)
    return difference


def _example(model: Any, symbols: int, noise: float) -> tuple[Any, ...]:
    ids = torch.randint(0, model.config.vocab_size, (1, symbols))
    scales = torch.tensor([noise, 1.1, noise])
    speaker = (torch.tensor([0]),) if model.config.num_speakers > 1 else ()
    return (ids, torch.tensor([symbols]), scales, *speaker)


def _compare(model: Any, voice: Any, path: Path, names: list[str]) -> float:
    session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    differences = []
    for symbols in _LENGTHS:
        given = _example(model, symbols, 0)
        with torch.no_grad():
            wanted = voice(*given).numpy()
        (got,) = session.run(None, dict(zip(names, (one.numpy() for one in given), strict=True)))
        if got.shape != wanted.shape:
            raise SystemExit(f"The export speaks {symbols} symbols at another length.")
        differences.append(float(np.abs(got - wanted).max()))
    if max(differences) > _DIFFERENCE:
        raise SystemExit(f"The export differs from the original by {max(differences):.2g}.")
    return max(differences)


if __name__ == "__main__":
    largest = export(Path(sys.argv[1]), Path(sys.argv[2]))
    print(f"{sys.argv[2]}: the original's sound, within {largest:.1g} of full scale")  # noqa: T201
