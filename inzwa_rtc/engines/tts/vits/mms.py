"""MMS voices, as transformers writes them: config, vocabulary and tokenizer in JSON."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, RootModel

from inzwa_rtc.engines.tts.vits.files import Described, numbered, read_json, wrong
from inzwa_rtc.engines.tts.vits.phonemes import Phonemes
from inzwa_rtc.engines.tts.vits.symbols import Graphemes, Speller, SymbolTable

# MMS names languages by ISO 639-3, BCP 47 by the shortest name that there is.
_SHORTER = {"sna": "sn", "eng": "en", "swh": "sw", "tsn": "tn", "nya": "ny", "zul": "zu",
            "xho": "xh", "fra": "fr", "por": "pt", "spa": "es", "deu": "de"}  # fmt: skip

Id = Annotated[int, Field(ge=0, lt=100_000)]
Scale = Annotated[float, Field(ge=0, le=10, allow_inf_nan=False)]


class MmsConfig(BaseModel):
    """The members of `config.json` that are used."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    sampling_rate: Annotated[int, Field(ge=8000, le=48_000)]
    vocab_size: Annotated[int, Field(ge=1)]
    num_speakers: Annotated[int, Field(ge=0, le=100_000)] = 1
    noise_scale: Scale = 0.667
    noise_scale_duration: Scale = 0.8
    speaking_rate: Annotated[Scale, Field(gt=0)] = 1.0


class _Tokenizer(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    language: str | None = None
    add_blank: bool = True
    normalize: bool = True
    phonemize: bool = False
    is_uroman: bool = False


class _Vocabulary(RootModel[dict[str, Id]]):
    pass


def read_mms(folder: Path) -> Described:
    """What is told in the model's folder; raises `EngineUnavailable` where that is wrong."""
    told = read_json(folder / "config.json", MmsConfig)
    tokenizer = read_json(folder / "tokenizer_config.json", _Tokenizer)
    vocabulary = read_json(folder / "vocab.json", _Vocabulary).root
    path = folder / "vocab.json"
    if not vocabulary or max(vocabulary.values()) >= told.vocab_size:
        raise wrong(path, f"it has other numbers than the {told.vocab_size} of config.json")
    if tokenizer.is_uroman:
        raise wrong(
            folder / "tokenizer_config.json",
            "the voice reads text in Roman letters made by uroman, which is not supported",
        )
    blank = (0,) if tokenizer.add_blank else ()
    table = SymbolTable({one: (number,) for one, number in vocabulary.items()}, between=blank)
    speller: Speller = Graphemes(table, cases="folded" if tokenizer.normalize else "kept")
    if tokenizer.phonemize:
        speller = Phonemes(table, "en-us", form="NFC")
    language = tokenizer.language or ""
    return Described(
        speller,
        told.sampling_rate,
        _SHORTER.get(language, language),
        told.noise_scale,
        1 / told.speaking_rate,
        told.noise_scale_duration,
        numbered({}, told.num_speakers),
    )
