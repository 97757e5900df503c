"""Whole VITS voices: a tiny model of random weights, and the files that describe it.

`python -m models.tiny.vits_voices FOLDER` makes one of each kind by hand.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from models.tiny.vits_onnx import Kind, make

SAMPLE_RATE = 16_000
LETTERS = " abcdefghijklmnopqrstuvwxyz"
_IPA = "abdefhijklmnopstuvwzæðŋɐɑɒɔəɚɛɜɡɪɹʃʊʌʒθˈˌː"


def mms(folder: Path, kind: Kind = Kind()) -> Path:  # noqa: B008 - it is frozen
    """A voice of MMS: letters, a blank between them. Returns the folder."""
    make(folder / "model.onnx", replace(kind, naming="decoder"))
    vocabulary = {letter: number for number, letter in enumerate(f"_{LETTERS}'-")}
    _write(folder / "vocab.json", vocabulary)
    _write(folder / "tokenizer_config.json", {"language": "sna", "phonemize": False})
    told = {
        "model_type": "vits",
        "sampling_rate": SAMPLE_RATE,
        "vocab_size": len(vocabulary),
        "num_speakers": kind.speakers,
    }
    _write(folder / "config.json", told)
    return folder


def coqui(folder: Path, kind: Kind = Kind(), **told: Any) -> Path:  # noqa: B008
    """A voice of Coqui's; `told` are members of its configuration. Returns the folder."""
    make(folder / "model.onnx", replace(kind, naming="waveform_decoder"))
    characters = {
        "characters_class": "TTS.tts.models.vits.VitsCharacters",
        "pad": "_",
        "punctuations": ";:,.!? ",
        "characters": LETTERS.strip(),
        "phonemes": "",
    }
    args = {"num_speakers": kind.speakers if kind.speakers > 1 else 0}
    config = {
        "model": "vits",
        "audio": {"sample_rate": SAMPLE_RATE, "hop_length": 64},
        "characters": characters,
        "text_cleaner": "basic_cleaners",
        "model_args": args,
    }
    _write(folder / "config.json", {**config, **told})
    if kind.languages > 1:
        names = ("en", "sn", *(f"x-{number}" for number in range(kind.languages - 2)))
        _write(folder / "language_ids.json", {name: place for place, name in enumerate(names)})
    return folder


def piper(folder: Path, kind: Kind = Kind(), **told: Any) -> Path:  # noqa: B008
    """A voice of Piper's, which reads phonemes; `told` are members of its JSON. Returns the
    ONNX file."""
    path = make(folder / "voice.onnx", kind)
    symbols = ["_", "^", "$", " ", *",.:;?!'-", *_IPA]
    config = {
        "audio": {"sample_rate": SAMPLE_RATE},
        "espeak": {"voice": "en-us"},
        "phoneme_type": "espeak",
        "phoneme_id_map": {symbol: [number] for number, symbol in enumerate(symbols)},
        "num_symbols": kind.symbols,
        "num_speakers": kind.speakers,
        "speaker_id_map": {f"p{number}": number for number in range(kind.speakers)}
        if kind.speakers > 1
        else {},
        "language": {"code": "en_US"},
        "inference": {"noise_scale": 0.667, "length_scale": 1, "noise_w": 0.8},
    }
    _write(folder / "voice.onnx.json", {**config, **told})
    return path


def _write(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")


if __name__ == "__main__":
    for made in (mms, coqui, piper):
        print(made(Path(sys.argv[1]) / made.__name__))  # noqa: T201
