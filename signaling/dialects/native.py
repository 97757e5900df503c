"""The native protocol (docs/protocol.md): events and commands as JSON messages."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated, Any, Literal, assert_never

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from inzwa_rtc import events
from inzwa_rtc.conversation import peer
from inzwa_rtc.errors import PeerError
from inzwa_rtc.events import Event
from inzwa_rtc.settings import LimitSettings
from inzwa_rtc.speech.speed import FASTEST, SLOWEST

MAX_WORDS = 300  # two minutes of speech, in half of the 64 KiB that a data channel's message has


class _Message(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True, frozen=True)


Speed = Annotated[float, Field(ge=SLOWEST, le=FASTEST, allow_inf_nan=False)]
ShortName = Annotated[str, Field(min_length=1, max_length=100)]


class VoiceOptions(_Message):
    """How a caller may have themselves spoken to."""

    language: ShortName | None = None
    voice: ShortName | None = None
    speed: Speed | None = None


class SessionOptions(VoiceOptions):
    """What a caller may choose when a call starts."""

    low_data: Annotated[
        bool | None,
        Field(description="Over WebRTC: speech at 12 kbit/s and 60 ms a packet, both ways."),
    ] = None


class Resume(_Message):
    """Which call is taken up again; all events after this one are told again."""

    session_id: ShortName
    after: Annotated[int, Field(ge=0, le=2**53)] = 0


class Start(VoiceOptions):
    """The first message of a WebSocket call."""

    type: Literal["start"]
    auth: Annotated[str, Field(min_length=1, max_length=300)] | None = None
    resume: Resume | None = None
    session_id: ShortName | None = None
    codec: Literal["pcm16"] = "pcm16"
    sample_rate: Literal[16000] = 16000
    out_sample_rate: Literal[16000, 24000] = 16000


class _StartTurn(_Message):
    type: Literal["start_turn"]


class _EndTurn(_Message):
    type: Literal["end_turn"]


class _Text(_Message):
    type: Literal["text"]
    text: str


class _Played(_Message):
    type: Literal["played"]
    samples: Annotated[int, Field(ge=0, le=2**48)]
    turn: Annotated[int, Field(ge=0, le=2**31)] | None = None


class _Update(VoiceOptions):
    type: Literal["update"]


class _Stop(_Message):
    type: Literal["stop"]


_Client = Annotated[
    Start | _StartTurn | _EndTurn | _Text | _Played | _Update | _Stop,
    Field(discriminator="type"),
]
_CLIENT: TypeAdapter[_Client] = TypeAdapter(_Client)
_TYPES = "start, start_turn, end_turn, text, played, update, stop"


class NativeDialect:
    """Writes events and reads commands; keeps nothing."""

    def __init__(self, limits: LimitSettings) -> None:
        self._limits = limits

    def encode(self, event: Event, number: int | None = None) -> str:
        """The event as a JSON message."""
        members = _members(event)
        if number is not None:
            members["event_id"] = number
        return json.dumps(members, ensure_ascii=False)

    def decode(self, message: str) -> peer.Command:
        """The command in a message. Raises `PeerError`."""
        parsed = self._parse(message)
        match parsed:
            case _StartTurn():
                return peer.StartTurn()
            case _EndTurn():
                return peer.EndTurn()
            case _Text(text=text):
                return peer.TypedText(self._checked(text))
            case _Played(turn=turn, samples=samples):
                return peer.Played(turn, samples)
            case _Update(language=language, voice=voice, speed=speed):
                return peer.UpdateVoice(language, voice, speed)
            case _Stop():
                return peer.HangUp()
            case Start():
                raise PeerError(
                    "The call has already started.",
                    action="Send `start` once; `update` changes settings.",
                    code="already_started",
                )
            case _:
                assert_never(parsed)

    def decode_start(self, message: str) -> Start:
        """The first message of a WebSocket. Raises `PeerError` for any other."""
        parsed = self._parse(message)
        if not isinstance(parsed, Start):
            raise PeerError(
                f"The first message was `{parsed.type}`.",
                action='Send {"type":"start"} first.',
                code="not_started",
            )
        return parsed

    def _parse(self, message: str) -> _Client:
        if len(message) > self._limits.json_body:
            raise PeerError(
                "The message is too long.",
                action=f"Stay below {self._limits.json_body} characters.",
                code="message_too_large",
                status=413,
            )
        try:
            return _CLIENT.validate_json(message)
        except (ValidationError, UnicodeError) as error:
            raise _bad_message(error) from None

    def _checked(self, text: str) -> str:
        text = text.strip()
        if not text:
            raise PeerError("The text is empty.", action="Type something.", code="empty_text")
        if len(text) > self._limits.text_chars:
            raise PeerError(
                f"The text is longer than {self._limits.text_chars} characters.",
                action="Send it in parts.",
                code="text_too_long",
                status=413,
            )
        return text


def _bad_message(error: ValidationError | UnicodeError) -> PeerError:
    if isinstance(error, UnicodeError):
        return PeerError("The message is not valid Unicode.", code="bad_message")
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    if first["type"] in ("union_tag_invalid", "union_tag_not_found"):
        return PeerError(
            "The message has no known `type`.",
            action=f"Use one of: {_TYPES}.",
            code="unknown_message",
        )
    place = ".".join(str(part) for part in first["loc"]) or "message"
    return PeerError(
        f"`{place}`: {first['msg']}.", action="See docs/protocol.md.", code="bad_message"
    )


def _members(event: Event) -> dict[str, Any]:
    match event:
        case events.SessionStarted(session_id, call_token, rate, language, voice, speed, mode):
            return {
                "type": "session.started",
                "session_id": session_id,
                "call_token": call_token,
                "out_sample_rate": rate,
                "language": language,
                "voice": voice,
                "speed": speed,
                "voice_mode": mode,
            }
        case events.SessionResumed():
            members = asdict(event)
            return {"type": "session.resumed", "complete": members.pop("is_complete"), **members}
        case events.SessionUpdated(language, voice, speed):
            return {
                "type": "session.updated",
                "language": language,
                "voice": voice,
                "speed": speed,
            }
        case events.SessionEnded(reason):
            return {"type": "session.ended", "reason": reason}
        case events.SpeechStarted(turn):
            return {"type": "speech.started", "turn": turn}
        case events.SpeechStopped(turn):
            return {"type": "speech.stopped", "turn": turn}
        case events.Transcript():
            return _transcript(event)
        case events.ReplyToken(turn, token):
            return {"type": "llm.partial", "turn": turn, "token": token}
        case events.ReplyFinished(turn, text):
            return {"type": "llm.final", "turn": turn, "text": text}
        case events.PlaybackStarted(turn):
            return {"type": "tts.start", "turn": turn}
        case events.PlaybackEnded(turn):
            return {"type": "tts.end", "turn": turn}
        case events.PlaybackHeld(turn):
            return {"type": "playback.held", "turn": turn}
        case events.PlaybackReleased(turn):
            return {"type": "playback.released", "turn": turn}
        case events.Caption(turn, text, offset, start_ms, is_estimated):
            return {
                "type": "caption",
                "turn": turn,
                "text": text,
                "offset": offset,
                "start_ms": start_ms,
                "estimated": is_estimated,
            }
        case events.TurnInterrupted(turn, heard) | events.ReplyUnheard(turn, heard):
            return {"type": "turn.interrupted", "turn": turn, "heard": heard}
        case events.TurnRefused(turn, category):
            return {"type": "turn.refused", "turn": turn, "category": category}
        case events.TurnMetrics(turn, silence, transcript, token, audio):
            return {
                "type": "turn.metrics",
                "turn": turn,
                "silence_ms": silence,
                "transcript_ms": transcript,
                "first_token_ms": token,
                "first_audio_ms": audio,
            }
        case events.NetworkMeasured():
            return {"type": "network", **asdict(event)}
        case events.Failure(code, message, action, turn, reason):
            members = {"type": "error", "code": code, "message": message, "action": action}
            more = {"turn": turn, "reason": reason}
            return members | {name: told for name, told in more.items() if told is not None}
        case _:
            assert_never(event)


def _transcript(event: events.Transcript) -> dict[str, Any]:
    members: dict[str, Any] = {
        "type": "asr.final" if event.is_final else "asr.partial",
        "turn": event.turn,
        "text": event.text,
        "start_ms": event.start_ms,
        "end_ms": event.end_ms,
    }
    if event.is_final:
        members |= {
            "confidence": event.confidence,
            "language": event.language,
            "words": [
                {
                    "text": word.text,
                    "start_ms": word.start_ms,
                    "end_ms": word.end_ms,
                    "confidence": round(word.confidence, 3),
                }
                for word in event.words[:MAX_WORDS]
            ],
            "cut": event.is_cut,
        }
    return members
