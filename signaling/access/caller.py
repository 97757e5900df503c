"""Who asks for something, and what their voice mode lets them do."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from inzwa_rtc.errors import PeerError
from inzwa_rtc.users import UserSettings, VoiceMode
from signaling.dialects.native import SessionOptions

Ability = Literal["speak", "transcribe", "reply"]
"""To be read to; to be written down; to be answered by the language model."""

_ABILITIES: dict[VoiceMode, frozenset[Ability]] = {
    "disabled": frozenset(),
    "transcribe_only": frozenset({"transcribe"}),
    "tts_only": frozenset({"speak", "reply"}),
    "conversation": frozenset({"speak", "transcribe", "reply"}),
}


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever sent a request, as far as it is known.

    `user` is the application's name for the person, None where nobody is named; `key_id` is the
    API key's, None without one. `call_id` is the call that is asked about; who `has_call_token`
    has that call's token, and no more. `settings`
    are the user's, those of anybody without a user; the `voice_mode` of somebody from whom an
    administrator has taken voice is `disabled`. Who came with a `start_token` has the `session`
    for which it was made.
    """

    user: str | None = None
    scopes: frozenset[str] = frozenset()
    key_id: str | None = None
    call_id: str | None = None
    has_call_token: bool = False
    settings: UserSettings = field(default_factory=UserSettings)
    session: SessionOptions = field(default_factory=SessionOptions)
    start_token: str | None = field(default=None, repr=False)

    @property
    def bound(self) -> dict[str, Any]:
        """What a start token has settled for the call."""
        return self.session.model_dump(exclude_none=True)

    def chosen(self, options: SessionOptions) -> SessionOptions:
        """What holds for the call: these options, where a start token has not settled them."""
        return options.model_copy(update=self.bound)


def may(caller: Caller, ability: Ability) -> bool:
    """Whether the caller's voice mode lets them."""
    return ability in _ABILITIES[caller.settings.voice_mode]


def check_may(caller: Caller, ability: Ability) -> None:
    """Raises `PeerError` (403) where the caller's voice mode does not let them."""
    mode = caller.settings.voice_mode
    if mode == "disabled":
        raise voice_disabled_for_user()
    if not may(caller, ability):
        raise PeerError(
            f"This user's voice mode is `{mode}`.",
            action="Choose another voice mode in the user's settings.",
            code="not_in_voice_mode",
            status=403,
        )


def check_may_call(caller: Caller) -> None:
    """Raises `PeerError` (403) for a caller who may do nothing at all by voice."""
    if caller.settings.voice_mode == "disabled":
        raise voice_disabled_for_user()


def voice_disabled_for_user() -> PeerError:
    """Why somebody may do nothing by voice."""
    return PeerError(
        "Voice is switched off for this user.",
        action="An administrator can switch it on, or the user in their settings.",
        code="voice_disabled_for_user",
        status=403,
    )
