"""docs/protocol.md and the dialect say the same."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import get_args

import pytest

from inzwa_rtc import events
from inzwa_rtc.conversation import peer
from inzwa_rtc.errors import PeerError
from inzwa_rtc.events import Event
from inzwa_rtc.settings import LimitSettings
from signaling.dialects.native import NativeDialect

DIALECT = NativeDialect(LimitSettings())
PROTOCOL = (Path(__file__).parents[2] / "docs" / "protocol.md").read_text(encoding="utf-8")
MESSAGES = [
    message.replace(":T", ":1").replace(":N", ":2")
    for message in re.findall(r"^\| `(\{.*?\})` \|", PROTOCOL, re.M)
]
EVENTS: list[Event] = [
    events.SessionStarted("id", "token", 16_000, "en", "v", 1.0),
    events.SessionResumed("id", "token", 16_000, "en", "v", 1.0, "conversation", True, 3),
    events.SessionUpdated("en", "v", 1.0),
    events.SessionEnded("caller"),
    events.SpeechStarted(1),
    events.SpeechStopped(1),
    events.Transcript(1, "hi", 0, 10, False, 1.0, "en"),
    events.Transcript(1, "hi", 0, 10, True, 1.0, "en"),
    events.ReplyToken(1, "hi"),
    events.ReplyFinished(1, "hi"),
    events.PlaybackStarted(1),
    events.PlaybackHeld(1),
    events.PlaybackReleased(1),
    events.PlaybackEnded(1),
    events.Caption(1, "hi", 0, 0),
    events.TurnInterrupted(1, "hi"),
    events.ReplyUnheard(1, "hi"),
    events.TurnRefused(1, "topic"),
    events.TurnMetrics(1, 1, 2, 3, 4),
    events.NetworkMeasured(0.1, 0.2, 3.0, 40.0, 20.0, 50.0, 3.5),
    events.Failure("code", "message", "action", 1, "idle"),
]


@pytest.mark.parametrize("message", MESSAGES)
def test_each_documented_message_of_a_client_is_understood(message: str) -> None:
    if json.loads(message)["type"] == "start":
        DIALECT.decode_start(message)
    else:
        DIALECT.decode(message)


def test_the_documentation_names_every_command() -> None:
    types = [json.loads(message)["type"] for message in MESSAGES]
    with pytest.raises(PeerError) as refused:
        DIALECT.decode('{"type":"dance"}')
    assert refused.value.action == f"Use one of: {', '.join(types)}."


def test_the_microphone_opens_and_closes_by_message() -> None:
    assert DIALECT.decode('{"type":"start_turn"}') == peer.StartTurn()
    assert DIALECT.decode('{"type":"end_turn"}') == peer.EndTurn()


@pytest.mark.parametrize("is_estimated", [True, False])
def test_a_caption_says_whether_its_time_is_a_guess(is_estimated: bool) -> None:
    told = json.loads(DIALECT.encode(events.Caption(1, "hi", 3, 40, is_estimated)))
    assert (told["start_ms"], told["estimated"]) == (40, is_estimated)
    (members,) = re.findall(r"`caption \{(.*?)\}`", PROTOCOL)
    assert members.split(", ") == [one for one in told if one != "type"]


def test_the_words_of_a_transcript_are_told_as_documented() -> None:
    word = events.TranscriptWord("hi", 20, 380, 0.98765)
    told = json.loads(DIALECT.encode(events.Transcript(1, "hi", 0, 400, True, 1, "en", (word,))))
    assert told["words"] == [{"text": "hi", "start_ms": 20, "end_ms": 380, "confidence": 0.988}]
    (members,) = re.findall(r"each `(\{.*?\})`", PROTOCOL)
    assert set(json.loads(members.replace(":N", ":2"))) == set(told["words"][0])


def test_a_transcript_of_any_length_fits_into_a_message_of_a_data_channel() -> None:
    words = tuple(
        events.TranscriptWord("ndakasvikapo", 100_000 + n, 100_400 + n, 1 / 3) for n in range(5000)
    )
    told = DIALECT.encode(events.Transcript(1, "", 0, 10, True, 1.0, "sn", words))
    assert len(told.encode()) < 2**15
    assert len(json.loads(told)["words"]) == 300


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_each_event_is_written_as_documented(event: Event) -> None:
    told = json.loads(DIALECT.encode(event))
    kind = told.pop("type")
    (members,) = re.findall(rf"`{re.escape(kind)} \{{(.*?)\}}`", PROTOCOL)
    documented = {name.strip() for name in members.split(",")}
    assert {name.removesuffix("?") for name in documented} == set(told)


def test_no_event_is_left_out() -> None:
    assert {type(event) for event in EVENTS} == set(get_args(Event))
