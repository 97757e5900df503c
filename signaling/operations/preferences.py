"""What users have chosen for themselves, read and changed."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, Literal, cast

from pydantic import BaseModel, ConfigDict, Field

from inzwa_rtc.errors import PeerError
from inzwa_rtc.store import Store
from inzwa_rtc.store.users import Changes
from inzwa_rtc.users import SpeechFormat, User, UserSettings, VoiceMode
from signaling.access.caller import Caller
from signaling.operations.offering import Offering


class Chosen(BaseModel):
    """What a user has chosen. `voice_mode` is what counts: `disabled` where an administrator has
    taken voice from them. Without a `tts_voice` or a `stt_language` the server's own is used."""

    voice_mode: VoiceMode
    tts_voice: str | None
    tts_speed: float
    tts_format: SpeechFormat
    auto_play: bool
    stt_language: str | None


class Choices(BaseModel):
    """What is to be changed; what is left out stays, and null goes back to the server's own."""

    model_config = ConfigDict(strict=True, extra="forbid", hide_input_in_errors=True)

    voice_mode: VoiceMode | None = None
    tts_voice: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    tts_speed: Annotated[float, Field(ge=0.25, le=4, allow_inf_nan=False)] | None = None
    tts_format: Literal["opus", "mp3", "wav"] | None = None
    auto_play: bool | None = None
    stt_language: Annotated[str, Field(min_length=2, max_length=35)] | None = None


class Preferences:
    """Settings of users, checked against what this server offers."""

    def __init__(self, store: Store, offering: Offering) -> None:
        self._store = store
        self._offering = offering

    async def of(self, caller: Caller) -> Chosen:
        """The caller's own; on a server that is open to anybody, those of everybody without a
        name. Raises `PeerError` (401) for a key that names no user, and `Unavailable`."""
        if caller.user is None and caller.key_id is None:
            return chosen(caller.settings)
        return chosen_by(await self._store.users.get(named(caller)))

    async def change(self, caller: Caller, choices: Choices) -> Chosen:
        """Change the caller's own. Raises `PeerError` (401 where nobody is named, 400 for what
        is not offered) and `Unavailable`; nothing is changed then."""
        return chosen_by(await self.change_of(named(caller), choices))

    async def change_of(self, user_id: str, choices: Choices) -> User:
        """Change a user's. Raises `PeerError` and `Unavailable`."""
        return await self._store.users.change(user_id, **self.checked(choices))

    def checked(self, choices: Choices) -> Changes:
        """What is to be written down. Raises `PeerError` for what is not offered."""
        changes: dict[str, Any] = choices.model_dump(exclude_unset=True)
        if choices.tts_voice is not None:
            self._offering.check_voice(choices.tts_voice)
        if choices.stt_language is not None:
            changes["stt_language"] = self._offering.check_recognised(choices.stt_language)
        return cast(Changes, changes)


def named(caller: Caller) -> str:
    """Who asks. Raises `PeerError` (401)."""
    if caller.user is None:
        raise PeerError(
            "Settings belong to a user, and nobody is named.",
            action="Use a key that belongs to a user, or name them with a key that may.",
            code="user_needed",
            status=401,
        )
    return caller.user


def chosen_by(user: User) -> Chosen:
    """What counts for a user."""
    mode: VoiceMode = "disabled" if user.is_disabled else user.settings.voice_mode
    return chosen(replace(user.settings, voice_mode=mode))


def chosen(settings: UserSettings) -> Chosen:
    """As it is told."""
    return Chosen(
        voice_mode=settings.voice_mode,
        tts_voice=settings.tts_voice,
        tts_speed=settings.tts_speed,
        tts_format=settings.tts_format,
        auto_play=settings.auto_play,
        stt_language=settings.stt_language,
    )
