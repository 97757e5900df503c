"""Everything that can happen in a call that its caller is told: one dataclass each.

`turn` numbers the turns of a call from 0 (the greeting). Times in ms.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from inzwa_rtc.users import VoiceMode

EndReason = Literal[
    "caller",
    "assistant",
    "operator",
    "idle",
    "time_limit",
    "shutdown",
    "connection_lost",
    "disabled",  # voice was taken from the user
    "replaced",  # told to a connection alone: the call goes on over another one
    "error",
]

Departure = Literal["lost", "closed", "refused"]
"""Why a connection is gone: the network or the client's machine failed; the client has closed it
in order; this side did, for what the client sent."""


@dataclass(frozen=True, slots=True)
class SessionStarted:
    """The call is up; `out_sample_rate` is that of audio sent to the caller, in Hz, and
    `voice_mode` says what they may do."""

    session_id: str
    call_token: str
    out_sample_rate: int
    language: str
    voice: str | None
    speed: float
    voice_mode: VoiceMode = "conversation"


@dataclass(frozen=True, slots=True)
class SessionResumed:
    """The call goes on over this connection. What the caller has missed follows, up to the event
    numbered `newest`, all of it if `is_complete`; members as in `SessionStarted`."""

    session_id: str
    call_token: str
    out_sample_rate: int
    language: str
    voice: str | None
    speed: float
    voice_mode: VoiceMode
    is_complete: bool
    newest: int


@dataclass(frozen=True, slots=True)
class SessionUpdated:
    """The caller's settings, after a change."""

    language: str
    voice: str | None
    speed: float


@dataclass(frozen=True, slots=True)
class SessionEnded:
    """The call is over; nothing follows."""

    reason: EndReason


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """The caller has begun to speak, confirmed."""

    turn: int


@dataclass(frozen=True, slots=True)
class SpeechStopped:
    """The caller has fallen silent; the turn may still go on."""

    turn: int


@dataclass(frozen=True, slots=True)
class TranscriptWord:
    """A word of a transcript with the punctuation at it; `confidence` is 0 to 1."""

    text: str
    start_ms: int
    end_ms: int
    confidence: float


@dataclass(frozen=True, slots=True)
class Transcript:
    """What the caller said, so far (`is_final` false) or for good.

    `words` is empty where the recogniser has no times of them. `is_cut`: the utterance had
    become too long, and what the caller goes on to say is another turn's.
    """

    turn: int
    text: str
    start_ms: int
    end_ms: int
    is_final: bool
    confidence: float
    language: str
    words: tuple[TranscriptWord, ...] = ()
    is_cut: bool = False


@dataclass(frozen=True, slots=True)
class ReplyToken:
    """The next piece of the assistant's text, checked: a phrase, or a part of one. Pieces in
    order make up the whole reply."""

    turn: int
    token: str


@dataclass(frozen=True, slots=True)
class ReplyFinished:
    """The whole text of the assistant's reply."""

    turn: int
    text: str


@dataclass(frozen=True, slots=True)
class PlaybackStarted:
    """The first audio of the turn leaves now."""

    turn: int


@dataclass(frozen=True, slots=True)
class PlaybackHeld:
    """Playback paused at once because the caller may be speaking."""

    turn: int


@dataclass(frozen=True, slots=True)
class PlaybackReleased:
    """It was not speech: playback goes on where it stopped."""

    turn: int


@dataclass(frozen=True, slots=True)
class PlaybackEnded:
    """All audio of the turn has left."""

    turn: int


@dataclass(frozen=True, slots=True)
class Caption:
    """A word or phrase of the reply whose audio leaves now.

    `offset` counts characters of the reply's text; `start_ms` counts from the
    turn's first audio. `is_estimated`: the engine did not tell when the word starts.
    """

    turn: int
    text: str
    offset: int
    start_ms: int
    is_estimated: bool = False


@dataclass(frozen=True, slots=True)
class TurnInterrupted:
    """The turn was cut; `heard` is the part of its text that the caller heard."""

    turn: int
    heard: str


@dataclass(frozen=True, slots=True)
class ReplyUnheard:
    """Of a reply that was played to its end the caller heard only this: their connection was
    lost meanwhile. They are told as of one that was cut; nobody has cut it."""

    turn: int
    heard: str


@dataclass(frozen=True, slots=True)
class TurnRefused:
    """What was said is not answered, or the answer is not told, and something else is said
    instead. `category` is `violence`, `hate`, `illegal`, `self_harm` or `topic`."""

    turn: int
    category: str


@dataclass(frozen=True, slots=True)
class TurnMetrics:
    """Where the time went between the caller's last voiced sample and the first audio out.

    Each is in ms since that sample (for typed text: since it arrived), so each
    is at least the one before it.
    """

    turn: int
    silence_ms: int
    transcript_ms: int
    first_token_ms: int
    first_audio_ms: int


@dataclass(frozen=True, slots=True)
class NetworkMeasured:
    """How the network of the call was of late, as the server sees it: shares from 0 to 1, times
    in ms. `loss` (None while too few of them came to judge it) and `jitter_ms` are of the
    caller's packets, `lost_outward` of the server's as the caller reports them; `concealed_ms` of
    the caller's sound had to be made up, and packets waited `buffer_ms` for others. `score` is
    an estimated opinion of the sound, 1 to 4.4."""

    loss: float | None
    lost_outward: float
    jitter_ms: float
    concealed_ms: float
    buffer_ms: float
    round_trip_ms: float
    score: float


@dataclass(frozen=True, slots=True)
class Failure:
    """Something went wrong that the caller should know; the call goes on unless it ends next.
    `reason` is that of a call which cannot be taken up: it has ended."""

    code: str
    message: str
    action: str
    turn: int | None = None
    reason: str | None = None


Event = (
    SessionStarted
    | SessionResumed
    | SessionUpdated
    | SessionEnded
    | SpeechStarted
    | SpeechStopped
    | Transcript
    | ReplyToken
    | ReplyFinished
    | PlaybackStarted
    | PlaybackHeld
    | PlaybackReleased
    | PlaybackEnded
    | Caption
    | TurnInterrupted
    | ReplyUnheard
    | TurnRefused
    | TurnMetrics
    | NetworkMeasured
    | Failure
)


@dataclass(frozen=True, slots=True)
class Numbered:
    """An event as it is told to a caller who may lose the connection: `number` rises from 1 with
    each event of the call, so that they can say which was the last that came."""

    event: Event
    number: int
