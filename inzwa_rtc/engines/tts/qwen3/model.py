"""A Qwen3-TTS model as the engine uses it: its files, its voices, one clause."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch
from qwen_tts import Qwen3TTSModel

from inzwa_rtc.engines.contracts import Ability, Voice
from inzwa_rtc.engines.tts.apart.interruption import Interruption
from inzwa_rtc.engines.tts.apart.mouth import Samples
from inzwa_rtc.engines.tts.apart.voices import RecordedVoice, recorded_voices
from inzwa_rtc.engines.tts.qwen3.languages import by_tag
from inzwa_rtc.engines.tts.qwen3.options import Qwen3Options
from inzwa_rtc.errors import EngineUnavailable

_NEEDED = (
    "config.json",
    "generation_config.json",
    "tokenizer_config.json",
    "speech_tokenizer/config.json",
    "speech_tokenizer/preprocessor_config.json",
)
_DESIGNED = "designed"
_REFERENCE_RATE = 24_000

Say = Callable[[str, str], Any]
"""Speaks a text in a language, as the model names it."""


class Qwen3Model:
    """Speaks in one of three ways, which the model's kind decides: with its named speakers
    (`custom_voice`), with a voice made from a description (`voice_design`), or with recorded
    voices (`base`)."""

    def __init__(self, folder: Path, device: str, options: Qwen3Options) -> None:
        self._options = options
        lacking = [name for name in _NEEDED if not (folder / name).is_file()]
        if lacking:
            raise EngineUnavailable(
                f"There is no whole Qwen3-TTS model in {folder}: it lacks {', '.join(lacking)}.",
                action="Fetch all files of the model, the folder speech_tokenizer included, and "
                "set `tts_model` to their folder.",
            )
        self.files = [file for file in folder.rglob("*") if file.is_file()]
        self.precision = options.precision
        if options.precision == "auto":
            self.precision = "float32" if device == "cpu" else "bfloat16"
        self._model: Any = Qwen3TTSModel.from_pretrained(
            str(folder),
            device_map=device,
            dtype=getattr(torch, self.precision),
            local_files_only=True,
            use_safetensors=True,  # never a pickle
        )
        self.kind = str(self._model.model.tts_model_type)
        self.sample_rate = int(self._model.model.speech_tokenizer.get_output_sample_rate())
        self._names = by_tag(self._model.get_supported_languages() or ())
        self.languages = sorted(self._names)
        self._sayers: dict[str, Say] = {}
        self.voices = self._voices()
        self.abilities: tuple[Ability, ...] = ("clones voices",) if self.kind == "base" else ()
        self.interruption = Interruption(
            self._model.model, self._model.model.speech_tokenizer.model
        )

    def say(self, text: str, voice: str, language: str) -> Samples:
        """The sound of a clause."""
        torch.manual_seed(self._options.seed)
        # Control tokens in the text are text.
        made, rate = self._sayers[voice](text.replace("<|", "< |"), self._names[language])
        assert rate == self.sample_rate
        sound: Samples = made[0].reshape(-1)
        return sound

    def close(self) -> None:
        """Free the model."""
        self.interruption.close()
        self._sayers.clear()
        self._model = None

    def _voices(self) -> list[Voice]:
        recorded = recorded_voices(self._options.voices)
        if recorded and self.kind != "base":
            raise EngineUnavailable(
                f"This Qwen3-TTS model ({self.kind}) does not clone voices.",
                action="Unset `tts.voices`, or use a Base model.",
            )
        match self.kind:
            case "custom_voice":
                return [self._named(name) for name in self._model.get_supported_speakers() or ()]
            case "voice_design":
                return [self._designed()]
            case "base" if recorded:
                return [self._cloned(one) for one in recorded]
            case "base":
                raise EngineUnavailable(
                    "A Qwen3-TTS Base model has no voice of its own.",
                    action="Set `tts.voices` to a folder of recordings.",
                )
            case _:
                raise EngineUnavailable(
                    f"This is no kind of Qwen3-TTS model that is known: {self.kind}.",
                    action="Use a CustomVoice, VoiceDesign or Base model.",
                )

    def _named(self, name: str) -> Voice:
        self._sayers[name] = lambda text, language: self._model.generate_custom_voice(
            text=text,
            speaker=name,
            language=language,
            instruct=self._options.instruct or None,
            **self._shaping,
        )
        return Voice(name, name.replace("_", " ").title(), "", licence="Apache-2.0")

    def _designed(self) -> Voice:
        if not self._options.instruct.strip():
            raise EngineUnavailable(
                "A Qwen3-TTS VoiceDesign model needs the description of a voice.",
                action="Set `tts.instruct`, such as `A calm woman in her forties`.",
            )
        self._sayers[_DESIGNED] = lambda text, language: self._model.generate_voice_design(
            text=text, instruct=self._options.instruct, language=language, **self._shaping
        )
        return Voice(_DESIGNED, "Designed", "", licence="Apache-2.0")

    def _cloned(self, recorded: RecordedVoice) -> Voice:
        sound = recorded.recording(_REFERENCE_RATE).samples
        prompt = self._model.create_voice_clone_prompt(
            ref_audio=(sound, _REFERENCE_RATE),
            ref_text=recorded.text or None,
            x_vector_only_mode=not recorded.text,
        )
        self._sayers[recorded.voice.id] = partial(self._say_cloned, prompt)
        return recorded.voice

    def _say_cloned(self, prompt: Any, text: str, language: str) -> Any:
        return self._model.generate_voice_clone(
            text=text, language=language, voice_clone_prompt=prompt, **self._shaping
        )

    @property
    def _shaping(self) -> dict[str, Any]:
        return {
            "temperature": self._options.temperature,
            "max_new_tokens": self._options.max_tokens,
        }
