"""Whatever happens in whatever order: what was heard was said, and what was cut is silent."""

from __future__ import annotations

import asyncio
import re
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from inzwa_rtc.events import (
    Caption,
    Event,
    PlaybackEnded,
    PlaybackHeld,
    PlaybackReleased,
    PlaybackStarted,
)
from tests.support.playing import FRAME, encoded, playout, pulled

LETTERS: dict[type[Event], str] = {
    PlaybackStarted: "S",
    PlaybackHeld: "H",
    PlaybackReleased: "R",
    PlaybackEnded: "E",
    Caption: "",
}

actions = st.lists(
    st.one_of(
        st.tuples(st.just("write"), st.integers(0, 3 * FRAME // 2)),
        st.tuples(st.just("frames"), st.integers(0, 3)),
        st.tuples(st.just("pull"), st.integers(1, 5)),
        st.tuples(
            st.sampled_from(["hold", "release", "cut", "finish", "abandon", "next"]), st.just(0)
        ),
        st.tuples(st.just("played"), st.integers(0, 5000)),
    ),
    max_size=40,
)


@given(actions, st.integers(0, 200))
@settings(deadline=None)
def test_any_order_of_events_keeps_heard_a_prefix_and_cut_sound_unplayed(
    todo: list[tuple[str, int]], transit_ms: int
) -> None:
    asyncio.run(_any_order(todo, transit_ms))


async def _any_order(todo: list[tuple[str, int]], transit_ms: int) -> None:
    out, events = playout()
    out.transit_ms = transit_ms
    speech = out.speech(1)
    written = ""
    cut_turns: set[int] = set()
    heard = [""]
    for action, number in todo:
        match action:
            case "write":
                if speech._space.is_set():  # else a writer would wait here
                    was_cut = speech.turn in cut_turns
                    text = f"w{number} "
                    speech.begin_phrase(text, len(written))
                    await speech.write(speech.turn.to_bytes(2, "little") * number)
                    speech.end_phrase()
                    written += "" if was_cut else text
            case "frames":
                if speech._space.is_set():
                    was_cut = speech.turn in cut_turns
                    text = f"f{number} "
                    speech.begin_phrase(text, len(written))
                    await speech.write_frames(encoded(speech.turn, number))
                    speech.end_phrase()
                    written += "" if was_cut else text
            case "pull":
                for _ in range(number):
                    frame = pulled(out)
                    turns = {frame[i] for i in range(0, FRAME, 2)} if frame else set()
                    assert not turns & cut_turns
                    assert turns <= {0, speech.turn}
            case "played":
                out.report_played(speech.turn, number)
            case "next":
                cut_turns.add(speech.turn)
                speech = out.speech(speech.turn + 1)
                written, heard = "", [""]
            case "cut":
                speech.cut()
                cut_turns.add(speech.turn)
            case "hold" | "release":
                getattr(out, action)()
            case "abandon":
                speech.abandon_phrase()  # between phrases: nothing but the space before the next
            case _:
                getattr(speech, action)()
        heard.append(speech.heard())
        assert written.rstrip().startswith(heard[-1])
    if speech.turn not in cut_turns and not any(action == "played" for action, _ in todo):
        assert all(later.startswith(earlier) for earlier, later in pairwise(heard))
    for turn in range(1, speech.turn + 1):
        assert _is_legal([type(event) for event in events if _turn(event) == turn])


def _turn(event: Event) -> int | None:
    assert isinstance(event, tuple(LETTERS))
    return getattr(event, "turn", None)


def _is_legal(kinds: list[type[Event]]) -> bool:
    """Whether all that is held is released before it ends, and nothing follows the end."""
    order = "".join(LETTERS[kind] for kind in kinds)
    return re.fullmatch(r"(S(HR)*(E|H?))?", order) is not None
