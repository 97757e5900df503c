"""Chatterbox's model as the engine uses it: its files, its voices, one take of a clause."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from chatterbox.models.s3gen import S3GEN_SR
from chatterbox.models.s3tokenizer import SPEECH_VOCAB_SIZE
from chatterbox.models.tokenizers import tokenizer
from chatterbox.mtl_tts import SUPPORTED_LANGUAGES, ChatterboxMultilingualTTS
from chatterbox.tts import ChatterboxTTS

from inzwa_rtc.engines.contracts import Voice
from inzwa_rtc.engines.tts.apart.interruption import Interruption
from inzwa_rtc.engines.tts.apart.mouth import Samples
from inzwa_rtc.engines.tts.apart.voices import recorded_voices
from inzwa_rtc.engines.tts.chatterbox.options import ChatterboxOptions
from inzwa_rtc.errors import EngineError, EngineUnavailable

OWN_VOICE = "chatterbox"
_BRACKETS = str.maketrans("[]", "  ")  # the tokenizers take `[STOP]` and `[fr]` for orders
_NOT_HERE = ("zh",)  # the library asks the network for what it takes apart Chinese with
_FEWEST_TOKENS = 3  # of 40 ms; of fewer no sound can be made
_ATTEMPTS = 3
_FURTHER = 1000  # from the seed of an attempt to that of the next


@dataclass(frozen=True, slots=True)
class _Kind:
    """A model that Chatterbox has, and the files that it loads."""

    name: str
    marker: str
    files: tuple[str, ...]


_KINDS = (
    _Kind(
        "multilingual",
        "t3_mtl23ls_v2.safetensors",
        ("ve.pt", "s3gen.pt", "grapheme_mtl_merged_expanded_v1.json"),
    ),
    _Kind(
        "english",
        "t3_cfg.safetensors",
        ("ve.safetensors", "s3gen.safetensors", "tokenizer.json"),
    ),
)


class ChatterboxModel:
    """Makes takes in the voices of a folder of recordings, and in its own if it has one."""

    sample_rate: int = S3GEN_SR

    def __init__(self, folder: Path, device: str, options: ChatterboxOptions) -> None:
        self._options = options
        kind = _kind(folder)
        self.files = [folder / name for name in (kind.marker, *kind.files)]
        self.files += [own for own in [folder / "conds.pt"] if own.is_file()]
        is_english = kind.name == "english"
        made: Any = ChatterboxTTS if is_english else ChatterboxMultilingualTTS
        with _without_chinese():
            self._model: Any = made.from_local(folder, device)
        self._model.t3.inference = _long_enough(self._model.t3.inference)
        self._is_english = is_english
        self.kind = kind.name
        self.languages = ["en"] if is_english else sorted({*SUPPORTED_LANGUAGES} - {*_NOT_HERE})
        self._conditions: dict[str, Any] = {}
        self.voices = []
        for recorded in recorded_voices(options.voices):
            # A file in memory: the library would read one of any format.
            wav = recorded.recording(self.sample_rate).wav()
            own = self._model.conds
            self._model.prepare_conditionals(wav, exaggeration=options.exaggeration)
            self._conditions[recorded.voice.id] = self._model.conds
            self._model.conds = own
            self.voices.append(recorded.voice)
        if self._model.conds is not None:
            self._conditions[OWN_VOICE] = self._model.conds
            language = "en" if is_english else ""
            self.voices.append(Voice(OWN_VOICE, "Chatterbox", language, licence="MIT"))
        if not self.voices:
            raise EngineUnavailable(
                f"The Chatterbox model {folder} has no voice.",
                action="Put its conds.pt there, or set `tts.voices` to a folder of recordings.",
            )
        self.interruption = Interruption(
            self._model.t3, self._model.s3gen, self._model.watermarker.perth_net
        )

    def take(self, text: str, voice: str, language: str, seed: int) -> Samples:
        """One take of a clause; the same seed makes the same.

        Raises `EngineError` when the model falls silent at once, over and over.
        """
        for attempt in range(_ATTEMPTS):
            try:
                return self._attempt(text, voice, language, seed + attempt * _FURTHER)
            except _TooShort:
                continue
        raise EngineError(
            "Chatterbox made no sound of a clause.",
            action="Set `tts.temperature` lower, or say it in other words.",
        )

    def _attempt(self, text: str, voice: str, language: str, seed: int) -> Samples:
        options, model = self._options, self._model
        shaping = {
            "exaggeration": options.exaggeration,
            "cfg_weight": options.cfg_weight,
            "temperature": options.temperature,
        }
        text = " ".join(text.translate(_BRACKETS).split())
        torch.manual_seed(seed)
        model.conds = self._conditions[voice]
        with _hooks_kept(model.t3.tfmr):
            if self._is_english:
                made = model.generate(text, **shaping)
            else:
                made = model.generate(text, language_id=language, **shaping)
        sound: Samples = made.reshape(-1).float().cpu().numpy()
        return sound

    def close(self) -> None:
        """Free the model."""
        self.interruption.close()
        self._conditions.clear()
        self._model = None


def _kind(folder: Path) -> _Kind:
    """The model that the folder holds. Raises `EngineUnavailable` when a file is lacking."""
    for kind in _KINDS:
        if (folder / kind.marker).is_file():
            lacking = [name for name in kind.files if not (folder / name).is_file()]
            if lacking:
                raise EngineUnavailable(
                    f"The Chatterbox model {folder} lacks {', '.join(lacking)}.",
                    action="Fetch them from the model's repository, ResembleAI/chatterbox.",
                )
            return kind
    markers = " or ".join(f"{kind.marker} ({kind.name})" for kind in _KINDS)
    raise EngineUnavailable(
        f"There is no Chatterbox model in {folder}: it has no {markers}.",
        action="Fetch the files of ResembleAI/chatterbox, and set `tts_model` to their folder.",
    )


class _TooShort(Exception):
    """The model ended its speech before there was any."""


def _long_enough(inference: Callable[..., Any]) -> Callable[..., Any]:
    """The same; what is too short for the library to make sound of ends in `_TooShort`."""

    def checked(**values: Any) -> Any:
        tokens = inference(**values)
        if int((tokens < SPEECH_VOCAB_SIZE).sum()) < _FEWEST_TOKENS:
            raise _TooShort
        return tokens

    return checked


@contextmanager
def _without_chinese() -> Iterator[None]:
    """The library fetches a dictionary and a model from the network while it loads a tokenizer
    of several languages, Chinese among them, whether that is spoken or not."""
    converter = tokenizer.ChineseCangjieConverter
    tokenizer.ChineseCangjieConverter = lambda _folder: None
    try:
        yield
    finally:
        tokenizer.ChineseCangjieConverter = converter


@contextmanager
def _hooks_kept(transformer: Any) -> Iterator[None]:
    """The library hangs new hooks on these layers each time it speaks, and leaves them there:
    each would take its share of every later step."""
    layers = [layer.self_attn for layer in transformer.layers]
    before = [OrderedDict(layer._forward_hooks) for layer in layers]
    try:
        yield
    finally:
        for layer, hooks in zip(layers, before, strict=True):
            layer._forward_hooks = hooks
