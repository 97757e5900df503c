"""What OpenAI's clients call models and voices, and what stands for it here."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePath

from inzwa_rtc.conversation.engines import EngineSet
from inzwa_rtc.conversation.voices import Voices
from inzwa_rtc.engines.contracts import EngineKind
from inzwa_rtc.errors import PeerError
from inzwa_rtc.language import base_language
from inzwa_rtc.settings import Settings

_THEIRS: dict[EngineKind, re.Pattern[str]] = {
    "asr": re.compile(r"whisper-|gpt-[\w.-]*transcribe"),
    "llm": re.compile(r"gpt-|chatgpt-|o\d"),
    "tts": re.compile(r"tts-|gpt-[\w.-]*tts"),
}
"""How OpenAI's own names begin. A client that was written for it goes on working."""

_GENDERS = {
    "alloy": "",
    "ash": "male",
    "ballad": "male",
    "cedar": "male",
    "coral": "female",
    "echo": "male",
    "fable": "male",
    "marin": "female",
    "nova": "female",
    "onyx": "male",
    "sage": "female",
    "shimmer": "female",
    "verse": "male",
}
"""OpenAI's voices, as they sound."""


@dataclass(frozen=True, slots=True)
class ModelName:
    """A model that can be named in requests; `owner` is the engine that has it."""

    id: str
    kind: EngineKind
    owner: str


def models(settings: Settings) -> list[ModelName]:
    """All that can be named: of each kind the configured model, and the engines."""
    found: dict[str, ModelName] = {}
    configured: tuple[tuple[EngineKind, str | tuple[str, ...], str | None], ...] = (
        ("asr", settings.asr_engine, settings.asr_model),
        ("llm", settings.llm_engine, settings.llm_model),
        ("tts", settings.tts_engine, settings.tts_model),
    )
    for kind, engine, model in configured:
        engines = (engine,) if isinstance(engine, str) else engine
        # A path is the operator's own business; its last part names the model as well.
        names = [PurePath(model).name, *engines] if model else engines
        for name in names:
            found.setdefault(name, ModelName(name, kind, engines[0]))
    return list(found.values())


def check_model(name: str, kind: EngineKind, settings: Settings) -> None:
    """Raises `PeerError` (404) for a model that is neither of this server nor of OpenAI's."""
    own = [model.id for model in models(settings) if model.kind == kind]
    if name not in own and not _THEIRS[kind].match(name):
        raise PeerError(
            "There is no such model here.",
            action=f"Name one of: {', '.join(own)}; GET /v1/models lists them.",
            code="model_not_found",
            status=404,
        )


def voice_named(name: str, language: str | None, engines: EngineSet) -> str | None:
    """The voice that stands for the one of this name: itself, if the engine has it. One of
    OpenAI's is the usual voice of the language, or where that is known to sound otherwise, the
    first one of the same gender. None leaves the choice to others."""
    voices = engines.voices
    if name in {voice.id for voice in voices.all} or name not in _GENDERS:
        return name
    usual = voices.for_text(None, language, 1.0)
    gender = _GENDERS[name]
    own = next((voice for voice in voices.all if voice.id == usual.voice), None)
    if own is None or not gender or own.gender in ("", gender):
        return None
    return _of_gender(gender, usual.language, voices)


def _of_gender(gender: str, language: str, voices: Voices) -> str | None:
    base = base_language(language)
    fitting = (
        voice.id
        for voice in voices.all
        if voice.gender == gender and base_language(voice.language) in (base, "")
    )
    return next(fitting, None)
