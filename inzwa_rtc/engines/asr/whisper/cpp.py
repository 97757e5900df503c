"""whisper.cpp, through the bindings of pywhispercpp. MIT.

Takes a ggml file of the operator's and never contacts a hub. A decoding that nobody waits for
any more ends after the pass of the encoder, or the token, that it is at.
"""

from __future__ import annotations

import atexit
import re
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

from inzwa_rtc.engines.asr.decoding import Stretch
from inzwa_rtc.engines.asr.hotwords import Hotwords
from inzwa_rtc.engines.asr.stoppable import StoppableWorkers, Wanted
from inzwa_rtc.engines.asr.whisper.ggml import ENGLISH_TOKENS, broken, read_ggml
from inzwa_rtc.engines.asr.whisper.task import (
    ABILITIES,
    NO_SPEECH,
    UNLIKELY,
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
from inzwa_rtc.engines.hardware import Device, cpus, described, device_of, model_on
from inzwa_rtc.errors import EngineError

_ERROR = 4  # the library's level of log lines that tell of a failure
_GPU_LINE = re.compile(r"device \d+: .* \(type: [12]\)")  # a line of its log: a GPU it can use
_SHORTEST = ASR_SAMPLE_RATE // 2  # the library reads 200 samples whether they are there or not
_GPUS = ("CUDA", "Metal", "Vulkan", "SYCL", "HIP", "MUSA")  # backends that it may be built with


class WhisperCppOptions(WhisperOptions):
    """Options under `asr:` in the configuration."""

    model: Path
    """A file of whisper.cpp (`ggml-....bin`), f16 or quantized."""
    device: Annotated[str, Field(pattern=r"^(auto|cpu|cuda(:\d{1,2})?)$")] = "auto"
    """`cpu`, `cuda`, `cuda:1`; `auto` takes a GPU where there is one and the library was built
    for it."""
    workers: Annotated[int, Field(ge=1, le=32)] = 1
    """Utterances decoded at the same time. Each loads the model for itself."""


class WhisperCpp:
    """Recognises with a Whisper model of the operator's."""

    Options = WhisperCppOptions
    abilities = ABILITIES

    def __init__(self, options: WhisperCppOptions) -> None:
        """Load the model. Raises `EngineUnavailable` when it is broken, or when the device
        asked for is not there."""
        self._options = options
        self._hotwords = Hotwords(options)
        # The bindings themselves: the class around them goes on where the library failed.
        self._library: Any = import_module("_pywhispercpp")
        device = _device(self._library, options)
        model = model_on(device, options.model, options.cpu_model)
        self._file = read_ggml(model)
        self._languages = ["en"]
        if self._file.tokens > ENGLISH_TOKENS:
            numbers = range(min(self._file.languages, self._library.whisper_lang_max_id() + 1))
            self._languages = [self._library.whisper_lang_str(number) for number in numbers]
        self._threads = options.threads or max(1, cpus() // options.workers)
        self._idle: SimpleQueue[Any] = SimpleQueue()
        for _ in range(options.workers):
            self._idle.put(_load(self._library, model, device))
        self.details = {
            **described(device, model, options.model),
            "compute": self._file.weights,
            "threads": str(self._threads),
            "languages": describe(self._languages),
        }
        self.languages = tuple(self._languages)
        self.abilities = abilities_of(options, self._languages)
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


def _device(library: Any, options: WhisperCppOptions) -> Device:
    return device_of(
        options.device,
        0 if options.device == "cpu" else gpus(library, options.model),
        library="this build of whisper.cpp",
        setting="asr_device",
        remedy="Build one for the GPU (GGML_CUDA=1 pip install --force-reinstall "
        "--no-binary pywhispercpp pywhispercpp)",
    )


def gpus(library: Any, model: Path) -> int:
    """How many GPUs whisper.cpp can use. It tells that in its log alone, as it loads a model."""
    if not any(name in library.whisper_print_system_info() for name in _GPUS):
        return 0
    read_ggml(model)
    library.whisper_free(_load(library, model, Device("cuda:99")))  # it looks at all it has
    return len(_log().gpus)


def _load(library: Any, path: Path, device: Device) -> Any:
    params = library.whisper_context_default_params()
    params.use_gpu = not device.is_cpu
    params.gpu_device = device.number
    # Its flash attention reads what earlier, longer windows left behind a shorter one.
    params.flash_attn = False
    log = _log()
    log.errors.clear()
    log.gpus.clear()
    try:
        context = library.whisper_init_from_file_with_params(str(path), params)
    except (RuntimeError, ValueError, MemoryError) as error:
        raise broken(path, error) from error
    if log.errors:
        # There is no model then, and nothing else that would tell: its use ends the process.
        raise broken(path, " ".join(log.errors))
    return context


class _Log:
    """What the library logs: its errors, and the lines in which it tells of its devices."""

    def __init__(self) -> None:
        self.errors: deque[str] = deque(maxlen=8)
        self.gpus: deque[str] = deque(maxlen=64)

    def take(self, level: int, text: str) -> None:
        if level == _ERROR:
            self.errors.append(text.strip())
        elif _GPU_LINE.search(text):
            self.gpus.append(text.strip())


@cache
def _log() -> _Log:
    """Where the library's log goes from now on; all else that it says goes nowhere."""
    library: Any = import_module("_pywhispercpp")
    log = _Log()
    library.whisper_log_set(log.take)
    # Left to the interpreter's end, the reference to `log` would end the process in disorder.
    atexit.register(library.whisper_log_set, None)
    return log
