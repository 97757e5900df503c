"""openai-whisper: OpenAI's own implementation, on PyTorch. MIT.

The slowest of the three on a CPU; it is for models that exist as its `.pt` files only. Torch
never enters the server's environment: this runs in one of its own (`engine_python` under `asr:`).
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import whisper
from pydantic import Field
from whisper.decoding import DecodingOptions, DecodingTask
from whisper.timing import find_alignment, merge_punctuations
from whisper.tokenizer import LANGUAGES, get_tokenizer

from inzwa_rtc.engines.asr.decoding import Stretch
from inzwa_rtc.engines.asr.hotwords import Hotwords
from inzwa_rtc.engines.asr.stoppable import StoppableWorkers, Wanted
from inzwa_rtc.engines.asr.waiting import Audio
from inzwa_rtc.engines.asr.whisper.task import (
    ABILITIES,
    Attempt,
    Task,
    WhisperOptions,
    abilities_of,
    describe,
    frames_of,
    heard_word,
    recognized,
    task_of,
    token_limit,
)
from inzwa_rtc.engines.contracts import (
    ASR_SAMPLE_RATE,
    HeardWord,
    RecognizeRequest,
    TranscriptChunk,
)
from inzwa_rtc.engines.hardware import cpus, described, device_of, model_on
from inzwa_rtc.errors import EngineUnavailable

_SHORTEST = ASR_SAMPLE_RATE // 10  # the spectrogram mirrors 200 samples at either end
_BEFORE_WORD = "\"'“¿([{-"  # punctuation, as the library joins it to words
_AFTER_WORD = "\"'.。,，!！?？:：”)]}、"


class OpenAIWhisperOptions(WhisperOptions):
    """Options under `asr:` in the configuration."""

    model: Path
    """A file of openai-whisper (`....pt`)."""
    device: Annotated[str, Field(pattern=r"^(auto|cpu|cuda(:\d{1,2})?)$")] = "auto"
    """`cpu`, `cuda`, `cuda:1`; `auto` takes a GPU where there is one."""


class OpenAIWhisper:
    """Recognises with a Whisper model of the operator's, one utterance at a time."""

    Options = OpenAIWhisperOptions
    abilities = ABILITIES

    def __init__(self, options: OpenAIWhisperOptions) -> None:
        """Load the model. Raises `EngineUnavailable` when it is broken, or when the device
        asked for is not there."""
        self._options = options
        self._hotwords = Hotwords(options)
        device = device_of(
            options.device,
            gpus(),
            library="PyTorch",
            setting="asr_device",
            remedy="Install NVIDIA's driver and PyTorch for CUDA",
        )
        self._device = device.name
        threads = options.threads or cpus()
        torch.set_num_threads(threads)
        model = model_on(device, options.model, options.cpu_model)
        self._model = _load(model, self._device)
        self._features: Any = None
        # What the library wants encoded is always the window at hand, which is encoded once.
        self._model.encoder.forward = lambda _mel: self._features
        self._languages = ["en"]
        if self._model.is_multilingual:
            self._languages = list(LANGUAGES)[: self._model.num_languages]
        self.details = {
            **described(device, model, options.model),
            "compute": "float16" if self._is_half else "float32",
            "threads": str(threads),
            "languages": describe(self._languages),
        }
        self.languages = tuple(self._languages)
        self.abilities = abilities_of(options, self._languages)
        # The library hangs what a decoding remembers on the model: no two at a time.
        self._workers = StoppableWorkers(1)
        # The first alignment compiles its code, which takes seconds.
        quiet = Stretch(np.zeros(ASR_SAMPLE_RATE, np.float32), "", True)
        self._attempt(Task(self._languages[0]), quiet, 1.0, lambda: True)

    def close(self) -> None:
        """Wait for the step under way, then free the model."""
        self._workers.close()
        self._model = self._features = None

    async def recognize(
        self, audio: AsyncIterator[bytes], request: RecognizeRequest
    ) -> AsyncGenerator[TranscriptChunk, None]:
        """Yield partial transcripts, then the final one.

        Raises `EngineError` for a language that the model does not know, and for what it
        cannot do.
        """
        task = task_of(request, self._options, self._hotwords, self._languages)
        attempt = partial(self._attempt, task)
        chunks = recognized(audio, attempt, self._workers, self._options)
        async with aclosing(chunks):
            async for chunk in chunks:
                yield chunk

    def _attempt(self, task: Task, stretch: Stretch, window_s: float, is_wanted: Wanted) -> Attempt:
        try:
            with torch.inference_mode():
                self._features = self._encoded(stretch.audio, window_s, is_wanted)
                return self._written(task, stretch, is_wanted)
        except _Unwanted:
            return Attempt()
        finally:
            self._features = None

    def _encoded(self, audio: Audio, window_s: float, is_wanted: Wanted) -> Any:
        """What the library's encoder makes of its stock window, of one that fits."""
        encoder, bands = self._model.encoder, self._model.dims.n_mels
        sound = np.pad(audio, (0, max(0, _SHORTEST - len(audio))))
        mel = whisper.log_mel_spectrogram(sound, bands, device=self._device)
        mel = whisper.pad_or_trim(mel, frames_of(len(audio), window_s)).unsqueeze(0)
        x = mel.half() if self._is_half else mel
        for convolution in (encoder.conv1, encoder.conv2):
            x = torch.nn.functional.gelu(convolution(x))
        x = x.permute(0, 2, 1)
        x = (x + encoder.positional_embedding[: x.shape[1]]).to(x.dtype)
        for block in encoder.blocks:
            _stop_unless(is_wanted)
            x = block(x)
        return encoder.ln_post(x)

    def _written(self, task: Task, stretch: Stretch, is_wanted: Wanted) -> Attempt:
        options = self._options
        count = partial(_encode, self._tokenizer(task.language or "en", task))
        prompt = task.prompt(stretch.context, lambda text: len(count(text)))
        limit = token_limit(len(stretch.audio))
        decoding = DecodingTask(
            self._model,
            DecodingOptions(
                task="translate" if task.translate else "transcribe",
                language=task.language,
                sample_len=limit,
                beam_size=options.beam_size if stretch.is_final and options.beam_size > 1 else None,
                prompt=count(f" {prompt}") if prompt else None,
                without_timestamps=True,
                fp16=self._is_half,
            ),
        )
        decoding.logit_filters.append(_Stopping(is_wanted))
        result = decoding.run(self._features)[0]
        words: tuple[HeardWord, ...] = ()
        if options.word_times and stretch.is_final and result.text:
            words = self._words(stretch.audio, result, self._tokenizer(result.language, task))
        return Attempt(
            result.text,
            task.written(result.language),
            result.avg_logprob,
            words,
            result.no_speech_prob,
            has_ended=len(result.tokens) < limit,
        )

    def _words(self, audio: Audio, result: Any, tokenizer: Any) -> tuple[HeardWord, ...]:
        tokens = [token for token in result.tokens if token < tokenizer.eot]
        frames = 2 * (len(audio) // 320)
        words = find_alignment(self._model, tokenizer, tokens, self._features[0], frames)
        merge_punctuations(words, _BEFORE_WORD, _AFTER_WORD)
        return tuple(
            heard_word(word.word, word.start, word.end, word.probability)
            for word in words
            if word.word.strip()
        )

    def _tokenizer(self, language: str, task: Task) -> Any:
        return get_tokenizer(
            self._model.is_multilingual,
            num_languages=self._model.num_languages,
            language=language,
            task="translate" if task.translate else "transcribe",
        )

    @property
    def _is_half(self) -> bool:
        return self._device.startswith("cuda")


class _Unwanted(Exception):
    """Nobody waits for the decoding any more."""


class _Stopping:
    """Ends a decoding between two tokens, in the place of a filter of what may be written."""

    def __init__(self, is_wanted: Wanted) -> None:
        self._is_wanted = is_wanted

    def apply(self, _logits: Any, _tokens: Any) -> None:
        _stop_unless(self._is_wanted)


def _stop_unless(is_wanted: Wanted) -> None:
    if not is_wanted():
        raise _Unwanted


def _encode(tokenizer: Any, text: str) -> list[int]:
    """Without special tokens: text that looks like one is text."""
    tokens: list[int] = tokenizer.encoding.encode_ordinary(text)
    return tokens


def gpus() -> int:
    """How many GPUs PyTorch can use."""
    return torch.cuda.device_count() if torch.cuda.is_available() else 0


def _load(path: Path, device: str) -> Any:
    if not path.is_file():
        # A mere name, such as `base`, the library would download.
        raise EngineUnavailable(
            f"There is no Whisper model {path}.",
            action="Set `asr_model` to a `.pt` file of openai-whisper.",
        )
    try:
        # It reads weights only: no code that a file might hold is run.
        return whisper.load_model(str(path.resolve()), device=device)
    except Exception as error:
        raise EngineUnavailable(
            f"The Whisper model {path} cannot be loaded: {type(error).__name__}: {error}.",
            action="Download it again; `inzwa-rtc models verify` checks known ones.",
        ) from error
