"""One Whisper model in CTranslate2, and how it is made to write what it hears.

Of faster-whisper only the parts are used (features, tokenizer, alignment), not its
`transcribe`: that detects the language with a pass of the encoder of its own, encodes what is
left after the last word once more, and lets a prompt halve the room for the text.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from faster_whisper import WhisperModel
from faster_whisper.feature_extractor import FeatureExtractor
from faster_whisper.tokenizer import Tokenizer
from faster_whisper.transcribe import get_suppressed_tokens

from inzwa_rtc.engines.asr.decoding import Stretch
from inzwa_rtc.engines.asr.stoppable import Wanted
from inzwa_rtc.engines.asr.waiting import Audio
from inzwa_rtc.engines.asr.whisper.ct2_files import Abilities, broken, check_folder
from inzwa_rtc.engines.asr.whisper.task import (
    Attempt,
    Task,
    frames_of,
    heard_word,
    token_limit,
)
from inzwa_rtc.engines.contracts import ASR_SAMPLE_RATE, HeardWord

_BEFORE_WORD = "\"'“¿([{-"  # punctuation, as faster-whisper joins it to words
_AFTER_WORD = "\"'.。,，!！?？:：”)]}、"
_DECODER_TOKENS = 448


class Ct2Whisper:
    """Thread-safe; as many decodings run at once as there are `workers`."""

    def __init__(
        self, folder: Path, device: str, index: int, compute_type: str, threads: int, workers: int
    ) -> None:
        """Load it and try it out. Raises `EngineUnavailable` for a broken model, and
        `RuntimeError` or `ValueError` for a device that cannot run it."""
        self.abilities: Abilities = check_folder(folder)
        self._model: Any = WhisperModel(
            str(folder),
            device=device,
            device_index=index,
            compute_type=compute_type,
            cpu_threads=threads,
            num_workers=workers,
            local_files_only=True,
        )
        # The model itself tells how many bands it takes; the file that should is often missing.
        self._features = FeatureExtractor(feature_size=self._model.model.n_mels)
        self._tokenizers: dict[tuple[str, bool], tuple[Any, list[int]]] = {}
        tokens = self._model.hf_tokenizer
        tokens.encode_special_tokens = True  # as text: no caller's word becomes one
        self.languages = [
            code
            for code in self._model.supported_languages
            if not self._model.model.is_multilingual
            or tokens.token_to_id(f"<|{code}|>") is not None
        ]
        if not self.languages:
            raise broken(folder, "tokenizer.json names no language")
        self.compute_type: str = self._model.model.compute_type
        # What is missing for a GPU shows at the first use only.
        self.attempt(
            Stretch(np.zeros(ASR_SAMPLE_RATE, np.float32), "", False),
            Task(self.languages[0]),
            1.0,
            lambda: True,
        )

    def close(self) -> None:
        """Free its memory."""
        # Unloading it as the library offers would keep most of that.
        self._model = None

    def attempt(
        self,
        stretch: Stretch,
        task: Task,
        window_s: float,
        is_wanted: Wanted,
        *,
        beam_size: int = 1,
        word_times: bool = False,
    ) -> Attempt:
        """Write what is heard in a stretch."""
        if not is_wanted():
            return Attempt()
        features = self._features(stretch.audio)
        frames = frames_of(len(stretch.audio), window_s)
        if not is_wanted():
            return Attempt()
        encoded = self._model.encode(_padded(features, frames))
        if not is_wanted():
            return Attempt()
        language = task.language or self._detected(encoded)
        # The library takes no callback with `generate`, as it does for other kinds of models:
        # from here on it writes to the end.
        if not is_wanted():
            return Attempt()
        tokenizer, silenced = self._tokenizer(language, task.translate)
        prompt = self._prompt(task.prompt(stretch.context, self._count), tokenizer)
        limit = min(token_limit(len(stretch.audio)), _DECODER_TOKENS - len(prompt))
        result = self._model.model.generate(
            encoded,
            [prompt],
            beam_size=beam_size,
            # It lets the text have half of this, and what the prompt leaves of it.
            max_length=limit + max(limit, len(prompt)),
            suppress_tokens=silenced,
            return_scores=True,
            return_no_speech_prob=True,
        )[0]
        tokens = [token for token in result.sequences_ids[0] if token < tokenizer.eot]
        text = tokenizer.decode(tokens).strip()
        length = len(result.sequences_ids[0])
        words: tuple[HeardWord, ...] = ()
        if word_times and text and is_wanted():
            words = self._words(stretch.audio, tokens, tokenizer, encoded, features.shape[-1] - 1)
        return Attempt(
            text,
            task.written(language),
            float(result.scores[0]) * length / (length + 1),
            words,
            float(result.no_speech_prob),
            has_ended=length < limit,
        )

    def _prompt(self, before: str, tokenizer: Any) -> list[int]:
        tokens = [tokenizer.sot_prev, *tokenizer.encode(f" {before}")] if before else []
        return [*tokens, *tokenizer.sot_sequence, tokenizer.no_timestamps]

    def _count(self, text: str) -> int:
        return len(self._model.hf_tokenizer.encode(text, add_special_tokens=False).ids)

    def _detected(self, encoded: Any) -> str:
        token: str = self._model.model.detect_language(encoded)[0][0][0]
        return token[2:-2]

    def _words(
        self, audio: Audio, tokens: list[int], tokenizer: Any, encoded: Any, frames: int
    ) -> tuple[HeardWord, ...]:
        seconds = len(audio) / ASR_SAMPLE_RATE
        segment: dict[str, Any] = {"seek": 0, "start": 0.0, "end": seconds, "tokens": tokens}
        self._model.add_word_timestamps(
            [[segment]], tokenizer, encoded, frames, _BEFORE_WORD, _AFTER_WORD, 0.0
        )
        return tuple(
            heard_word(word["word"], word["start"], word["end"], word["probability"])
            for word in segment["words"]
            if word["word"].strip()
        )

    def _tokenizer(self, language: str, translate: bool) -> tuple[Any, list[int]]:
        """The tokenizer, and the tokens that are never written."""
        if (language, translate) not in self._tokenizers:
            tokenizer = Tokenizer(
                self._model.hf_tokenizer,
                self._model.model.is_multilingual,
                task="translate" if translate else "transcribe",
                language=language,
            )
            silenced = list(get_suppressed_tokens(tokenizer, [-1]))
            self._tokenizers[language, translate] = tokenizer, silenced
        return self._tokenizers[language, translate]


def _padded(features: Any, frames: int) -> Any:
    """The features `[bands, frames]` with exactly so many frames, zeros at their end."""
    kept = features[:, :frames]
    return np.pad(kept, ((0, 0), (0, frames - kept.shape[1])))
