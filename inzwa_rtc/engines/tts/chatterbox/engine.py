"""Chatterbox (chatterbox-tts) by Resemble AI. MIT; runs in an environment of its own.

It brings an old PyTorch, which never enters the server's environment (`engine_python` under
`tts:`). All that it says carries an inaudible watermark (Perth).
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
from inzwa_rtc.engines.tts.chatterbox.options import ChatterboxOptions
from inzwa_rtc.engines.tts.chatterbox.takes import Judge, best_take
from inzwa_rtc.language import base_language

stay_offline()

from inzwa_rtc.engines.tts.chatterbox.model import ChatterboxModel  # noqa: E402 - as above

_NAME = "Chatterbox"


class Chatterbox:
    """Speaks in cloned voices, a clause at a time: each is whole before any of it is heard."""

    Options = ChatterboxOptions
    abilities: tuple[Ability, ...] = ("clones voices",)

    def __init__(self, options: ChatterboxOptions) -> None:
        """Load the model, clone the recorded voices and load the recogniser, if there is one to
        judge takes. Raises `EngineUnavailable` when a file is lacking or broken."""
        self._options = options
        device = device_for(options)
        place = model_on(device, options.model, options.cpu_model)
        self._model = loaded(
            place,
            "Chatterbox",
            partial(ChatterboxModel, place, device.name, options),
            "Check that its files are whole: fetch them again.",
        )
        self._voices = with_default(self._model.voices, options.voice, _NAME)
        self._judge: Judge | None = None
        if options.check is not None and options.candidates > 1:
            self._judge = Judge(options.check)
        apart_from_sound = {"model", "cpu_model", "voice", "voices", "device", "threads"}
        self._fingerprint = fingerprint(
            self._model.files,
            options.model_dump(exclude=apart_from_sound),
            recorded_voices(options.voices),
        )
        self.details = {
            **described(device, place, options.model),
            "kind": self._model.kind,
            "compute": "float32",
            "threads": str(options.threads or "all"),
            "languages": ", ".join(self._model.languages),
            "watermark": "Perth",
        }
        self._mouth = Mouth()

    @property
    def sample_rate(self) -> int:
        """24,000 Hz."""
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
        """End the take under way between two layers of the model, then free it."""
        self._mouth.close()
        if self._judge is not None:
            self._judge.close()
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
            limit=self._options.clause_chars,
            tempo=request.speed,
        )
        async with aclosing(speech) as chunks:
            async for chunk in chunks:
                yield chunk

    def _clause(
        self, voice: str, language: str, text: str, is_wanted: Wanted
    ) -> Generator[Samples, None, None]:
        options, judge = self._options, self._judge

        def take(number: int) -> Samples:
            with self._model.interruption.watching(is_wanted):
                return self._model.take(text, voice, language, options.seed + number)

        if judge is None:
            yield take(0)
            return
        yield best_take(
            take,
            lambda sound: judge.word_error(sound, self.sample_rate, text, language),
            options.candidates,
            options.good_enough,
        )
