"""Whoever watches a call learns how long things take, and how they end."""

from __future__ import annotations

from inzwa_rtc.errors import EngineError
from inzwa_rtc.observer import CANCELLED, Stage, Unobserved
from tests.support.session import BROKEN, STORY, SteeredRecognizer, calling


class Watch(Unobserved):
    def __init__(self) -> None:
        self.stages: list[Stage] = []
        self.silenced_ms: list[int] = []

    def stage(self, stage: Stage) -> None:
        self.stages.append(stage)

    def barge_in(self, ms: int) -> None:
        self.silenced_ms.append(ms)

    def of(self, name: str) -> list[Stage]:
        return [stage for stage in self.stages if stage.name == name]


async def test_the_stages_of_a_turn_end_before_the_turn_and_within_it() -> None:
    watch = Watch()
    async with calling("I am well. How are you?", watch=watch) as call:
        await call.question()
        await call.reply_ends(0)
        await call.peer.be_silent(40)
    assert [stage.name for stage in watch.stages][-1] == "turn"
    turn, reply = watch.of("turn")[0], watch.of("reply")[0]
    assert turn.kind == "voice"
    assert turn.began <= reply.began <= (reply.first or 0) <= reply.last <= reply.ended
    assert reply.ended <= turn.ended
    assert reply.given == 6
    assert watch.of("recognise")[0].turn == turn.turn
    assert [stage.kind for stage in watch.of("synthesise")] == ["made", "made"]
    assert {stage.error for stage in watch.stages} == {None}


async def test_a_reply_that_the_caller_cuts_was_given_up_and_did_not_fail() -> None:
    watch = Watch()
    async with calling(STORY, "Yes.", texts=("a story", "stop"), watch=watch) as call:
        await call.story_plays()
        await call.question()
        await call.peer.be_silent(100)
    assert watch.of("turn")[0].error == CANCELLED
    assert watch.silenced_ms == [60], "possible speech of 60 ms silences the reply"


async def test_a_failing_stage_tells_its_code() -> None:
    watch = Watch()
    failing = EngineError("It broke.", code="too_warm")
    async with calling(failing, watch=watch) as call:
        await call.question()
        await call.reply_ends(0)
    assert [stage.error for stage in watch.of("reply")] == ["too_warm"]


async def test_a_recogniser_that_fails_is_told_as_one() -> None:
    watch = Watch()
    async with calling(asr=SteeredRecognizer(BROKEN), watch=watch) as call:
        await call.question()
        await call.reply_ends(0)
    assert [stage.error for stage in watch.of("recognise")] == ["engine_failed"]


def test_the_pace_leaves_out_the_time_that_others_took() -> None:
    stage = Stage(0, "reply", began=0.0, first=1.0, last=3.0, given=11, aside_s=1.0)
    assert stage.per_second == 10.0
    assert Stage(0, "reply", began=0.0, first=1.0, last=3.0, given=2).per_second is None
