"""All settings of one server, checked. docs/configuration.md explains each one."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, ValidationInfo, field_validator

from inzwa_rtc.prices import Prices
from inzwa_rtc.settings.access import AccessSettings
from inzwa_rtc.settings.group import Group
from inzwa_rtc.settings.groups import (
    CallSettings,
    LimitSettings,
    LoadSettings,
    TimeoutSettings,
    TurnSettings,
)
from inzwa_rtc.settings.network import Address, Interface, TurnUrl, UdpPorts
from inzwa_rtc.settings.resume import ResumeSettings
from inzwa_rtc.settings.safety import SafetySettings
from inzwa_rtc.settings.speech import PhraseCacheSettings, SpeechSettings
from inzwa_rtc.settings.telemetry import TelemetrySettings
from inzwa_rtc.settings.tools import ToolSettings
from inzwa_rtc.users import VoiceMode

NoiseSuppression = Literal["off", "webrtc", "rnnoise"]


class Settings(Group):
    """The operator's configuration of one server."""

    environment: Literal["development", "staging", "production"] = "development"
    profile: str | None = None
    voice_enabled: bool = True
    host: Annotated[str, Field(min_length=1)] = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8080
    allowed_origins: tuple[str, ...] = ()
    admin_key: Annotated[SecretStr, Field(min_length=16)] | None = None
    access: AccessSettings = AccessSettings()
    data_dir: Path | None = None
    database_url: Annotated[SecretStr, Field(min_length=1)] | None = None
    hmac_key: Annotated[SecretStr, Field(min_length=16)] | None = None
    default_voice_mode: VoiceMode = "conversation"
    max_concurrent_sessions: Annotated[int, Field(ge=1)] = 50
    log_json: bool = False

    enable_webrtc: bool = True
    media_interfaces: tuple[Interface, ...] = ()
    public_address: Address | None = None
    udp_ports: UdpPorts | None = None
    turn_secret: Annotated[SecretStr, Field(min_length=16)] | None = None
    turn_urls: tuple[TurnUrl, ...] = ()
    turn_lifetime_s: Annotated[int, Field(ge=60, le=600)] = 600
    audio_out_codec: Literal["opus", "pcm16"] = "opus"
    opus_bitrate: Annotated[int, Field(ge=24_000, le=32_000)] = 28_000
    opus_bitrate_in: Annotated[int, Field(ge=12_000, le=64_000)] = 24_000

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

    safety: SafetySettings = SafetySettings()
    tools: ToolSettings = ToolSettings()

    models_dir: Path | None = None
    language: str = "en"
    noise_suppression: NoiseSuppression = "off"
    turn: TurnSettings = TurnSettings()
    call: CallSettings = CallSettings()
    resume: ResumeSettings = ResumeSettings()
    timeouts: TimeoutSettings = TimeoutSettings()
    limits: LimitSettings = LimitSettings()
    load: LoadSettings = LoadSettings()
    telemetry: TelemetrySettings = TelemetrySettings()

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

    @field_validator("database_url")
    @classmethod
    def _is_database(cls, value: SecretStr | None) -> SecretStr | None:
        kinds = r"sqlite(\+aiosqlite)?:///.|postgres(ql)?(\+asyncpg)?://."
        if value is not None and not re.match(kinds, value.get_secret_value()):
            raise ValueError("must be sqlite:///PATH or postgresql://USER:PASSWORD@HOST/DATABASE")
        return value

    @field_validator("turn_urls")
    @classmethod
    def _have_a_secret(cls, value: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        if value and info.data.get("turn_secret", value) is None:
            raise ValueError("need `turn_secret`, with which callers are let in")
        return value

    @property
    def webrtc_offered(self) -> bool:
        """Whether calls over WebRTC are taken: they always carry Opus."""
        return self.enable_webrtc and self.audio_out_codec == "opus"
