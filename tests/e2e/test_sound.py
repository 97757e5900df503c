"""The measure by which tests judge what was heard: what it lets pass, and what it must not."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from tests.support.sound import RATE, assert_heard
from tests.support.voice import Samples, resampled, speech

ANSWER = (
    "No, I am an AI, not a human. I am a simple one at that. My answers come from a script, "
    "so I know what I know, and I say so when I do not."
)
SILENCE = np.zeros(2 * RATE, np.int16)
Change = Callable[[Samples], list[Samples]]


def halves(sound: Samples) -> tuple[Samples, Samples]:
    return sound[: len(sound) // 2], sound[len(sound) // 2 :]


def late(sound: Samples) -> list[Samples]:
    """The machine stalled, and went on where it had stopped."""
    first, second = halves(sound)
    return [first, SILENCE[: RATE // 2], second]


def stretched(sound: Samples) -> list[Samples]:
    """A jitter buffer put in 20 ms every half second."""
    pieces = np.array_split(sound, len(sound) // (RATE // 2))
    return [part for piece in pieces for part in (piece, piece[-RATE // 50 :])]


def telephone(sound: Samples) -> list[Samples]:
    """A codec left nothing above 4 kHz, and noise came in."""
    narrow = resampled(sound.tobytes(), RATE, RATE // 6)
    back = resampled(narrow.tobytes(), RATE // 6, RATE)
    noise = np.random.default_rng(1).normal(0, 100, len(back))
    return [(back + noise).clip(-32768, 32767).astype(np.int16)]


def without_a_piece(sound: Samples) -> list[Samples]:
    first, second = halves(sound)
    return [first, second[RATE // 2 :]]


def with_a_repeat(sound: Samples) -> list[Samples]:
    first, second = halves(sound)
    return [first, first[-RATE:], second]


def out_of_order(sound: Samples) -> list[Samples]:
    return list(reversed(halves(sound)))


def cut_short(sound: Samples) -> list[Samples]:
    return [sound[: len(sound) * 4 // 5]]


def with_more_behind(sound: Samples) -> list[Samples]:
    return [sound, SILENCE[: RATE // 5], sound[:RATE]]


@pytest.mark.parametrize("change", [lambda sound: [sound], late, stretched, telephone])
async def test_the_same_sound_is_recognised_however_late_or_stretched(change: Change) -> None:
    said = await speech(ANSWER)
    assert_heard(said, np.concatenate([SILENCE, *change(said), SILENCE]))


@pytest.mark.parametrize(
    "change", [without_a_piece, with_a_repeat, out_of_order, cut_short, with_more_behind]
)
async def test_sound_that_lacks_repeats_or_moves_a_part_is_refused(change: Change) -> None:
    said = await speech(ANSWER)
    with pytest.raises(AssertionError, match=r"was said|heard whole"):
        assert_heard(said, np.concatenate([SILENCE, *change(said), SILENCE]))


async def test_other_words_in_the_same_voice_are_refused() -> None:
    said, other = await speech(ANSWER), await speech("Nobody in this town ever said such a thing.")
    with pytest.raises(AssertionError, match="not heard whole"):
        assert_heard(other, np.concatenate([SILENCE, said, SILENCE]))
    with pytest.raises(AssertionError, match="though it was not said"):
        assert_heard(said, np.concatenate([SILENCE, said, SILENCE]), said[RATE:])
