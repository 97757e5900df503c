"""A dialogue keeps its slot, whatever other dialogues have in common with it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from inzwa_rtc.engines.llm.llama.slots import NoSlot, Slots

RULES = ("", "system: be brief, be kind, and speak the language of the caller")
A1, A2 = (*RULES, "user: hello there"), (*RULES, "user: hello there", "assistant: hi", "user: why")
B1, B2 = (*RULES, "user: good day"), (*RULES, "user: good day", "assistant: hi", "user: how")


async def taken(slots: Slots, texts: Sequence[str]) -> int:
    async with slots.taken_for(texts) as slot:
        return slot


def prepared(slots: Slots, texts: Sequence[str]) -> int:
    with slots.prepared_for(texts, lambda: None) as slot:
        return slot


async def test_calls_with_the_same_instructions_take_nothing_from_each_other() -> None:
    slots = Slots(3)
    a, b = await taken(slots, A1), await taken(slots, B1)
    assert a != b
    assert (await taken(slots, A2), await taken(slots, B2)) == (a, b)


async def test_a_call_speaks_where_its_instructions_were_read() -> None:
    slots = Slots(3)
    a, b = prepared(slots, RULES), prepared(slots, RULES)
    assert a != b
    assert await taken(slots, A1) == a
    assert await taken(slots, B1) == b


async def test_the_same_greeting_does_not_make_two_calls_one() -> None:
    slots = Slots(2)
    greeted = (*RULES, "assistant: hello, how can I help")
    assert prepared(slots, greeted) != prepared(slots, greeted)


async def test_words_read_ahead_are_found_again_also_if_the_last_were_misheard() -> None:
    slots = Slots(2)
    slot = prepared(slots, (*RULES, "user: what thyme is"))
    assert prepared(slots, (*RULES, "user: what time is it")) == slot
    assert await taken(slots, (*RULES, "user: what time is it in Harare")) == slot


async def test_a_new_dialogue_takes_the_slot_left_alone_for_longest() -> None:
    slots = Slots(2)
    a, b = await taken(slots, A1), await taken(slots, B1)
    assert await taken(slots, A2) == a
    assert await taken(slots, (*RULES, "user: a third one")) == b


async def test_another_adapter_is_another_dialogue() -> None:
    slots = Slots(2)
    assert await taken(slots, A1) != await taken(slots, ("polite", *A2[1:]))


async def test_a_reply_stops_the_preparation_of_its_dialogue_and_takes_its_slot() -> None:
    slots = Slots(1)
    stopped = asyncio.Event()
    with slots.prepared_for(A1, stopped.set) as slot:
        reply = asyncio.create_task(taken(slots, A2))
        await stopped.wait()
        with pytest.raises(NoSlot), slots.prepared_for(B1, stopped.clear):
            pass
        assert not reply.done()
    assert await reply == slot


def turns(first: int, last: int) -> tuple[str, ...]:
    """Of one call, the caller's first."""
    roles = ("user", "assistant")
    return tuple(f"{roles[n % 2]}: {n} of this call" for n in range(first, last + 1))


async def test_a_dialogue_that_lost_its_oldest_turns_keeps_its_slot() -> None:
    slots = Slots(3)
    own = await taken(slots, (*RULES, "assistant: hello", *turns(0, 38)))
    other, third = await taken(slots, A1), await taken(slots, B1)
    assert prepared(slots, (*RULES, *turns(22, 40))) == own
    assert await taken(slots, (*RULES, *turns(22, 40))) == own
    assert (await taken(slots, A2), await taken(slots, B2)) == (other, third)


async def test_two_callers_who_say_yes_are_not_taken_for_one() -> None:
    slots = Slots(2)
    yes = ("user: yes", "assistant: Good.", "user: yes")
    own = await taken(slots, (*RULES, *turns(0, 11), *yes))
    assert await taken(slots, (*RULES, *yes)) != own
