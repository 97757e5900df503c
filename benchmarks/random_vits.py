"""VITS voices for benchmarks: the true architectures, random weights, exported by their own code.

    python -m benchmarks.random_vits FOLDER

Run it in the root of a checkout, in an environment of its own with torch, transformers, onnx,
onnxruntime and piper-tts. It makes `piper-medium` (Piper's medium quality, 63 MB) and `mms`
(Meta's, 114 MB), in which durations are as long as chance has it, and are meant to be set by
`length_scale`.
"""

from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path
from typing import Any

import torch

from models.recipes import export_mms

_SYMBOLS = 256
_RATE = 22_050


def piper_medium(folder: Path) -> Path:
    """With the sizes that Piper trains its medium quality with; returns the ONNX file."""
    from piper.phoneme_ids import DEFAULT_PHONEME_ID_MAP
    from piper.train.vits.models import SynthesizerTrn

    torch.manual_seed(0)
    model: Any = SynthesizerTrn(
        n_vocab=_SYMBOLS,
        spec_channels=513,
        segment_size=32,
        inter_channels=192,
        hidden_channels=192,
        filter_channels=768,
        n_heads=2,
        n_layers=6,
        kernel_size=3,
        p_dropout=0.1,
        resblock="2",
        resblock_kernel_sizes=(3, 5, 7),
        resblock_dilation_sizes=((1, 2), (2, 6), (3, 12)),
        upsample_rates=(8, 8, 4),
        upsample_initial_channel=256,
        upsample_kernel_sizes=(16, 16, 8),
        n_speakers=1,
        gin_channels=0,
        use_sdp=True,
    ).eval()

    def speak(ids: Any, lengths: Any, scales: Any) -> Any:
        made = model.infer(
            ids,
            lengths,
            noise_scale=scales[0],
            length_scale=scales[1],
            noise_scale_w=scales[2],
        )
        return made[0].unsqueeze(1)

    path = folder / "piper-medium" / "voice.onnx"
    path.parent.mkdir(parents=True, exist_ok=True)
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the tracer's, and of functions that will go
        model.dec.remove_weight_norm()
        model.forward = speak
        ids = torch.randint(0, _SYMBOLS, (1, 50))
        torch.onnx.export(
            model,
            (ids, torch.tensor([50]), torch.tensor([0.667, 1.0, 0.8])),
            str(path),
            opset_version=15,  # Piper's own
            input_names=["input", "input_lengths", "scales"],
            output_names=["output"],
            dynamic_axes={"input": {1: "phonemes"}, "output": {2: "time"}},
            dynamo=False,
        )
    told = {
        "audio": {"sample_rate": _RATE},
        "num_speakers": 1,
        "espeak": {"voice": "en-us"},
        "phoneme_id_map": {one: ids for one, ids in DEFAULT_PHONEME_ID_MAP.items() if len(one) < 2},
        "num_symbols": _SYMBOLS,
        "language": {"code": "en_US"},
    }
    path.with_name("voice.onnx.json").write_text(json.dumps(told), encoding="utf-8")
    return path


def mms(folder: Path) -> Path:
    """With the sizes of all MMS voices; returns the folder."""
    from transformers import VitsConfig, VitsModel

    torch.manual_seed(0)
    source = folder / "mms-source"
    vocabulary = {letter: place for place, letter in enumerate("_ abcdefghijklmnopqrstuvwxyz'-")}
    VitsModel(VitsConfig(vocab_size=len(vocabulary))).save_pretrained(source)
    (source / "vocab.json").write_text(json.dumps(vocabulary), encoding="utf-8")
    tokenizer = {"language": "eng", "phonemize": False, "normalize": True, "add_blank": True}
    (source / "tokenizer_config.json").write_text(json.dumps(tokenizer), encoding="utf-8")
    export_mms.export(source, folder / "mms")
    return folder / "mms"


if __name__ == "__main__":
    for make in (piper_medium, mms):
        print(make(Path(sys.argv[1])))  # noqa: T201
