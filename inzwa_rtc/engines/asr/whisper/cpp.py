"""whisper.cpp, through the bindings of pywhispercpp. MIT.

Takes a ggml file of the operator's and never contacts a hub. A decoding that nobody waits for
any more ends after the pass of the encoder, or the token, that it is at.
"""

from __future__ import annotations

import atexit
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from functools import cache, partial
from importlib import import_module
from pathlib import Path
from queue import SimpleQueue
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from inzwa_rtc.engines.asr.hotwords import Hotwords
from inzwa_rtc.engines.asr.stoppable import StoppableWorkers, Wanted
from inzwa_rtc.engines.asr.whisper.ggml import ENGLISH_TOKENS, broken, read_ggml
from inzwa_rtc.engines.asr.whisper.task import (
    NO_SPEECH,
    UNLIKELY,
    Attempt,
    Task,
    WhisperOptions,
    describe,
    frames_of,
    heard_word,
    recognized,
    task_of,
    token_limit,
)
from inzwa_rtc.engines.asr.windows import Stretch
from inzwa_rtc.engines.contracts import (
    ASR_SAMPLE_RATE,
    HeardWord,
    RecognizeRequest,
    TranscriptChunk,
)
from inzwa_rtc.engines.hardware import cpus
from inzwa_rtc.errors import EngineError, EngineUnavailable

_ERROR = 4  # the library's level of log lines that tell of a failure
_SHORTEST = ASR_SAMPLE_RATE // 2  # the library reads 200 samples whether they are there or not
_GPUS = ("CUDA", "Metal", "Vulkan", "SYCL", "HIP", "MUSA")  # backends that it may be built with


class WhisperCppOptions(WhisperOptions):
    """Options under `asr:` in the configuration."""

    model: Path
    """A file of whisper.cpp (`ggml-....bin`), f16 or quantized."""
    device: Annotated[str, Field(pattern=r"^(auto|cpu|cuda)$")] = "auto"
    """`cpu`, `cuda`; `auto` takes a GPU where the library was built for one."""
    workers: Annotated[int, Field(ge=1, le=32)] = 1
    """Utterances decoded at the same time. Each loads the model for itself."""


class WhisperCpp:
    """Recognises with a Whisper model of the operator's."""

    Options = WhisperCppOptions

    def __init__(self, options: WhisperCppOptions) -> None:
        """Load the model. Raises `EngineUnavailable` when it is broken, or when the device
        asked for is not there."""
        self._options = options
        self._hotwords = Hotwords(options)
        # The bindings themselves: the class around them goes on where the library failed.
        self._library: Any = import_module("_pywhispercpp")
        self._file = read_ggml(options.model)
        self._languages = ["en"]
        if self._file.tokens > ENGLISH_TOKENS:
            numbers = range(min(self._file.languages, self._library.whisper_lang_max_id() + 1))
            self._languages = [self._library.whisper_lang_str(number) for number in numbers]
        self._threads = options.threads or max(1, cpus() // options.workers)
        device = _device(self._library, options.device)
        self._idle: SimpleQueue[Any] = SimpleQueue()
        for _ in range(options.workers):
            self._idle.put(
                _load(self._library, options.model, uses_gpu=not device.startswith("cpu"))
            )
        self.details = {
            "model": options.model.name,
            "device": device,
            "languages": describe(self._languages),
        }
        self._workers = StoppableWorkers(options.workers)

    def close(self) -> None:
        """Wait for the step under way, then free the model."""
        self._workers.close()
        while not self._idle.empty():
            self._library.whisper_free(self._idle.get())

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
        context = self._idle.get()  # there is one for each worker
        try:
            return self._written(context, task, stretch, window_s, is_wanted)
        finally:
            self._idle.put(context)

    def _written(
        self, context: Any, task: Task, stretch: Stretch, window_s: float, is_wanted: Wanted
    ) -> Attempt:
        if not is_wanted():
            return Attempt()
        library, samples = self._library, len(stretch.audio)
        params = self._params(task, stretch, window_s)
        params.set_abort_callback(lambda: not is_wanted())
        audio = np.pad(stretch.audio, (0, max(0, _SHORTEST - samples)))
        failed = library.whisper_full(context, params, audio, len(audio))
        if not is_wanted():
            return Attempt()
        if failed:
            raise EngineError(
                f"whisper.cpp could not decode (code {failed}).",
                action="Check that there is memory left; set `asr.workers` lower.",
            )
        tokens = [
            library.whisper_full_get_token_data(context, segment, number)
            for segment in range(library.whisper_full_n_segments(context))
            for number in range(library.whisper_full_n_tokens(context, segment))
        ]
        end = library.whisper_token_eot(context)
        spelt = [
            (library.whisper_token_to_bytes(context, token.id), token)
            for token in tokens
            if token.id < end
        ]
        language = library.whisper_lang_str(library.whisper_full_lang_id(context))
        return Attempt(
            b"".join(text for text, _ in spelt).decode(errors="replace").strip(),
            task.written(task.language or language),
            float(np.mean([token.plog for _, token in spelt])) if spelt else 0.0,
            _words(spelt, samples / ASR_SAMPLE_RATE) if params.token_timestamps else (),
            has_ended=len(tokens) <= params.max_tokens,
        )

    def _params(self, task: Task, stretch: Stretch, window_s: float) -> Any:
        """What the library is asked for, made anew each time since it keeps what it was told."""
        library, options = self._library, self._options
        strategies = library.whisper_sampling_strategy
        beams = options.beam_size if stretch.is_final else 1
        params = library.whisper_full_default_params(
            strategies.WHISPER_SAMPLING_BEAM_SEARCH
            if beams > 1
            else strategies.WHISPER_SAMPLING_GREEDY
        )
        if beams > 1:
            params.beam_search = {"beam_size": beams, "patience": -1.0}
        params.n_threads = self._threads
        params.print_progress = False
        params.language = task.language or ""  # none is detected
        params.translate = task.translate
        params.audio_ctx = min(frames_of(len(stretch.audio), window_s) // 2, self._file.frames)
        params.max_tokens = token_limit(len(stretch.audio))
        if prompt := task.prompt(stretch.context, self._file.count):
            params.initial_prompt = f" {prompt}"
        params.no_context = True
        params.single_segment = True  # one pass, whatever the last word's time
        params.token_timestamps = options.word_times and stretch.is_final
        params.no_timestamps = not params.token_timestamps
        params.suppress_nst = True
        params.temperature_inc = 0.0  # our own second attempt instead of five of the library's
        params.no_speech_thold, params.logprob_thold = NO_SPEECH, UNLIKELY
        return params


def _words(spelt: list[tuple[bytes, Any]], seconds: float) -> tuple[HeardWord, ...]:
    """The tokens put together to words, each of which begins with a space."""
    words: list[list[tuple[bytes, Any]]] = []
    for text, token in spelt:
        if not words or text.startswith(b" "):
            words.append([])
        words[-1].append((text, token))
    heard = []
    for word in words:
        written = b"".join(part for part, _ in word).decode(errors="replace").strip()
        if written:
            # In 10 ms. The last word of a model that wrote no times would end with the window.
            start_s, end_s = (min(t / 100, seconds) for t in (word[0][1].t0, word[-1][1].t1))
            probability = float(np.mean([token.p for _, token in word]))
            heard.append(heard_word(written, start_s, end_s, probability))
    return tuple(heard)


def _device(library: Any, asked: str) -> str:
    built = library.whisper_print_system_info()
    backend = next((name for name in _GPUS if name in built), None)
    if asked == "cpu":
        return "cpu"
    if backend is not None:
        return backend.lower()
    if asked == "cuda":
        raise EngineUnavailable(
            "This build of whisper.cpp computes on the CPU alone.",
            action="Build one for the GPU (GGML_CUDA=1 pip install --force-reinstall "
            "--no-binary pywhispercpp pywhispercpp), or set `asr_device: cpu`.",
        )
    return "cpu (not built for a GPU)"


def _load(library: Any, path: Path, *, uses_gpu: bool) -> Any:
    params = library.whisper_context_default_params()
    params.use_gpu = uses_gpu
    # Its flash attention reads what earlier, longer windows left behind a shorter one.
    params.flash_attn = False
    errors = _error_log()
    errors.clear()
    try:
        context = library.whisper_init_from_file_with_params(str(path), params)
    except (RuntimeError, ValueError, MemoryError) as error:
        raise broken(path, error) from error
    if errors:
        # There is no model then, and nothing else that would tell: its use ends the process.
        raise broken(path, " ".join(errors))
    return context


@cache
def _error_log() -> deque[str]:
    """Where the library's errors go from now on. All else that it says goes nowhere."""
    library: Any = import_module("_pywhispercpp")
    errors: deque[str] = deque(maxlen=8)

    def log(level: int, text: str) -> None:
        if level == _ERROR:
            errors.append(text.strip())

    library.whisper_log_set(log)
    # Left to the interpreter's end, the reference to `log` would end the process in disorder.
    atexit.register(library.whisper_log_set, None)
    return errors
