"""Coqui's voices: `config.json` as its trainer writes it, and the files of names beside it.

The numbers of the symbols follow from their order in the configuration: that of VITS voices is
padding, punctuation, letters, phonemes, blank; that of the older classes is padding, end,
beginning, blank, letters or phonemes (sorted, if it says so), punctuation.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, RootModel

from inzwa_rtc.engines.tts.vits.files import Described, numbered, read_json, wrong
from inzwa_rtc.engines.tts.vits.phonemes import Phonemes
from inzwa_rtc.engines.tts.vits.symbols import Graphemes, Speller, SymbolTable

_BLANK = "<BLNK>"
_NO_FOLDING = (None, "", "no_cleaners", "phoneme_cleaners", "multilingual_phoneme_cleaners")
_SPEAKERS = ("speakers.json", "speaker_ids.json")
_LANGUAGES = ("language_ids.json", "languages.json")

Id = Annotated[int, Field(ge=0, lt=100_000)]
Scale = Annotated[float, Field(ge=0, le=10, allow_inf_nan=False)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class _Audio(_Part):
    sample_rate: Annotated[int, Field(ge=8000, le=48_000)]
    hop_length: Annotated[int, Field(ge=1)] | None = None


class _Characters(_Part):
    characters_class: str | None = None
    vocab_dict: dict[str, Id] | None = None
    pad: str | None = None
    eos: str | None = None
    bos: str | None = None
    blank: str | None = None
    characters: str = ""
    punctuations: str = ""
    phonemes: str | None = None
    is_unique: bool = False
    is_sorted: bool = True


class _Arguments(_Part):
    num_speakers: Annotated[int, Field(ge=0, le=100_000)] = 0
    inference_noise_scale: Scale = 0.667
    length_scale: Annotated[Scale, Field(gt=0)] = 1.0
    inference_noise_scale_dp: Scale = 1.0


class CoquiConfig(_Part):
    """The members that are used."""

    audio: _Audio
    characters: _Characters
    model_args: _Arguments = _Arguments()
    add_blank: bool = True
    enable_eos_bos_chars: bool = False
    use_phonemes: bool = False
    phonemizer: str | None = None
    phoneme_language: str | None = None
    text_cleaner: str | None = None


class _Names(RootModel[dict[str, Id]]):
    pass


def read_coqui(folder: Path) -> Described:
    """What is told in the model's folder; raises `EngineUnavailable` where that is wrong."""
    path = folder / "config.json"
    told = read_json(path, CoquiConfig)
    symbols = _symbols(told.characters)
    if not symbols:
        raise wrong(path, "`characters` names none")
    known = told.characters
    blank = symbols.get(known.blank or _BLANK, symbols.get(known.pad or ""))
    if told.add_blank and blank is None:
        raise wrong(path, "`characters` has no blank")
    begin: tuple[int, ...] = ()
    end: tuple[int, ...] = ()
    if told.enable_eos_bos_chars:
        begin, end = ((symbols[one],) if one in symbols else () for one in (known.bos, known.eos))
    table = SymbolTable(
        {one: (number,) for one, number in symbols.items()},
        begin,
        (blank,) if told.add_blank and blank is not None else (),
        end,
    )
    arguments = told.model_args
    return Described(
        _speller(path, told, table),
        told.audio.sample_rate,
        told.phoneme_language or "",
        arguments.inference_noise_scale,
        arguments.length_scale,
        arguments.inference_noise_scale_dp,
        numbered(_names(folder, _SPEAKERS), arguments.num_speakers),
        _names(folder, _LANGUAGES),
        told.audio.hop_length,
    )


def _symbols(told: _Characters) -> dict[str, int]:
    if told.vocab_dict:
        return told.vocab_dict
    if (told.characters_class or "").endswith("VitsCharacters"):
        letters = told.characters + (told.phonemes or "")
        order = [told.pad or "_", *told.punctuations, *letters, _BLANK]
    else:
        letters = told.phonemes or told.characters if _is_ipa(told) else told.characters
        ordered: Any = set(letters) if told.is_unique else letters
        ordered = sorted(ordered) if told.is_sorted or told.is_unique else ordered
        special = [one for one in (told.pad, told.eos, told.bos, told.blank) if one]
        order = [*special, *ordered, *told.punctuations]
    # Of a symbol that stands there twice, the trainer takes the last number.
    return {symbol: number for number, symbol in enumerate(order)}


def _is_ipa(told: _Characters) -> bool:
    return (told.characters_class or "").endswith("IPAPhonemes")


def _speller(path: Path, told: CoquiConfig, table: SymbolTable) -> Speller:
    if not told.use_phonemes:
        folds = told.text_cleaner not in _NO_FOLDING
        return Graphemes(table, cases="folded" if folds else "kept")
    if told.phonemizer not in (None, "espeak"):
        raise wrong(path, f"it wants the phonemizer `{told.phonemizer}`; only espeak is supported")
    if not told.phoneme_language:
        raise wrong(path, "`phoneme_language` is missing")
    return Phonemes(table, told.phoneme_language, form="NFC")


def _names(folder: Path, files: tuple[str, ...]) -> dict[str, int]:
    """Names and their numbers, from the first of these files that is there."""
    for name in files:
        if (folder / name).is_file():
            return read_json(folder / name, _Names).root
    return {}
