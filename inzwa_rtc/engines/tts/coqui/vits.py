"""A VITS model of Coqui's: one pass makes a whole clause."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import torch
from TTS.tts.configs.vits_config import VitsConfig
from TTS.tts.models.vits import Vits

from inzwa_rtc.engines.contracts import Ability, Voice
from inzwa_rtc.engines.tts.apart.interruption import Interruption
from inzwa_rtc.engines.tts.apart.mouth import Samples, Utter, Wanted
from inzwa_rtc.engines.tts.coqui.files import CoquiFiles
from inzwa_rtc.engines.tts.coqui.options import CoquiOptions
from inzwa_rtc.language import base_language

_ONLY = "default"


class VitsModel:
    """Speaks with the model's own speakers, in its own languages."""

    abilities: tuple[Ability, ...] = ()
    max_chars: int | None = None

    def __init__(self, files: CoquiFiles, device: str, options: CoquiOptions) -> None:
        config = VitsConfig()
        config.from_dict({**files.config, "model": "vits"})
        config.model_args.init_discriminator = False
        self._model: Any = Vits(config)
        # Weights only: a checkpoint that holds code is refused. The discriminator was for training.
        self._model.load_checkpoint(config, str(files.checkpoint), eval=True, strict=False)
        self._model.to(device)
        self._device = device
        self._seed = options.seed
        self._pace = float(self._model.length_scale)
        self.sample_rate = int(config.audio.sample_rate)
        self._languages = {}
        if self._model.args.use_language_embedding:
            self._languages = {
                base_language(name): name for name in self._model.language_manager.name_to_id
            }
        language = "" if self._languages else base_language(config.phoneme_language or "")
        self.languages = sorted(self._languages) or ([language] if language else [])
        self.voices = [
            Voice(name, name.strip() or name, language) for name in self._speakers() or [_ONLY]
        ]
        self._interruption = Interruption(self._model)

    def limit(self, _language: str) -> int | None:
        """No limit of its own."""
        return None

    def speaks(self, language: str) -> bool:
        """Whether the model can be told to speak it. One that knows a single language reads
        everything in that."""
        return not self._languages or base_language(language) in self._languages

    def utterer(self, voice: str, language: str, speed: float) -> Utter:
        """What makes sound of a clause."""
        name = self._languages.get(base_language(language))

        def utter(text: str, is_wanted: Wanted) -> Generator[Samples, None, None]:
            with self._interruption.watching(is_wanted):
                ids = self._ids(text, name)
                if ids:
                    yield self._sound(ids, voice, name, speed)

        return utter

    def _speakers(self) -> list[str]:
        manager = self._model.speaker_manager
        return [] if manager is None else [str(name) for name in manager.name_to_id]

    def _ids(self, text: str, language: str | None) -> list[int]:
        """The text's tokens, none where the model knows no sign of it."""
        tokenizer = self._model.tokenizer
        ids: list[int] = tokenizer.text_to_ids(text, language=language)
        bare = int(tokenizer.add_blank) + 2 * int(tokenizer.use_eos_bos)
        return ids if len(ids) > bare else []

    def _sound(self, ids: list[int], voice: str, language: str | None, speed: float) -> Samples:
        model = self._model
        model.length_scale = self._pace / speed
        aux: dict[str, Any] = {
            "x_lengths": torch.tensor([len(ids)], device=self._device),
            "speaker_ids": None,
            "d_vectors": None,
            "language_ids": None,
        }
        if language is not None:
            number = model.language_manager.name_to_id[language]
            aux["language_ids"] = torch.tensor([number], device=self._device)
        if model.speaker_manager is not None and model.args.use_d_vector_file:
            vector = model.speaker_manager.get_mean_embedding(
                voice, num_samples=None, randomize=False
            )
            aux["d_vectors"] = torch.tensor(vector, dtype=torch.float, device=self._device)[None]
        elif model.speaker_manager is not None and model.args.use_speaker_embedding:
            number = model.speaker_manager.name_to_id[voice]
            aux["speaker_ids"] = torch.tensor([number], device=self._device)
        torch.manual_seed(self._seed)
        made = model.inference(torch.tensor([ids], device=self._device), aux_input=aux)
        sound: Samples = made["model_outputs"][0, 0].float().cpu().numpy()
        return sound

    def close(self) -> None:
        """Free the model."""
        self._interruption.close()
        self._model = None
