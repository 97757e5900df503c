"""What is told of a call's network, over all its connections, and what is not."""

from __future__ import annotations

import pytest
from prometheus_client import CollectorRegistry

from inzwa_rtc.metrics.calls import CallMetrics
from inzwa_rtc.metrics.figures import Figures
from inzwa_rtc.tracing.traces import NoTraces
from signaling.telemetry.watch import CallWatch


class Line:
    """Of WebRTC; a test says what has come since the last report."""

    def __init__(self) -> None:
        self.last_heard = 0.0
        self.told = dict.fromkeys(
            ("packets", "packets_lost", "concealed_ms", "frames_waiting", "frames_dropped"), 0.0
        )
        self.told |= {"jitter_ms": 5.0, "buffer_ms": 20.0, "round_trip_ms": 0, "lost_outward": 0}

    def statistics(self) -> dict[str, float]:
        return dict(self.told)

    def heard(self, received: float = 0, lost: float = 0, **more: float) -> Line:
        self.last_heard += 5
        return self.came(received, lost, **more)

    def came(self, received: float = 0, lost: float = 0, **more: float) -> Line:
        self.told["packets"] += received
        self.told["packets_lost"] += lost
        self.told |= more
        return self


class SocketLine:
    """A WebSocket has no packets."""

    last_heard = 1.0

    def statistics(self) -> dict[str, float]:
        return {"frames_waiting": 3, "frames_dropped": 4}


class Told:
    """A watch, and what its metrics are."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        metrics, figures = CallMetrics(self.registry), Figures(lambda: 0.0)
        self.watch = CallWatch(metrics, figures, NoTraces().call("a", "webrtc"))

    def value(self, name: str) -> float:
        return self.registry.get_sample_value(name) or 0.0


def test_a_report_is_of_the_time_since_the_last_one() -> None:
    told, line = Told(), Line()
    told.watch.report(line.heard(90, 10, concealed_ms=200.0))
    measured = told.watch.report(line.heard(198, 2, concealed_ms=240.0))
    assert measured is not None
    assert measured.loss == pytest.approx(0.01)
    assert measured.concealed_ms == 40
    assert told.watch.loss == pytest.approx(12 / 300)
    assert told.watch.score == measured.score
    assert told.value("inzwa_rtp_loss_ratio_count") == 2
    assert told.value("inzwa_concealed_audio_seconds_total") == pytest.approx(0.24)
    assert told.value("inzwa_network_score_count") == 2


def test_few_packets_are_judged_together_with_those_that_follow() -> None:
    told, line = Told(), Line()
    losses = []
    for received, lost in ((11, 1), (12, 0), (250, 0), (12, 1), (12, 0)):
        measured = told.watch.report(line.heard(received, lost))
        assert measured is not None
        losses.append(measured.loss)
    # One in 274, which is known until as many more have come.
    assert losses == [None, None, *[pytest.approx(1 / 274)] * 3]
    assert told.value("inzwa_rtp_loss_ratio_count") == 1
    assert told.value("inzwa_rtp_loss_ratio_sum") == pytest.approx(1 / 274)


def test_a_caller_without_a_microphone_is_told_of_the_way_to_them() -> None:
    told, line = Told(), Line()
    assert told.watch.report(line.heard()) is None  # no RTCP yet
    measured = told.watch.report(line.heard(round_trip_ms=80.0, lost_outward=0.1))
    assert measured is not None
    assert (measured.loss, measured.lost_outward, measured.round_trip_ms) == (None, 0.1, 80)
    assert measured.score < 4
    assert told.value("inzwa_rtp_jitter_seconds_count") == 0


def test_of_a_caller_who_is_not_heard_nothing_is_told_that_was_true_before() -> None:
    told, line = Told(), Line()
    assert told.watch.report(line.heard(250, round_trip_ms=80.0)) is not None
    assert told.watch.report(line) is None
    assert told.watch.score is None
    measured = told.watch.report(line.heard())  # but the microphone is closed
    assert measured is not None and measured.loss is None


def test_the_last_moments_of_a_lost_connection_are_counted_when_another_takes_its_place() -> None:
    told, old, new = Told(), Line(), Line()
    told.watch.report(old.heard(250, round_trip_ms=80.0))
    old.heard(150, 100, frames_dropped=3.0)  # and then it is lost
    measured = told.watch.report(new.heard(250, frames_dropped=2.0))
    assert measured is not None and measured.loss == 0
    assert told.value("inzwa_rtp_loss_ratio_sum") == pytest.approx(0.4)
    assert told.value("inzwa_rtp_loss_ratio_count") == 3
    assert told.watch.loss == pytest.approx(100 / 750)
    assert told.watch.dropped_s == pytest.approx(5 * 0.02)


def test_a_socket_has_no_network_that_could_be_told_of() -> None:
    told = Told()
    assert told.watch.report(SocketLine()) is None
    assert (told.watch.loss, told.watch.score) == (None, None)
    assert told.value("inzwa_waiting_audio_seconds_sum") == pytest.approx(0.06)
    assert told.watch.dropped_s == pytest.approx(0.08)
