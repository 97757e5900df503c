"""`voice.onnx.json`: what Piper tells of a voice."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from inzwa_rtc.engines.tts.vits.files import Described, numbered, read_json, wrong
from inzwa_rtc.engines.tts.vits.phonemes import Phonemes
from inzwa_rtc.engines.tts.vits.symbols import Graphemes, Speller, SymbolTable
from inzwa_rtc.errors import EngineUnavailable

_BEGIN, _BETWEEN, _END = "^", "_", "$"

Id = Annotated[int, Field(ge=0, lt=100_000)]
Scale = Annotated[float, Field(ge=0, le=10, allow_inf_nan=False)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class _Audio(_Part):
    sample_rate: Annotated[int, Field(ge=8000, le=48_000)]


class _ESpeak(_Part):
    voice: Annotated[str, Field(pattern=r"^[A-Za-z0-9+/_-]{1,60}$")]


class _Language(_Part):
    code: str = ""


class _Inference(_Part):
    noise_scale: Scale = 0.667
    length_scale: Annotated[Scale, Field(gt=0)] = 1.0
    noise_w: Scale = 0.8


class PiperJson(_Part):
    """The members that are used."""

    audio: _Audio
    espeak: _ESpeak | None = None
    phoneme_type: Literal["espeak", "text"] = "espeak"
    phoneme_id_map: dict[str, Annotated[list[Id], Field(min_length=1)]]
    num_symbols: Annotated[int, Field(ge=1)] | None = None
    num_speakers: Annotated[int, Field(ge=0, le=100_000)] = 1
    speaker_id_map: dict[str, Id] = {}
    default_speaker_id: Id = 0
    language: _Language = _Language()
    inference: _Inference = _Inference()
    hop_length: Annotated[int, Field(ge=1)] | None = None
    vowel_clusters: list[list[str]] = []


def read_piper(model: Path) -> Described:
    """What is told beside the model; raises `EngineUnavailable` where that is not there, or is
    not of a Piper voice that this engine can speak with."""
    path = model.with_name(f"{model.name}.json")
    if not path.is_file():
        raise EngineUnavailable(
            f"The Piper voice {model} has no {path.name} beside it.",
            action=f"Put the file that was published with the voice there, as {path.name}.",
        )
    told = read_json(path, PiperJson)
    ids = told.phoneme_id_map
    if missing := [one for one in (_BEGIN, _BETWEEN, _END) if one not in ids]:
        raise wrong(path, f"`phoneme_id_map` has no `{missing[0]}`")
    table = SymbolTable(
        {symbol: tuple(numbers) for symbol, numbers in ids.items()},
        tuple(ids[_BEGIN]),
        tuple(ids[_BETWEEN]),
        tuple(ids[_END]),
    )
    if told.num_symbols is not None and table.largest_id >= told.num_symbols:
        raise wrong(
            path,
            f"`phoneme_id_map` has numbers up to {table.largest_id}, `num_symbols` is "
            f"{told.num_symbols}",
        )
    speakers = numbered(told.speaker_id_map, told.num_speakers)
    if told.num_speakers > 1:
        if max(speakers.values()) >= told.num_speakers:
            raise wrong(path, "`speaker_id_map` has more speakers than `num_speakers`")
        speakers = dict(
            sorted(speakers.items(), key=lambda one: (one[1] != told.default_speaker_id, one[1]))
        )
    return Described(
        _speller(path, told, table),
        told.audio.sample_rate,
        _language(told),
        told.inference.noise_scale,
        told.inference.length_scale,
        told.inference.noise_w,
        speakers if told.num_speakers > 1 else {},
        hop=told.hop_length,
    )


def _speller(path: Path, told: PiperJson, table: SymbolTable) -> Speller:
    if told.phoneme_type == "text":
        return Graphemes(table, form="NFD")
    if told.espeak is None:
        raise wrong(path, "`espeak.voice` is missing")
    clusters = frozenset(tuple(one) for one in told.vowel_clusters if len(one) > 1)
    return Phonemes(table, told.espeak.voice, clusters=clusters)


def _language(told: PiperJson) -> str:
    code = told.language.code or (told.espeak.voice if told.espeak else "")
    return code.replace("_", "-")
