"""Whatever the caller's sounds turn out to be, the playout is let go of in the end."""

from __future__ import annotations

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from inzwa_rtc.conversation.floor import PROMPTS_WAITING, Floor
from inzwa_rtc.conversation.prompt import Announcement, Prompt, Typed
from inzwa_rtc.conversation.utterance import Utterance
from inzwa_rtc.engines.contracts import TranscriptChunk
from inzwa_rtc.errors import EngineError
from inzwa_rtc.events import Event, Failure
from inzwa_rtc.playout.playout import Playout


class Storyteller:
    """A turn that has more to say until it is interrupted."""

    def __init__(self) -> None:
        self.interrupted = 0

    def interrupt(self) -> None:
        self.interrupted += 1

    def can_go_on(self) -> bool:
        return not self.interrupted


def words(text: str, confidence: float = 1.0) -> TranscriptChunk:
    return TranscriptChunk(text, 0, 0, True, confidence, "en")


OUTCOMES = [words(""), words("yeah"), words("stop"), EngineError("It broke.")]

acts = st.lists(
    st.one_of(
        st.sampled_from(["sound", "no speech", "utterance", "sustained", "typed", "answered"]),
        st.tuples(st.just("partial"), st.sampled_from(["", "yeah", "stop"]), st.floats(0, 1)),
        st.tuples(st.just("recognised"), st.sampled_from(OUTCOMES)),
    ),
    max_size=40,
)


@given(acts)
def test_the_playout_is_held_while_anything_is_undecided_and_no_longer(todo: list[object]) -> None:
    asyncio.run(_any_order(todo))


async def _any_order(todo: list[object]) -> None:
    events: list[Event] = []
    playout = Playout(16_000, events.append)
    floor = Floor(playout, events.append)
    floor.speaker = Storyteller()
    spoken: list[Utterance] = []  # not yet recognised, oldest first
    turn, queued = 0, 0
    answered: list[int] = []
    for act in todo:
        match act:
            case "sound":
                floor.sound()
                assert playout.is_held
            case "no speech":
                floor.no_speech()
            case "utterance":
                turn += 1
                spoken.append(Utterance(turn, 0, b"", 10))
                floor.weigh(spoken[-1])
                assert playout.is_held
            case "sustained" if spoken:
                floor.sustained(spoken[-1])
            case ("partial", str(text), float(confidence)) if spoken:
                floor.partly_understood(spoken[0], words(text, confidence))
            case ("recognised", (TranscriptChunk() | EngineError()) as outcome) if spoken:
                floor.recognised(spoken.pop(0), outcome)
            case "typed":
                turn += 1
                told = len(events)
                is_queued = floor.claim(Typed(turn, "hello"))
                assert is_queued == (not any(_is_about(event, turn) for event in events[told:]))
                assert not is_queued or not floor.is_superseded(turn)
            case "answered" if floor._prompts.qsize():
                prompt: Prompt = await floor.next_prompt()
                answered.append(prompt.turn)
        queued = max(queued, floor._prompts.qsize())
    floor.no_speech()
    while spoken:
        floor.recognised(spoken.pop(0), words(""))
    assert not playout.is_held
    while floor._prompts.qsize():
        answered.append((await floor.next_prompt()).turn)
    assert queued <= PROMPTS_WAITING
    assert answered == sorted(set(answered))
    assert not answered or not floor.is_superseded(answered[-1])


def _is_about(event: Event, turn: int) -> bool:
    return isinstance(event, Failure) and event.turn == turn


async def test_older_speech_is_answered_with_the_words_that_follow_it() -> None:
    events: list[Event] = []
    floor = Floor(Playout(16_000, events.append), events.append)
    first, second = Utterance(1, 0, b"", 10), Utterance(2, 0, b"", 10)
    floor.weigh(first)
    floor.weigh(second)
    floor.sustained(second)
    assert [(await floor.next_prompt()).turn for _ in range(2)] == [1, 2]
    assert floor.is_superseded(1)
    assert not floor.is_superseded(2)


async def test_a_turn_that_has_ended_is_about_to_be_answered_until_it_proves_to_be_nothing() -> (
    None
):
    events: list[Event] = []
    floor = Floor(Playout(16_000, events.append), events.append)
    utterance = Utterance(1, 0, b"", 10)
    floor.sound()
    floor.weigh(utterance)
    assert floor.is_taken and not floor.is_answering  # the caller speaks, and nobody else
    utterance.end(500)
    assert floor.is_answering
    floor.recognised(utterance, words(""))
    assert not floor.is_answering


async def test_what_goes_on_after_it_has_claimed_the_floor_is_spoken_into_nothing() -> None:
    events: list[Event] = []
    floor = Floor(Playout(16_000, events.append), events.append)
    floor.speaker = Storyteller()
    utterance = Utterance(1, 0, b"", 10)
    floor.weigh(utterance)
    assert floor.is_answering  # the story may go on
    floor.sustained(utterance)
    assert floor.is_taken and not floor.is_answering
    utterance.end(500)
    assert floor.is_answering


async def test_a_line_of_the_server_s_own_may_be_spoken_into_whatever_was_claimed_before() -> None:
    events: list[Event] = []
    floor = Floor(Playout(16_000, events.append), events.append)
    utterance = Utterance(1, 0, b"", 10)
    floor.weigh(utterance)
    floor.sustained(utterance)
    floor.claim(Announcement(2, "Are you there?"))
    assert floor.is_answering
