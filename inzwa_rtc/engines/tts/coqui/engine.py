"""Coqui TTS (coqui-tts): VITS and XTTS models. MPL-2.0; runs in an environment of its own.

It brings PyTorch, which never enters the server's environment (`engine_python` under `tts:`).
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from inzwa_rtc.engines.contracts import Ability, SpeechChunk, SpeechRequest, Voice
from inzwa_rtc.engines.hardware import described, model_on
from inzwa_rtc.engines.tts.apart.contents import fingerprint
from inzwa_rtc.engines.tts.apart.loading import loaded
from inzwa_rtc.engines.tts.apart.mouth import Mouth
from inzwa_rtc.engines.tts.apart.offline import stay_offline
from inzwa_rtc.engines.tts.apart.torch_device import device_for
from inzwa_rtc.engines.tts.apart.voices import (
    choose,
    recorded_voices,
    unknown_language,
    with_default,
)
from inzwa_rtc.engines.tts.coqui.files import coqui_files
from inzwa_rtc.engines.tts.coqui.options import CoquiOptions
from inzwa_rtc.errors import EngineError, EngineUnavailable

stay_offline()

from inzwa_rtc.engines.tts.coqui.vits import VitsModel  # noqa: E402 - reads the settings above
from inzwa_rtc.engines.tts.coqui.xtts import XttsModel  # noqa: E402

_NAME = "This Coqui model"


class Coqui:
    """Speaks with a VITS or XTTS model of the operator's, one clause at a time."""

    Options = CoquiOptions
    abilities: tuple[Ability, ...] = ("streams", "clones voices")

    def __init__(self, options: CoquiOptions) -> None:
        """Load the model, and clone the recorded voices. Raises `EngineUnavailable` when a file
        is lacking or broken, or the device asked for is not there."""
        device = device_for(options)
        place = model_on(device, options.model, options.cpu_model)
        files = coqui_files(place)
        if files.kind == "vits" and options.voices is not None:
            raise EngineUnavailable(
                "A VITS model does not clone voices.",
                action="Unset `tts.voices`, or use an XTTS model.",
            )
        made: type[VitsModel | XttsModel] = VitsModel if files.kind == "vits" else XttsModel
        self._model = loaded(
            place,
            "Coqui",
            lambda: made(files, device.name, options),
            "Check that its files are whole and belong together; a model with phonemes also "
            "needs espeak-ng on this machine.",
        )
        self._voices = with_default(self._model.voices, options.voice, _NAME)
        self._clause_chars = options.clause_chars
        self.abilities = self._model.abilities
        if self._model.max_chars is not None:
            self.max_chars = self._model.max_chars
        shaping = options.model_dump(include={"seed", "temperature", "clause_chars"})
        self._fingerprint = fingerprint(files.all(), shaping, recorded_voices(options.voices))
        self.details = {
            **described(device, place, options.model),
            "kind": files.kind,
            "compute": "float32",
            "threads": str(options.threads or "all"),
            "languages": ", ".join(self._model.languages) or "the model's own",
        }
        self._mouth = Mouth()

    @property
    def sample_rate(self) -> int:
        """The model's: 24,000 Hz of XTTS, mostly 22,050 Hz of VITS."""
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
        """Yield audio as it is made: by XTTS within a clause, by VITS clause by clause.

        Raises `EngineError` for an unknown voice (`unknown_voice`), for a language that the
        model does not speak (`unknown_language`), for XTTS also for a text that is longer than
        `max_chars` (`text_too_long`).
        """
        model = self._model
        voice = choose(self._voices, request, _NAME)
        if not model.speaks(request.language):
            raise unknown_language(model.languages, _NAME)
        if model.max_chars is not None and len(request.text) > model.max_chars:
            raise EngineError(
                f"XTTS takes {model.max_chars} characters at once, and this text is longer.",
                action="Ask for it sentence by sentence.",
                code="text_too_long",
            )
        limit = min(self._clause_chars, model.limit(request.language) or self._clause_chars)
        utter = model.utterer(voice.id, request.language, request.speed)
        speech = self._mouth.speak(request.text, utter, self.sample_rate, limit=limit)
        async with aclosing(speech) as chunks:
            async for chunk in chunks:
                yield chunk
