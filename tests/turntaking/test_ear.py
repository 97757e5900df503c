"""One ear listens to all calls: each as if it were alone, and no longer when one goes wrong."""

from __future__ import annotations

from contextlib import ExitStack

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from inzwa_rtc.engines.contracts import Haste
from inzwa_rtc.turntaking import silero
from inzwa_rtc.turntaking.ear import Ear, Judged
from inzwa_rtc.turntaking.silero import Rows, Silero, Windows
from inzwa_rtc.turntaking.stream import FRAMES_AT_ONCE, WINDOW_BYTES
from inzwa_rtc.turntaking.vad import SileroVad
from inzwa_rtc.turntaking.weights import Floats
from tests.support.listening import LoudNetwork
from tests.support.vowels import syllables
from tests.support.wire import FRAME_BYTES, LOUD, QUIET, Wire

SAME = 2e-4  # 32 bits, summed in another order, and carried on from window to window


class Cleaning:
    """Turns loud frames into others, and notes what it was fed."""

    def __init__(self, loud: bytes) -> None:
        self.fed: list[bytes] = []
        self._loud = loud

    def feed(self, pcm: bytes) -> bytes:
        self.fed.append(pcm)
        return self._loud if pcm == LOUD else pcm


def frames_of(samples: np.ndarray[tuple[int], np.dtype[np.int16]]) -> list[bytes]:
    pcm = samples.tobytes()
    return [pcm[at : at + FRAME_BYTES] for at in range(0, len(pcm) - FRAME_BYTES + 1, FRAME_BYTES)]


@pytest.fixture(scope="module")
def network() -> Silero:
    return silero.load()


SPEECH = frames_of(syllables(4.0))


def is_as_alone(network: Silero, wire: Wire) -> bool:
    """Whether each frame with a sound in it has the speech that it has where there is no other
    call, behind less than a window of silence."""
    alone = SileroVad(network)
    given = [speech for pcm, speech in wire.given if pcm != QUIET]
    for silence in range(0, WINDOW_BYTES, 128):
        alone.reset()
        alone.feed(bytes(silence))
        judged = [(pcm, alone.feed(pcm)) for pcm, _ in wire.given]
        if given == pytest.approx([speech for pcm, speech in judged if pcm != QUIET], abs=SAME):
            return True
    return False


@settings(max_examples=15, deadline=None)
@given(calls=st.integers(1, 8), seed=st.integers(0, 2**32 - 1))
def test_each_frame_has_the_speech_that_it_has_where_its_call_is_alone(
    network: Silero, calls: int, seed: int
) -> None:
    """Whenever calls begin and end, however irregularly their frames come, in whatever haste they
    are, and whatever silence is between."""
    chance = np.random.default_rng(seed)
    ear, wires, put = Ear(network), list[Wire](), dict[Wire, list[bytes]]()
    with ExitStack() as rest:
        for _ in range(calls):
            wires.append(wire := Wire())
            rest.enter_context(ear.of_call().listening(wire))
            with ear.of_call().listening(passing := Wire(*SPEECH[:3])):
                for _ in range(chance.integers(1, 6)):
                    for one in wires:
                        begin = chance.integers(len(SPEECH))
                        come = SPEECH[begin : begin + chance.integers(12)]
                        come += [QUIET] * chance.integers(6)
                        put.setdefault(one, []).extend(come)
                        one.frames.extend(come)
                        one.haste = list(Haste)[chance.integers(len(Haste))]
                    ear.tick(0.0)
            assert is_as_alone(network, passing)
        for wire in wires:
            wire.haste = Haste.EACH_FRAME
        for _ in range(50):
            ear.tick(0.0)
    assert len(ear) == 0
    for wire in wires:
        assert [pcm for pcm, _ in wire.given] == put[wire]
        assert is_as_alone(network, wire)


def test_the_windows_of_sixty_calls_are_judged_in_one_pass() -> None:
    network = LoudNetwork()
    ear, wires = Ear(network), [Wire(LOUD, LOUD) for _ in range(60)]
    with ExitStack() as calls:
        for wire in wires:
            calls.enter_context(ear.of_call().listening(wire))
        ear.tick(0.0)
    (rows,) = network.passes
    assert len(set(rows)) == 60
    assert [wire.given[1][0] for wire in wires] == [LOUD] * 60
    assert [wire.given[1][1] for wire in wires] == pytest.approx([0.9] * 60)
    assert not network.open


def test_a_call_that_was_stalled_catches_up_a_few_windows_at_a_time() -> None:
    network = LoudNetwork()
    ear, late, other = Ear(network), Wire(*[LOUD] * 50), Wire(*[QUIET] * 2)
    with ear.of_call().listening(late), ear.of_call().listening(other):
        ear.tick(0.0)
        assert len(late.given) == FRAMES_AT_ONCE
        assert len(other.given) == 2
        for _ in range(6):
            ear.tick(0.0)
    assert len(late.given) == 50
    assert network.windows >= 50 * 320 // 512
    assert max(len(rows) for rows in network.passes) <= FRAMES_AT_ONCE * 320 // 512 + 1


def test_between_windows_nothing_is_judged() -> None:
    noted: list[Judged] = []
    network = LoudNetwork()
    ear, wire = Ear(network, noted.append), Wire(LOUD)
    with ear.unheard().listening(Wire()):
        ear.tick(-0.02)  # its second tick is one at which no window is whole
    with ear.of_call().listening(wire):
        ear.tick(0.0)
        ear.tick(0.02)
        assert (noted, wire.given) == ([], [(LOUD, 0.0)])
        wire.frames.append(LOUD)
        ear.tick(0.04)
    (one,) = noted
    assert (one.windows, one.silent) == (1, 0)


def test_the_noise_suppressor_comes_before_everybody_else() -> None:
    """What is handed on, and judged, is the sound behind it: a voice that it takes away is no
    speech."""
    clean = b"\x20\x20" * 320
    for left, is_speech in ((clean, True), (QUIET, False)):
        ear, wire, suppressor = Ear(LoudNetwork()), Wire(LOUD, QUIET, LOUD), Cleaning(left)
        with ear.of_call(suppressor).listening(wire):
            ear.tick(0.0)
        assert suppressor.fed == [LOUD, QUIET, LOUD]
        assert [pcm for pcm, _ in wire.given] == [left, QUIET, left]
        assert (wire.given[1][1] > 0.5) == is_speech


def test_nobody_listens_to_those_who_are_only_spoken_to() -> None:
    network = LoudNetwork()
    ear, wire = Ear(network), Wire(*[LOUD] * 8)
    with ear.unheard().listening(wire):
        ear.tick(0.0)
    assert wire.given == [(LOUD, 0.0)] * 8
    assert network.passes == []


class Broken:
    def feed(self, pcm: bytes) -> bytes:
        raise RuntimeError("the library is gone")


def test_a_call_whose_suppressor_fails_ends_alone() -> None:
    network = LoudNetwork()
    ear, bad, good = Ear(network), Wire(*[LOUD] * 4), Wire(*[LOUD] * 4)
    with ear.of_call(Broken()).listening(bad), ear.of_call().listening(good):
        ear.tick(0.0)
        assert isinstance(bad.error, RuntimeError)
        assert len(good.given) == 4 and good.error is None
        bad.error = None
        ear.tick(0.02)
        assert bad.error is None  # it is told once, and left alone
    assert not network.open


def test_a_call_that_cannot_be_handed_on_to_ends_alone() -> None:
    network = LoudNetwork()
    ear, bad, good = Ear(network), Wire(*[LOUD] * 4), Wire(*[LOUD] * 4)
    bad.breaks = True
    with ear.of_call().listening(bad), ear.of_call().listening(good):
        ear.tick(0.0)
    assert isinstance(bad.error, RuntimeError)
    assert len(good.given) == 4 and good.error is None


def test_when_the_network_fails_those_who_were_to_be_judged_are_told_and_nobody_else() -> None:
    network = LoudNetwork()
    network.failure = MemoryError()
    ear, wires = Ear(network), [Wire(LOUD, LOUD), Wire(LOUD, LOUD)]
    begun, unheard = Wire(LOUD), Wire(*[LOUD] * 4)
    with ear.unheard().listening(Wire()):
        ear.tick(-0.02)
    with (
        ear.of_call().listening(wires[0]),
        ear.of_call().listening(wires[1]),
        ear.of_call().listening(begun),
        ear.unheard().listening(unheard),
    ):
        ear.tick(0.0)
        assert [wire.error for wire in wires] == [network.failure] * 2
        assert [wire.given for wire in wires] == [[], []]
        assert begun.error is None and begun.given == [(LOUD, 0.0)]
        assert unheard.error is None and len(unheard.given) == 4
        network.failure, later = None, Wire(LOUD, LOUD)
        begun.frames.append(LOUD)
        with ear.of_call().listening(later):
            ear.tick(0.02)
        assert len(later.given) == 2
        assert begun.given[1][1] == pytest.approx(0.9)


def test_a_network_that_fails_again_and_again_is_told_of_once_until_it_is_well() -> None:
    network = LoudNetwork()
    ear = Ear(network)
    with capture_logs() as lines:
        for failure in (MemoryError(), MemoryError(), None, MemoryError()):
            network.failure = failure
            with ear.of_call().listening(Wire(LOUD, LOUD)):
                ear.tick(0.0)
    assert [line["event"] for line in lines] == ["ear.network_failed"] * 2


@pytest.mark.parametrize("fails", ["probabilities", "begin"])
def test_whether_it_hears_is_tried_whenever_that_is_asked(
    fails: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise MemoryError

    network = LoudNetwork()
    ear = Ear(network)
    assert ear.hears()
    with monkeypatch.context() as patch, capture_logs() as lines:
        patch.setattr(network, fails, fail)
        assert not ear.hears()
        assert not ear.hears()
    assert ear.hears()
    assert not network.open
    assert [line["event"] for line in lines] == ["ear.network_failed"]


def test_what_fails_for_many_calls_alone_is_told_of_once_whoever_asks_meanwhile() -> None:
    class Small(LoudNetwork):
        def probabilities(self, windows: Windows, rows: Rows) -> Floats:
            self.failure = MemoryError() if len(rows) > 1 else None
            return super().probabilities(windows, rows)

    ear = Ear(Small())
    with capture_logs() as lines:
        for _ in range(3):
            with ear.of_call().listening(Wire(LOUD, LOUD)):
                with ear.of_call().listening(Wire(LOUD, LOUD)):
                    ear.tick(0.0)
            assert ear.hears()
    assert [line["event"] for line in lines] == ["ear.network_failed"]


def test_figures_that_cannot_be_noted_cost_no_call_anything() -> None:
    def note(judged: Judged) -> None:
        raise ValueError("of the figures")

    ear, wire = Ear(LoudNetwork(), note), Wire(LOUD, LOUD)
    with ear.of_call().listening(wire):
        with pytest.raises(ValueError, match="of the figures"):
            ear.tick(0.0)
        assert wire.error is None and len(wire.given) == 2


def test_silence_that_is_cut_short_costs_no_onset(
    network: Silero, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Behind digital silence, speech is heard at the very frame at which it is heard where each
    window goes all the way through the network."""
    frames = [*SPEECH, *[QUIET] * 150, *SPEECH, *[QUIET] * 3, *SPEECH]
    heard: list[list[bool]] = []
    for shortens in (True, False):
        if not shortens:
            monkeypatch.setattr(
                network, "_has_sound", lambda windows, _: np.full(len(windows), True)
            )
        ear, wire, silent = Ear(network), Wire(*frames), network.silent_windows
        with ear.of_call().listening(wire):
            while wire.frames:
                ear.tick(0.0)
        assert (network.silent_windows - silent > 90) == shortens
        heard.append([speech >= 0.5 for _, speech in wire.given])
    assert heard[0] == heard[1]
    assert any(heard[0][len(SPEECH) + 150 : 2 * len(SPEECH) + 150])
