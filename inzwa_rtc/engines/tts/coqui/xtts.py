"""An XTTS model: streams while it writes its tokens, and speaks in the voice of a recording.

The weights that Coqui published are under the Coqui Public Model License, which allows no
commercial use.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from TTS.tts.configs.xtts_config import XttsConfig
from TTS.tts.models.xtts import Xtts, _legacy_safe_globals

from inzwa_rtc.engines.contracts import Ability, Voice
from inzwa_rtc.engines.tts.apart.interruption import Interruption
from inzwa_rtc.engines.tts.apart.mouth import Samples, Utter, Wanted
from inzwa_rtc.engines.tts.apart.voices import RecordedVoice, recorded_voices
from inzwa_rtc.engines.tts.clauses import clauses
from inzwa_rtc.engines.tts.coqui.files import CoquiFiles
from inzwa_rtc.engines.tts.coqui.options import CoquiOptions
from inzwa_rtc.errors import EngineUnavailable
from inzwa_rtc.language import base_language

_LICENCE = "LicenseRef-CPML"
_REFERENCE_RATE = 22_050
_BRACKETS = str.maketrans("[]", "  ")  # the tokenizer takes `[en]` for a language


@dataclass(frozen=True, slots=True)
class _Cloned:
    """What the model needs to know of a voice."""

    latent: torch.Tensor
    embedding: torch.Tensor


class XttsModel:
    """Speaks with the voices that come with it, and with recorded ones, in any of its languages."""

    abilities: tuple[Ability, ...] = ("streams", "clones voices")

    def __init__(self, files: CoquiFiles, device: str, options: CoquiOptions) -> None:
        self._options = options
        config = XttsConfig()
        config.from_dict({**files.config, "model": "xtts"})
        self._model: Any = Xtts(config)
        # The library's own reader writes old checkpoints anew in place.
        self._model._load_checkpoint = _weights
        self._model.load_checkpoint(
            config,
            checkpoint_path=str(files.checkpoint),
            vocab_path=str(files.vocabulary),
            speaker_file_path=str(files.speakers),
            eval=True,
        )
        self._model.to(device)
        self.sample_rate = int(self._model.args.output_sample_rate)
        self._languages = {base_language(name): name for name in config.languages}
        self.languages = sorted(self._languages)
        self._limits = {
            name: limit
            for name, limit in self._model.tokenizer.char_limits.items()
            if name in self._languages
        }
        self.max_chars = max(self._limits.values(), default=None)
        self._cloned: dict[str, _Cloned] = {}
        recorded = recorded_voices(options.voices)
        self.voices = [*map(self._clone, recorded), *self._own_voices()]
        if not self.voices:
            raise EngineUnavailable(
                f"The XTTS model {files.folder} has no voice.",
                action="Put its speakers_xtts.pth there, or set `tts.voices` to a folder of "
                "recordings.",
            )
        self._interruption = Interruption(self._model)

    def limit(self, language: str) -> int | None:
        """The longest stretch of this language that the model speaks whole."""
        return self._limits.get(base_language(language))

    def speaks(self, language: str) -> bool:
        """Whether it is one of the model's languages."""
        return base_language(language) in self._languages

    def utterer(self, voice: str, language: str, speed: float) -> Utter:
        """What makes sound of a clause, piece by piece."""
        cloned, name = self._cloned[voice], self._languages[base_language(language)]

        def utter(text: str, is_wanted: Wanted) -> Generator[Samples, None, None]:
            text = " ".join(text.translate(_BRACKETS).split())
            with self._interruption.watching(is_wanted), torch.inference_mode():
                torch.manual_seed(self._options.seed)
                for part in self._fitting(text, name):
                    with closing(self._stream(part, name, cloned, speed)) as pieces:
                        for piece in pieces:
                            yield piece.float().cpu().numpy().reshape(-1)

        return utter

    def close(self) -> None:
        """Free the model."""
        self._interruption.close()
        self._cloned.clear()
        self._model = None

    def _stream(
        self, text: str, language: str, cloned: _Cloned, speed: float
    ) -> Generator[torch.Tensor, None, None]:
        stream: Generator[torch.Tensor, None, None] = self._model.inference_stream(
            text,
            language,
            cloned.latent,
            cloned.embedding,
            stream_chunk_size=self._options.stream_tokens,
            temperature=self._options.temperature,
            speed=speed,
        )
        return stream

    def _fitting(self, text: str, language: str) -> list[str]:
        """The text, in parts where it is more tokens than the model takes."""
        tokens = len(self._model.tokenizer.encode(text.lower(), lang=language))
        if tokens < self._model.args.gpt_max_text_tokens or len(text) < 2:
            return [text]
        parts = (clause.text for clause in clauses(text, (len(text) + 1) // 2))
        return [fitting for part in parts for fitting in self._fitting(part, language)]

    def _clone(self, recorded: RecordedVoice) -> Voice:
        """What the library's `get_conditioning_latents` does, on sound that is decoded and
        checked by us: its own reader depends on FFmpeg's libraries."""
        config = self._model.config
        sound = recorded.recording(_REFERENCE_RATE).samples[: _REFERENCE_RATE * config.max_ref_len]
        audio = torch.from_numpy(sound)[None].to(self._model.device)
        self._cloned[recorded.voice.id] = _Cloned(
            self._model.get_gpt_cond_latents(
                audio,
                _REFERENCE_RATE,
                length=config.gpt_cond_len,
                chunk_length=config.gpt_cond_chunk_len,
            ),
            self._model.get_speaker_embedding(audio, _REFERENCE_RATE),
        )
        return recorded.voice

    def _own_voices(self) -> list[Voice]:
        manager = self._model.speaker_manager
        if manager is None:
            return []
        voices = []
        for name, told in manager.speakers.items():
            if name not in self._cloned:
                latent, embedding = told["gpt_cond_latent"], told["speaker_embedding"]
                self._cloned[name] = _Cloned(latent, embedding)
                voices.append(Voice(name, name, "", licence=_LICENCE))
        return voices


def _weights(path: str | Path) -> Any:
    """Weights only: a checkpoint that holds code is refused."""
    with _legacy_safe_globals():
        return torch.load(path, map_location="cpu", weights_only=True)["model"]
