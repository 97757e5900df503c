"""Voices: those cloned from a folder of recordings, and the choice among an engine's own.

A cloned voice is `NAME.wav` with `NAME.toml` (or `NAME.json`) beside it:

    name = "Tariro"
    language = "sn"
    gender = "female"
    licence = "CC-BY-4.0"
    consent = "signed 2026-03-01, kept in the studio's file 17"
    source = "recorded by us"
    text = "what is said in the recording, for models that want it"

`NAME` is its id. Without a licence and the speaker's consent no voice is taken, nor is one whose
files are links.
"""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from inzwa_rtc.engines.contracts import SpeechRequest, Voice
from inzwa_rtc.engines.tts.apart.plain_file import check_plain, open_plain
from inzwa_rtc.engines.tts.apart.recording import Recording, read_recording
from inzwa_rtc.errors import EngineError, EngineUnavailable
from inzwa_rtc.language import base_language

_ID = re.compile(r"[A-Za-z0-9][\w+.-]{0,63}")
_LARGEST_DESCRIPTION = 64_000
_Told = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class Description(BaseModel):
    """What is written beside a recording."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: _Told
    licence: _Told
    """Of the recording and of what is made from it; an SPDX identifier where there is one."""
    consent: _Told
    """How the speaker agreed to being cloned, and where that is written."""
    language: str = ""
    gender: Literal["", "female", "male"] = ""
    source: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class RecordedVoice:
    """A voice to clone: how it is listed, where its recording is, and what is said there."""

    voice: Voice
    file: Path
    text: str

    def recording(self, rate: int) -> Recording:
        """Decoded and checked. Raises `EngineUnavailable`, see `read_recording`."""
        return read_recording(self.file, rate)


def recorded_voices(folder: Path | None) -> tuple[RecordedVoice, ...]:
    """The voices in the folder by id; none without a folder.

    Raises `EngineUnavailable` for a folder that is not there, has no recording, or has one
    that is not described as it must be.
    """
    if folder is None:
        return ()
    if not folder.is_dir():
        raise EngineUnavailable(
            f"There is no folder of voices {folder}.",
            action="Set `tts.voices` to a folder of WAV files with a description beside each.",
        )
    files = sorted(file for file in folder.iterdir() if file.suffix.lower() == ".wav")
    if not files:
        raise EngineUnavailable(
            f"The folder of voices {folder} has no WAV file.",
            action="Put recordings there (NAME.wav with NAME.toml), or unset `tts.voices`.",
        )
    return tuple(_described(file) for file in files)


def choose(voices: Sequence[Voice], request: SpeechRequest, engine: str) -> Voice:
    """The voice asked for, else the first one of the language, else the first one.

    Raises `EngineError` (`unknown_voice`).
    """
    if request.voice is not None:
        found = next((voice for voice in voices if voice.id == request.voice), None)
        if found is None:
            raise unknown_voice(voices, engine)
        return found
    wanted = base_language(request.language)
    speakers = [voice for voice in voices if base_language(voice.language) == wanted]
    return (speakers or voices)[0]


def with_default(voices: Sequence[Voice], default: str | None, engine: str) -> list[Voice]:
    """The voices, the default one first. Raises `EngineError` (`unknown_voice`)."""
    if default is not None and default not in {voice.id for voice in voices}:
        raise unknown_voice(voices, engine)
    return sorted(voices, key=lambda voice: voice.id != default)


def unknown_voice(voices: Sequence[Voice], engine: str) -> EngineError:
    """What is told of a voice that there is not."""
    shown = ", ".join(voice.id for voice in voices[:30])
    more = f" and {len(voices) - 30} more" if len(voices) > 30 else ""
    return EngineError(
        f"{engine} has no voice of that name.",
        action=f"Choose one of: {shown}{more}.",
        code="unknown_voice",
    )


def unknown_language(known: Sequence[str], engine: str) -> EngineError:
    """What is told of a language that a model does not speak."""
    return EngineError(
        f"{engine} does not speak this language.",
        action=f"It speaks: {', '.join(known)}. Use another engine for others.",
        code="unknown_language",
    )


def _described(file: Path) -> RecordedVoice:
    if not _ID.fullmatch(file.stem):
        raise EngineUnavailable(
            f"The recording {file} has a name that cannot be a voice's id.",
            action="Use letters, digits, `-`, `_`, `+` and `.`, 64 at most.",
        )
    try:
        check_plain(file)
    except OSError as error:
        raise EngineUnavailable(
            f"The recording {file} cannot be read ({error.strerror}).",
            action="Put the file itself there: links are not followed.",
        ) from error
    told = _read_description(file)
    voice = Voice(file.stem, told.name, told.language, told.gender, licence=told.licence)
    return RecordedVoice(voice, file, told.text)


def _read_description(file: Path) -> Description:
    places = [file.with_suffix(suffix) for suffix in (".toml", ".json")]
    place = next((place for place in places if os.path.lexists(place)), None)
    if place is None:
        raise EngineUnavailable(
            f"The recording {file} has no description.",
            action=f"Write {places[0].name} beside it, with `name`, `licence` and `consent`.",
        )
    try:
        with open_plain(place) as opened:
            data = opened.read(_LARGEST_DESCRIPTION + 1)
        if len(data) > _LARGEST_DESCRIPTION:
            raise ValueError("it is too large")
        text = data.decode()
        told = tomllib.loads(text) if place.suffix == ".toml" else json.loads(text)
        return Description.model_validate(told)
    except ValidationError as error:
        wrong = "; ".join(
            f"`{'.'.join(map(str, item['loc']))}`: {item['msg']}"
            for item in error.errors(include_url=False, include_input=False)
        )
        raise _wrong(place, wrong) from None
    except (OSError, ValueError, RecursionError) as error:
        raise _wrong(place, f"{type(error).__name__}: {error}") from error


def _wrong(place: Path, reason: str) -> EngineUnavailable:
    return EngineUnavailable(
        f"The description {place} cannot be used: {reason}.",
        action="It takes `name`, `licence`, `consent`, `language`, `gender`, `source`, `text`.",
    )
