"""Who calls, and what each of them has chosen."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, get_args

VoiceMode = Literal["disabled", "transcribe_only", "tts_only", "conversation"]
"""What a user may do: nothing by voice; be written down; be read to; both, and be answered."""

VOICE_MODES: tuple[VoiceMode, ...] = get_args(VoiceMode)

SpeechFormat = Literal["opus", "mp3", "wav"]


@dataclass(frozen=True, slots=True)
class UserSettings:
    """What a user has chosen. None: whatever the server's own is."""

    voice_mode: VoiceMode = "conversation"
    tts_voice: str | None = None
    tts_speed: float = 1.0
    tts_format: SpeechFormat = "opus"
    auto_play: bool = True
    stt_language: str | None = None


@dataclass(frozen=True, slots=True)
class User:
    """Somebody whom the operator's application knows. `id` is the application's own name for
    them; `is_disabled` where an administrator has taken voice from them, whatever they choose."""

    id: str
    created_at: datetime
    is_disabled: bool = False
    settings: UserSettings = field(default_factory=UserSettings)
