"""The marks of a turn never run backwards, whatever stage was not reached."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from inzwa_rtc.conversation.latency import Latency
from inzwa_rtc.errors import EngineError
from inzwa_rtc.events import TurnMetrics
from tests.support.session import calling


def test_a_stage_that_was_never_reached_took_no_time() -> None:
    latency = Latency(origin=11_684.0, silence=11_684.5, transcript=11_684.75)
    assert latency.metrics(3, 11_685.0) == TurnMetrics(3, 500, 750, 750, 1000)


def test_there_is_nothing_to_tell_of_a_line_of_the_servers_own() -> None:
    assert Latency().metrics(0, 5.0) is None


marks = st.one_of(st.just(0.0), st.floats(100, 200))


@given(st.floats(100, 200), marks, marks, marks, st.floats(200, 300))
def test_each_mark_is_at_least_the_one_before(
    origin: float, silence: float, transcript: float, first_token: float, now: float
) -> None:
    told = Latency(origin, silence, transcript, first_token).metrics(0, now)
    assert told is not None
    ms = [told.silence_ms, told.transcript_ms, told.first_token_ms, told.first_audio_ms]
    assert ms == sorted(ms) and ms[0] >= 0


async def test_a_model_that_fails_before_its_first_word_leaves_sensible_figures() -> None:
    async with calling(EngineError("It broke.", action="Try again.")) as call:
        await call.question()
        await call.reply_ends(0)
        told = call.peer.last(TurnMetrics)
        assert told.silence_ms == 500
        assert told.silence_ms <= told.transcript_ms <= told.first_token_ms <= told.first_audio_ms
