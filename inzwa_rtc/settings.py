"""All settings: defaults, then profiles, a YAML file, the environment; the last one wins.

`load()` returns validated `Settings` and where each value came from. Every
setting `some_name` is `INZWA_SOME_NAME` in the environment; members of a group
such as `turn:` are `INZWA_TURN__SILENCE_MS`. `Settings(...)` itself reads nothing:
it holds what it is given and the defaults. docs/configuration.md explains each one.
"""

from __future__ import annotations

import difflib
import ipaddress
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator

from inzwa_rtc.errors import ConfigError
from inzwa_rtc.prices import Prices
from inzwa_rtc.settings_group import Group
from inzwa_rtc.settings_sources import find_file, read_environment, read_yaml
from inzwa_rtc.settings_speech import PhraseCacheSettings, SpeechSettings

Origin = Literal["default", "profile", "file", "environment", "command line"]
NoiseSuppression = Literal["off", "webrtc", "rnnoise"]

PROFILES: Mapping[str, Mapping[str, Any]] = {
    # What changes by itself with `environment: production`; all of it can be set otherwise.
    "production": {"log_json": True, "tts_max_concurrent": 8},
}


class TurnSettings(Group):
    """When the caller's turn starts and ends; probabilities are the voice detector's.

    From `maybe_ms` on the reply is paused. Recognised words cut it, or `interrupt_ms` of voice:
    more than an "mm-hm", which takes 300 to 450 ms. As the caller hears silence already, a late
    cut costs them nothing.
    """

    threshold: Annotated[float, Field(gt=0, lt=1)] = 0.5
    release_threshold: Annotated[float, Field(gt=0, lt=1)] = 0.35
    maybe_ms: Annotated[int, Field(ge=20, le=500)] = 60
    start_ms: Annotated[int, Field(ge=40, le=1000)] = 200
    interrupt_ms: Annotated[int, Field(ge=40, le=5000)] = 500
    stop_ms: Annotated[int, Field(ge=40, le=2000)] = 120
    silence_ms: Annotated[int, Field(ge=100, le=5000)] = 500
    preroll_ms: Annotated[int, Field(ge=0, le=1000)] = 300
    max_utterance_ms: Annotated[int, Field(ge=1000, le=120_000)] = 12_000


class TimeoutSettings(Group):
    """How long each stage of a turn may take, in seconds, before the caller is told."""

    recognition: Annotated[float, Field(gt=0, le=60)] = 5.0
    first_token: Annotated[float, Field(gt=0, le=120)] = 8.0
    next_token: Annotated[float, Field(gt=0, le=60)] = 5.0
    first_audio: Annotated[float, Field(gt=0, le=60)] = 5.0
    next_audio: Annotated[float, Field(gt=0, le=60)] = 3.0
    engine_start: Annotated[float, Field(gt=0, le=600)] = 60.0
    call_setup: Annotated[float, Field(gt=0, le=60)] = 10.0
    drain: Annotated[float, Field(ge=0, le=3600)] = 10.0


class CallSettings(Group):
    """The course of a call. Empty texts are not spoken; None takes the language's own."""

    greeting: str | None = None
    idle_prompt_s: Annotated[float, Field(ge=0, le=3600)] = 30.0
    idle_prompts: Annotated[int, Field(ge=0, le=20)] = 2
    idle_limit_s: Annotated[float, Field(gt=0)] = 600.0
    max_length_s: Annotated[float, Field(gt=0)] = 3600.0
    history_messages: Annotated[int, Field(ge=2, le=1000)] = 40
    system_prompt: str | None = None


class LimitSettings(Group):
    """Bounds on what a client may send, in bytes unless the name says otherwise."""

    offer: Annotated[int, Field(ge=1024)] = 64 * 1024
    candidates: Annotated[int, Field(ge=1)] = 32
    media_sections: Annotated[int, Field(ge=1)] = 4
    json_body: Annotated[int, Field(ge=1024)] = 256 * 1024
    frame: Annotated[int, Field(ge=1024)] = 64 * 1024
    text_chars: Annotated[int, Field(ge=1)] = 5_000
    waiting_audio_s: Annotated[float, Field(gt=0)] = 10.0


class LoadSettings(Group):
    """From which load of the machine on something is left undone, in percent of its processors
    (their mean over `average_s` seconds) and of its memory."""

    read_ahead_cpu_percent: Annotated[float, Field(gt=0, le=100)] = 70.0
    cpu_percent: Annotated[float, Field(gt=0, le=100)] = 80.0
    memory_percent: Annotated[float, Field(gt=0, le=100)] = 85.0
    least_tokens: Annotated[int, Field(ge=1)] = 50
    average_s: Annotated[int, Field(ge=1, le=600)] = 20


class Settings(Group):
    """The operator's configuration of one server."""

    environment: Literal["development", "staging", "production"] = "development"
    profile: str | None = None
    voice_enabled: bool = True
    host: Annotated[str, Field(min_length=1)] = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8080
    allowed_origins: tuple[str, ...] = ()
    admin_key: Annotated[SecretStr, Field(min_length=16)] | None = None
    max_concurrent_sessions: Annotated[int, Field(ge=1)] = 50
    log_json: bool = False

    enable_webrtc: bool = True
    public_address: str | None = None
    udp_ports: str | None = None
    audio_out_codec: Literal["opus", "pcm16"] = "opus"
    opus_bitrate: Annotated[int, Field(ge=24_000, le=32_000)] = 28_000

    asr_engine: str | tuple[str, ...] = "pocketsphinx"
    asr_model: str | None = None
    asr_device: str = "auto"
    asr_language: str | None = "en"
    asr_task: Literal["transcribe", "translate"] = "transcribe"
    asr: dict[str, Any] = Field(default_factory=dict)

    llm_engine: str | tuple[str, ...] = "scripted"
    llm_model: str | None = None
    llm_device: str = "auto"
    llm_max_tokens: Annotated[int, Field(ge=1)] = 256
    llm_adapter: str | None = None
    llm: dict[str, Any] = Field(default_factory=dict)

    tts_engine: str | tuple[str, ...] = "espeak"
    tts_model: str | None = None
    tts_device: str = "auto"
    tts_voice: str | None = None
    tts_loudness_lufs: Annotated[float, Field(ge=-36, le=-12)] | None = -20.0
    phrase_cache: PhraseCacheSettings = PhraseCacheSettings()
    tts_max_concurrent: Annotated[int, Field(ge=1, le=64)] = 4
    tts: dict[str, Any] = Field(default_factory=dict)
    speech: SpeechSettings = SpeechSettings()
    prices: Prices = Field(default_factory=dict)

    models_dir: Path | None = None
    language: str = "en"
    noise_suppression: NoiseSuppression = "off"
    turn: TurnSettings = TurnSettings()
    call: CallSettings = CallSettings()
    timeouts: TimeoutSettings = TimeoutSettings()
    limits: LimitSettings = LimitSettings()
    load: LoadSettings = LoadSettings()

    @field_validator("noise_suppression", mode="before")
    @classmethod
    def _off_is_a_word(cls, value: object) -> object:
        return "off" if value is False else value  # YAML reads `off` as a switch

    @field_validator("asr_engine", "llm_engine", "tts_engine")
    @classmethod
    def _are_engines(cls, value: str | tuple[str, ...]) -> str | tuple[str, ...]:
        names = (value,) if isinstance(value, str) else value
        if not names or len(set(names)) != len(names) or "" in names:
            raise ValueError("must name an engine, or several different ones in order")
        return value

    @field_validator("asr_device", "llm_device", "tts_device")
    @classmethod
    def _is_device(cls, value: str) -> str:
        if not re.fullmatch(r"auto|cpu|cuda(:\d+)?", value, re.ASCII):
            raise ValueError("must be auto, cpu, cuda or a numbered one such as cuda:1")
        return value

    @field_validator("allowed_origins")
    @classmethod
    def _are_origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for origin in value:
            if not re.fullmatch(r"https?://[^/?#@\s]+", origin):
                raise ValueError(
                    "each must be scheme, host and port only, such as https://calls.example.org"
                )
        return value

    @field_validator("public_address")
    @classmethod
    def _is_address(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                ipaddress.ip_address(value)
            except ValueError:
                raise ValueError("must be an IP address, such as 203.0.113.7") from None
        return value

    @field_validator("udp_ports")
    @classmethod
    def _is_range(cls, value: str | None) -> str | None:
        if value is not None:
            parse_udp_ports(value)
        return value

    @property
    def webrtc_offered(self) -> bool:
        """Whether calls over WebRTC are taken: they always carry Opus."""
        return self.enable_webrtc and self.audio_out_codec == "opus"


def parse_udp_ports(value: str) -> range:
    """Ports of a range such as `50000-50199`, both ends included."""
    low, _, high = value.partition("-")
    if not (low.isascii() and low.isdigit() and high.isascii() and high.isdigit()):
        raise ValueError("must look like 50000-50199")
    ports = range(int(low), int(high) + 1)
    if not ports or ports.start < 1024 or ports.stop > 65536:
        raise ValueError("must be an ascending range within 1024-65535")
    return ports


@dataclass(frozen=True, slots=True)
class Loaded:
    """Validated settings, and for each set name (`turn.silence_ms`) where it came from."""

    settings: Settings
    origins: Mapping[str, Origin]
    file: Path | None


def load(path: Path | None = None, overrides: Mapping[str, Any] | None = None) -> Loaded:
    """Read the settings: defaults, profiles, file, environment, then `overrides` (the command
    line). The profiles are that of `environment`, and the one that `profile` names.

    `path` is the file to read; without it `INZWA_CONFIG`, then `CONFIG_PATH`,
    then `inzwa.yaml` if there is one. Raises `ConfigError`, naming each
    wrong setting and where it was given.
    """
    file = find_file(path, os.environ)
    layers: list[tuple[Origin, Mapping[str, Any]]] = [
        ("file", read_yaml(file) if file else {}),
        ("environment", read_environment(os.environ, Settings().model_dump())),
        ("command line", overrides or {}),
    ]
    merged: dict[str, Any] = {}
    origins: dict[str, Origin] = {}
    layers[:0] = [("profile", profile) for profile in _profiles([layer for _, layer in layers])]
    for origin, layer in layers:
        _merge(merged, layer)
        origins.update(dict.fromkeys((name for name, _ in flatten(layer)), origin))
    try:
        settings = Settings.model_validate(merged)
    except ValidationError as error:
        raise ConfigError(
            "; ".join(_describe(item, origins) for item in error.errors(include_url=False)) + ".",
            action="Correct each one; docs/configuration.md explains every setting.",
        ) from None
    return Loaded(settings, origins, file)


def _profiles(layers: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """The settings of the profiles that these layers choose; the last one that names one wins."""
    given = {name: value for layer in layers for name, value in layer.items()}
    yield PROFILES.get(str(given.get("environment")), {})
    name = given.get("profile")
    if isinstance(name, str):  # anything else is refused with the other settings
        # Imported late: only a profile needs the catalogue.
        from inzwa_rtc.catalogue.resolve import profile

        yield profile(name)


def flatten(group: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every setting of nested groups by its full name, such as `turn.silence_ms`."""
    for name, value in group.items():
        if isinstance(value, Mapping) and value:
            yield from flatten(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _merge(into: dict[str, Any], layer: Mapping[str, Any]) -> None:
    for name, value in layer.items():
        if isinstance(value, Mapping):
            group = into.get(name)
            into[name] = dict(group) if isinstance(group, dict) else {}
            _merge(into[name], value)
        else:
            into[name] = value


def _describe(item: Any, origins: Mapping[str, Origin]) -> str:
    name = ".".join(str(part) for part in item["loc"])
    origin = _origin(name, origins)
    if item["type"] == "extra_forbidden":
        known = [known for known, _ in flatten(Settings().model_dump())]
        close = difflib.get_close_matches(name, known, n=1)
        return f"`{name}` ({origin}) is not a setting" + (f"; `{close[0]}` is" if close else "")
    return f"`{name}` ({origin}): {item['msg'].removeprefix('Value error, ')}"


def _origin(name: str, origins: Mapping[str, Origin]) -> Origin:
    """Where `name` was given, by itself, within a list, or as a member of a group."""
    while name not in origins:
        members = [origin for full, origin in origins.items() if full.startswith(f"{name}.")]
        if members:
            return members[-1]
        name, _, _ = name.rpartition(".")
        if not name:
            return "default"
    return origins[name]
