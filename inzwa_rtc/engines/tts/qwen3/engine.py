"""Qwen3-TTS (qwen-tts) by Alibaba. Apache-2.0; runs in an environment of its own.

It brings PyTorch, which never enters the server's environment (`engine_python` under `tts:`). In
this process a clause is whole before any of it is heard; a server with OpenAI's interface that
runs the same model (the engine `openai`) may stream.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from contextlib import aclosing
from functools import partial

from inzwa_rtc.engines.contracts import Ability, SpeechChunk, SpeechRequest, Voice
from inzwa_rtc.engines.hardware import described, model_on
from inzwa_rtc.engines.tts.apart.contents import fingerprint
from inzwa_rtc.engines.tts.apart.loading import loaded
from inzwa_rtc.engines.tts.apart.mouth import Mouth, Samples, Wanted
from inzwa_rtc.engines.tts.apart.offline import stay_offline
from inzwa_rtc.engines.tts.apart.torch_device import device_for
from inzwa_rtc.engines.tts.apart.voices import (
    choose,
    recorded_voices,
    unknown_language,
    with_default,
)
from inzwa_rtc.engines.tts.qwen3.options import Qwen3Options
from inzwa_rtc.language import base_language

stay_offline()

from inzwa_rtc.engines.tts.qwen3.model import Qwen3Model  # noqa: E402 - reads the settings above

_NAME = "This Qwen3-TTS model"


class Qwen3:
    """Speaks with a Qwen3-TTS model of the operator's, one clause at a time."""

    Options = Qwen3Options
    abilities: tuple[Ability, ...] = ("clones voices",)

    def __init__(self, options: Qwen3Options) -> None:
        """Load the model, and clone the recorded voices. Raises `EngineUnavailable` when a file
        is lacking or broken, or the device asked for is not there."""
        self._clause_chars = options.clause_chars
        device = device_for(options)
        place = model_on(device, options.model, options.cpu_model)
        self._model = loaded(
            place,
            "Qwen3-TTS",
            partial(Qwen3Model, place, device.name, options),
            "Check that its files are whole: fetch them again.",
        )
        self._voices = with_default(self._model.voices, options.voice, _NAME)
        self.abilities = self._model.abilities
        apart_from_sound = {"model", "cpu_model", "voice", "voices", "device", "threads"}
        self._fingerprint = fingerprint(
            self._model.files,
            options.model_dump(exclude=apart_from_sound),
            recorded_voices(options.voices),
        )
        self.details = {
            **described(device, place, options.model),
            "kind": self._model.kind,
            "compute": self._model.precision,
            "threads": str(options.threads or "all"),
            "languages": ", ".join(self._model.languages),
        }
        self._mouth = Mouth()

    @property
    def sample_rate(self) -> int:
        """The model's, 24,000 Hz."""
        return self._model.sample_rate

    @property
    def voices(self) -> list[Voice]:
        """All voices, the default one first."""
        return self._voices

    @property
    def fingerprint(self) -> str:
        """Of the model's files, the recordings, and what shapes the sound."""
        return self._fingerprint

    def close(self) -> None:
        """End the speech under way between two layers of the model, then free it."""
        self._mouth.close()
        self._model.close()

    async def synthesize(self, request: SpeechRequest) -> AsyncGenerator[SpeechChunk, None]:
        """Yield audio clause by clause.

        Raises `EngineError` for an unknown voice (`unknown_voice`) and for a language that the
        model does not speak (`unknown_language`).
        """
        voice = choose(self._voices, request, _NAME)
        language = base_language(request.language)
        if language not in self._model.languages:
            raise unknown_language(self._model.languages, _NAME)
        speech = self._mouth.speak(
            request.text,
            partial(self._clause, voice.id, language),
            self.sample_rate,
            limit=self._clause_chars,
            tempo=request.speed,
        )
        async with aclosing(speech) as chunks:
            async for chunk in chunks:
                yield chunk

    def _clause(
        self, voice: str, language: str, text: str, is_wanted: Wanted
    ) -> Generator[Samples, None, None]:
        with self._model.interruption.watching(is_wanted):
            sound = self._model.say(text, voice, language)
        yield sound
