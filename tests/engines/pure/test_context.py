"""Dialogues that do not fit into a context, and slots that remember dialogues."""

from __future__ import annotations

import asyncio

import pytest

from inzwa_rtc.engines.contracts import Message
from inzwa_rtc.engines.llm.context import ContextFitter
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
    before = fitter.fit([SYSTEM, *TURNS], 350).dropped
    fitter.learn(TURNS, 200)  # a fifth of a token per character
    assert fitter.fit([SYSTEM, *TURNS], 350).dropped < before
    fitter.learn(TURNS, 1800)
    assert fitter.fit([SYSTEM, *TURNS], 350).dropped > before


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
