"""Dialogues that do not fit into a context, and slots that remember dialogues."""

from __future__ import annotations

import asyncio

import pytest

from inzwa_rtc.engines.contracts import Message
from inzwa_rtc.engines.llm.context import ContextFitter, Fitted
from inzwa_rtc.engines.llm.llama.slots import NoSlot, Slots
from inzwa_rtc.errors import EngineError

SYSTEM = Message("system", "Be brief.")
TURNS = [Message("user" if n % 2 == 0 else "assistant", f"{n:02} " + "x" * 97) for n in range(9)]


def test_what_fits_is_left_as_it_is() -> None:
    fitted = ContextFitter().fit([SYSTEM, *TURNS], 10_000)
    assert fitted.messages == (SYSTEM, *TURNS)
    assert fitted.dropped == 0


def test_the_oldest_turns_go_and_the_user_begins() -> None:
    fitted = ContextFitter().fit([SYSTEM, *TURNS], 350)
    assert fitted.messages[0] == SYSTEM
    assert fitted.messages[1].role == "user"
    assert fitted.messages[-1] == TURNS[-1]
    assert fitted.dropped == 10 - len(fitted.messages)
    assert 0 < fitted.dropped < 9


def test_the_models_own_count_corrects_the_estimate() -> None:
    fitter = ContextFitter()
    before = fitter.fit([SYSTEM, *TURNS], 450).dropped
    fitter.learn(TURNS, 200)  # a fifth of a token per character
    assert fitter.fit([SYSTEM, *TURNS], 450).dropped < before
    fitter.learn(TURNS, 1800)
    assert fitter.fit([SYSTEM, *TURNS], 450).dropped > before


def test_a_dialogue_that_was_cut_begins_with_the_same_turn_until_it_is_too_long_again() -> None:
    """The model has read what stays the same; else it would read all of it at each turn."""
    fitter = ContextFitter()
    turns: list[Message] = []
    starts = []
    for number in range(100):
        turns.append(Message("user", f"{number:03} " + "x" * 97))
        fitted = fitter.fit([SYSTEM, *turns], 1000)
        starts.append(fitted.dropped)
        # Each count is a little different, and so is each estimate.
        fitter.learn(fitted.messages, round((0.45 + 0.02 * (number % 3)) * _length(fitted)))
        turns.append(Message("assistant", f"{number:03} " + "y" * 97))
    assert starts == sorted(starts)
    assert 10 < len(set(starts)) < 35


def _length(fitted: Fitted) -> int:
    return sum(len(message.content) for message in fitted.messages)


def test_two_dialogues_are_cut_each_at_its_own_turn() -> None:
    fitter = ContextFitter()
    other = [Message(turn.role, f"z{turn.content}") for turn in TURNS]
    first, second = (fitter.fit([SYSTEM, *said], 400) for said in (TURNS, other[:7]))
    more = [Message("assistant", "yes"), Message("user", "no")]
    assert fitter.fit([SYSTEM, *TURNS, *more], 400).messages[:-2] == first.messages
    assert fitter.fit([SYSTEM, *other[:7], *more], 400).messages[:-2] == second.messages


@pytest.mark.parametrize("tokens", [0, -5, 10**400, 3_000_000])
def test_a_count_that_cannot_be_is_ignored(tokens: int) -> None:
    fitter = ContextFitter()
    fitter.learn(TURNS, tokens)
    assert fitter.fit([SYSTEM, *TURNS], 350) == ContextFitter().fit([SYSTEM, *TURNS], 350)


def test_one_wrong_count_does_not_refuse_every_dialogue_to_come() -> None:
    fitter = ContextFitter()
    fitter.learn(TURNS, 3500)  # nearly four tokens per character
    assert fitter.fit([SYSTEM, TURNS[0]], 350).messages == (SYSTEM, TURNS[0])


def test_a_greeting_is_no_turn_of_its_own() -> None:
    fitted = ContextFitter().fit([SYSTEM, Message("assistant", "Hello."), *TURNS], 10_000)
    assert [message.role for message in fitted.messages[:2]] == ["system", "user"]
    assert "Hello." in fitted.messages[0].content
    assert fitted.dropped == 0


def test_a_message_too_long_by_itself_is_refused_by_name() -> None:
    with pytest.raises(EngineError) as caught:
        ContextFitter().fit([SYSTEM, Message("user", "x" * 9000)], 512)
    assert caught.value.code == "context_too_small"
    assert "xxx" not in str(caught.value)


async def test_a_dialogue_gets_the_slot_that_remembers_it() -> None:
    slots = Slots(3)
    async with slots.taken_for(["be brief", "hello"]) as first:
        async with slots.taken_for(["be brief", "how are you"]) as second:
            assert first != second
    async with slots.taken_for(["be brief", "how are you", "fine", "good"]) as again:
        assert again == second
    async with slots.taken_for(["be brief", "hello", "hi"]) as again:
        assert again == first


async def test_preparing_does_not_wait_for_a_slot() -> None:
    slots = Slots(1)
    async with slots.taken_for(["a"]):
        with pytest.raises(NoSlot), slots.prepared_for(["b"], lambda: None):
            pass


async def test_a_reply_takes_over_the_slot_in_which_its_dialogue_is_prepared() -> None:
    slots = Slots(2)
    stopped = asyncio.Event()

    async def prepare() -> int:
        with slots.prepared_for(["be brief", "what ti"], stopped.set) as slot:
            await stopped.wait()
            return slot

    preparing = asyncio.create_task(prepare())
    await asyncio.sleep(0)
    async with slots.taken_for(["be brief", "what time is it"]) as slot:
        assert slot == preparing.result()
