"""All settings: defaults, then a YAML file, then the environment; the last one wins.

`load()` returns validated `Settings` and where each value came from. Every
setting `some_name` is `INZWA_SOME_NAME` in the environment; members of a group
such as `turn:` are `INZWA_TURN__SILENCE_MS`.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, EnvSettingsSource, SettingsConfigDict

from inzwa_rtc.errors import ConfigError

CONFIG_FILE = "inzwa.yaml"
MAX_CONFIG_BYTES = 256 * 1024

Origin = Literal["default", "file", "environment", "command line"]


class _Group(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TurnSettings(_Group):
    """When the caller's turn starts and ends; probabilities are the voice detector's."""

    threshold: Annotated[float, Field(gt=0, lt=1)] = 0.5
    release_threshold: Annotated[float, Field(gt=0, lt=1)] = 0.35
    maybe_ms: Annotated[int, Field(ge=20, le=500)] = 60
    start_ms: Annotated[int, Field(ge=40, le=1000)] = 200
    stop_ms: Annotated[int, Field(ge=40, le=2000)] = 120
    silence_ms: Annotated[int, Field(ge=100, le=5000)] = 500
    preroll_ms: Annotated[int, Field(ge=0, le=1000)] = 300
    max_utterance_ms: Annotated[int, Field(ge=1000, le=120_000)] = 12_000


class TimeoutSettings(_Group):
    """How long each stage of a turn may take, in seconds, before the caller is told."""

    recognition: Annotated[float, Field(gt=0, le=60)] = 5.0
    first_token: Annotated[float, Field(gt=0, le=120)] = 8.0
    next_token: Annotated[float, Field(gt=0, le=60)] = 5.0
    first_audio: Annotated[float, Field(gt=0, le=60)] = 5.0
    next_audio: Annotated[float, Field(gt=0, le=60)] = 3.0
    engine_start: Annotated[float, Field(gt=0, le=600)] = 60.0
    call_setup: Annotated[float, Field(gt=0, le=60)] = 10.0
    drain: Annotated[float, Field(ge=0, le=3600)] = 10.0


class CallSettings(_Group):
    """The course of a call. Empty texts are not spoken; None takes the language's own."""

    greeting: str | None = None
    idle_prompt_s: Annotated[float, Field(ge=0, le=3600)] = 30.0
    idle_prompts: Annotated[int, Field(ge=0, le=20)] = 2
    idle_limit_s: Annotated[float, Field(gt=0)] = 600.0
    max_length_s: Annotated[float, Field(gt=0)] = 3600.0
    history_messages: Annotated[int, Field(ge=2, le=1000)] = 40
    system_prompt: str | None = None


class LimitSettings(_Group):
    """Bounds on what a client may send, in bytes unless the name says otherwise."""

    offer: int = 64 * 1024
    candidates: int = 32
    media_sections: int = 4
    json_body: int = 256 * 1024
    frame: int = 64 * 1024
    text_chars: int = 5_000
    waiting_audio_s: float = 10.0


class Settings(BaseSettings):
    """The operator's configuration of one server."""

    model_config = SettingsConfigDict(
        env_prefix="INZWA_", env_nested_delimiter="__", extra="forbid", frozen=True
    )

    environment: Literal["development", "staging", "production"] = "development"
    voice_enabled: bool = True
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8080
    allowed_origins: tuple[str, ...] = ()
    max_concurrent_sessions: Annotated[int, Field(ge=1)] = 50
    log_json: bool | None = None

    enable_webrtc: bool = True
    public_address: str | None = None
    udp_ports: str | None = None
    audio_out_codec: Literal["opus", "pcm16"] = "opus"
    opus_bitrate: Annotated[int, Field(ge=24_000, le=32_000)] = 28_000

    asr_engine: str = "pocketsphinx"
    asr_model: str | None = None
    asr_device: str = "auto"
    asr_language: str | None = "en"
    asr: dict[str, Any] = {}

    llm_engine: str = "scripted"
    llm_model: str | None = None
    llm_device: str = "auto"
    llm_max_tokens: Annotated[int, Field(ge=1)] = 256
    llm: dict[str, Any] = {}

    tts_engine: str = "espeak"
    tts_model: str | None = None
    tts_device: str = "auto"
    tts_voice: str | None = None
    tts_max_concurrent: Annotated[int, Field(ge=1, le=64)] = 4
    tts: dict[str, Any] = {}

    language: str = "en"
    turn: TurnSettings = TurnSettings()
    call: CallSettings = CallSettings()
    timeouts: TimeoutSettings = TimeoutSettings()
    limits: LimitSettings = LimitSettings()

    @field_validator("public_address")
    @classmethod
    def _is_address(cls, value: str | None) -> str | None:
        if value is not None:
            ipaddress.ip_address(value)
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
    """Read the settings: defaults, file, environment, then `overrides` (the command line).

    `path` is the file to read; without it `INZWA_CONFIG`, then `CONFIG_PATH`,
    then `inzwa.yaml` if there is one. Raises `ConfigError`, naming each
    wrong setting and where it was given.
    """
    file = _config_file(path)
    layers: list[tuple[Origin, dict[str, Any]]] = [
        ("file", _read_yaml(file) if file else {}),
        ("environment", _read_environment()),
        ("command line", dict(overrides or {})),
    ]
    merged: dict[str, Any] = {}
    origins: dict[str, Origin] = {}
    for origin, layer in layers:
        _merge(merged, layer)
        origins.update(dict.fromkeys(_names(layer), origin))
    try:
        # model_validate reads only what it is given: the sources were read above.
        settings = Settings.model_validate(merged)
    except ValidationError as error:
        raise ConfigError(
            "; ".join(_describe(item, origins) for item in error.errors(include_url=False)),
            action="Run `inzwa-rtc config show` to see every setting and where it comes from.",
        ) from None
    return Loaded(settings, origins, file)


def _config_file(path: Path | None) -> Path | None:
    named = path or os.environ.get("INZWA_CONFIG") or os.environ.get("CONFIG_PATH")
    if named:
        file = Path(named)
        if not file.is_file():
            raise ConfigError(
                f"The configuration file {file} does not exist.",
                action="Correct --config or INZWA_CONFIG, or create the file.",
            )
        return file
    file = Path(CONFIG_FILE)
    return file if file.is_file() else None


def _read_yaml(file: Path) -> dict[str, Any]:
    if file.stat().st_size > MAX_CONFIG_BYTES:
        raise ConfigError(f"{file} is larger than {MAX_CONFIG_BYTES} bytes.")
    text = file.read_text(encoding="utf-8")
    try:
        # Aliases can make a small file expand without bound, and no setting needs one.
        if any(isinstance(token, yaml.AliasToken) for token in yaml.scan(text)):
            raise ConfigError(f"{file} uses YAML aliases.", action="Write the values out.")
        data = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"{file} is not valid YAML: {error}") from None
    if data is None:
        return {}
    if not isinstance(data, dict) or not all(isinstance(key, str) for key in data):
        raise ConfigError(f"{file} must hold `name: value` lines.")
    return data


def _read_environment() -> dict[str, Any]:
    known = {f"INZWA_{name.upper()}" for name in Settings.model_fields}
    for variable in os.environ:
        head = variable.split("__")[0].upper()
        if variable.startswith("INZWA_") and variable != "INZWA_CONFIG" and head not in known:
            raise ConfigError(
                f"{variable} is not a setting.",
                action="Correct or unset it; `inzwa-rtc config show` lists all names.",
            )
    return dict(EnvSettingsSource(Settings)())


def _merge(into: dict[str, Any], layer: Mapping[str, Any]) -> None:
    for name, value in layer.items():
        if isinstance(value, Mapping) and isinstance(into.get(name), dict):
            _merge(into[name], value)
        else:
            into[name] = dict(value) if isinstance(value, Mapping) else value


def _names(layer: Mapping[str, Any], prefix: str = "") -> list[str]:
    names: list[str] = []
    for name, value in layer.items():
        full = f"{prefix}{name}"
        names += _names(value, f"{full}.") if isinstance(value, Mapping) and value else [full]
    return names


def _describe(item: Any, origins: Mapping[str, Origin]) -> str:
    name = ".".join(str(part) for part in item["loc"])
    origin = origins.get(name, "default")
    if item["type"] == "extra_forbidden":
        return f"`{name}` ({origin}) is not a setting"
    return f"`{name}` ({origin}): {item['msg']}"
