"""When a connection is given up: told times, no clock."""

from __future__ import annotations

from inzwa_rtc.transport.watchdog import Watchdog

SETUP_S, SILENCE_S = 10.0, 15.0


def test_a_set_up_that_does_not_come_about_is_given_up() -> None:
    watchdog = Watchdog(SETUP_S, SILENCE_S, now=100.0)
    assert watchdog.left(100.0) == 10.0
    assert watchdog.left(109.0) == 1.0
    assert watchdog.left(110.0) == 0.0
    assert watchdog.left(500.0) == 0.0


def test_a_connection_may_be_silent_for_so_long_from_when_it_stands() -> None:
    watchdog = Watchdog(SETUP_S, SILENCE_S, now=100.0)
    watchdog.connected(109.0)
    assert watchdog.left(110.0) == 14.0
    assert watchdog.left(124.0) == 0.0


def test_anything_that_is_heard_begins_the_wait_anew() -> None:
    watchdog = Watchdog(SETUP_S, SILENCE_S, now=100.0)
    watchdog.connected(101.0)
    watchdog.heard(115.5)
    assert watchdog.left(116.0) == 14.5
    watchdog.heard(130.0)
    assert watchdog.left(144.0) == 1.0
    assert watchdog.left(145.0) == 0.0


def test_old_news_shortens_nothing() -> None:
    watchdog = Watchdog(SETUP_S, SILENCE_S, now=100.0)
    watchdog.connected(120.0)
    watchdog.heard(101.0)
    assert watchdog.left(121.0) == 14.0
