"""The folder that is tried: `acceptance.toml`, models, recordings with what is said in them.

See docs/models.md for its layout. Whatever is wrong with it is a `ConfigError`.
"""

from __future__ import annotations

import tomllib
import wave
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from inzwa_rtc.audio.resample import Resampler
from inzwa_rtc.engines import registry
from inzwa_rtc.engines.contracts import ASR_SAMPLE_RATE
from inzwa_rtc.engines.launch import Launch
from inzwa_rtc.errors import ConfigError

FILE = "acceptance.toml"
QUESTIONS = "questions.txt"
_GUIDE = "docs/models.md says what a folder holds."


class _Entry(BaseModel):
    """One `[[model]]` of the file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["asr", "llm"]
    engine: str
    name: str = ""
    language: str = "en"
    material: Path | None = None
    options: dict[str, Any] = Field(default_factory=dict)


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    model: Annotated[tuple[_Entry, ...], Field(min_length=1)]


@dataclass(frozen=True, slots=True)
class Recording:
    """int16 LE mono 16 kHz, and what is said in it."""

    name: str
    pcm: bytes
    text: str

    @property
    def seconds(self) -> float:
        """How long it is."""
        return len(self.pcm) / (2 * ASR_SAMPLE_RATE)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A model to be tried: what is launched, and with what it is tried."""

    name: str
    language: str
    launch: Launch
    recordings: tuple[Recording, ...] = ()
    questions: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        """`asr` or `llm`."""
        return self.launch.spec.kind


def read(folder: Path) -> tuple[Candidate, ...]:
    """What is to be tried. Raises `ConfigError`, naming the file and what to do."""
    file = folder / FILE
    if not file.is_file():
        raise ConfigError(
            f"There is no {FILE} in {folder}.",
            action=f"Name a folder with one: make acceptance MODELS=DIR. {_GUIDE}",
        )
    try:
        entries = _File.model_validate(tomllib.loads(file.read_text(encoding="utf-8"))).model
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file} is no TOML: {error}.", action=f"Correct it. {_GUIDE}") from None
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors()
        )
        raise ConfigError(f"{file}: {wrong}.", action=f"Correct it. {_GUIDE}") from None
    return tuple(_candidate(folder, entry) for entry in entries)


def _candidate(folder: Path, entry: _Entry) -> Candidate:
    options = _placed(folder, entry.options)
    python = options.pop("engine_python", None)
    launch = Launch(spec=registry.find(entry.kind, entry.engine), options=options, python=python)
    named = Path(str(entry.options.get("model", ""))).name
    name = entry.name or f"{entry.engine} {named}".strip()
    if entry.kind == "asr":
        material = folder / (entry.material or "recordings")
        return Candidate(name, entry.language, launch, recordings=_recordings(material))
    material = folder / (entry.material or QUESTIONS)
    return Candidate(name, entry.language, launch, questions=_questions(material))


def _placed(folder: Path, options: Mapping[str, Any]) -> dict[str, Any]:
    """The options, paths within the folder spelt out."""

    def placed(value: Any) -> Any:
        if isinstance(value, Mapping):
            return {name: placed(one) for name, one in value.items()}
        if isinstance(value, str) and value and (folder / value).exists():
            # Links are not followed: the Python of an environment is one.
            return str((folder / value).absolute())
        return value

    return {name: placed(value) for name, value in options.items()}


def _recordings(folder: Path) -> tuple[Recording, ...]:
    files = sorted(folder.glob("*.wav"))
    if not files:
        raise ConfigError(
            f"There are no recordings (*.wav) in {folder}.",
            action="Put some there, and beside each a .txt of the same name with what is said.",
        )
    return tuple(Recording(file.stem, _pcm(file), _said(file)) for file in files)


def _said(recording: Path) -> str:
    file = recording.with_suffix(".txt")
    text = file.read_text(encoding="utf-8").strip() if file.is_file() else ""
    if not any(letter.isalnum() for letter in text):
        raise ConfigError(
            f"What is said in {recording} is not written beside it.",
            action=f"Write it into {file.name}, in UTF-8.",
        )
    return text


def _pcm(file: Path) -> bytes:
    try:
        with wave.open(str(file)) as recording:
            form = (recording.getnchannels(), recording.getsampwidth())
            if form == (1, 2):
                resampler = Resampler(recording.getframerate(), ASR_SAMPLE_RATE)
                pcm = resampler.feed(recording.readframes(recording.getnframes()))
                return pcm + resampler.flush()
            reason = f"it has {form[0]} channels of {8 * form[1]} bits"
    except (wave.Error, EOFError) as error:
        reason = str(error) or "it is cut off"
    raise ConfigError(
        f"{file} is no recording that can be used: {reason}.",
        action=f"Convert it to one channel of 16 bits: "
        f"ffmpeg -i {file.name} -ac 1 -ar 16000 -c:a pcm_s16le new.wav",
    )


def _questions(file: Path) -> tuple[str, ...]:
    lines = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
    questions = tuple(line.strip() for line in lines if line.strip())
    if not questions:
        raise ConfigError(
            f"There are no questions in {file}.", action="Write one on each line, in UTF-8."
        )
    return questions
