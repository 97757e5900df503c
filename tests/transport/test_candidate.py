"""Which addresses are tried for a caller, and how many."""

from __future__ import annotations

import pytest

from inzwa_rtc.errors import PeerError
from inzwa_rtc.transport.candidate import Candidates, Reach

OUTSIDE, ON_LOOPBACK = Reach.of(["192.0.2.1", "fd00::1"]), Reach.of(["192.0.2.1", "127.0.0.1"])


def candidate(address: str, port: int) -> str:
    return f"candidate:1 1 udp 2122 {address} {port} typ host"


@pytest.mark.parametrize(
    ("address", "port", "expected"),
    [
        ("192.0.2.7", 50000, True),
        ("10.1.2.3", 50000, True),
        ("fd00::2", 50000, True),
        ("2001:db8::7", 50000, True),
        ("192.0.2.7", 22, False),
        ("192.0.2.7", -1, False),
        ("192.0.2.7", 70000, False),
        ("255.255.255.255", 5353, False),
        ("224.0.0.251", 5353, False),
        ("ff02::fb", 5353, False),
        ("169.254.169.254", 8080, False),
        ("fe80::1", 50000, False),
        ("fe80::1%eth0", 50000, False),
        ("fd00::1%eth0", 50000, False),
        ("0.0.0.0", 5000, False),
        ("0.0.0.1", 5000, False),
        ("::", 5000, False),
        ("240.0.0.1", 5000, False),
        ("::ffff:169.254.169.254", 8080, False),
        ("::ffff:224.0.0.251", 5353, False),
        ("::ffff:255.255.255.255", 5353, False),
        ("::ffff:127.0.0.1", 5353, False),
        ("64:ff9b::a9fe:a9fe", 8080, False),
        ("0b1e7f0e-1f5b-4a43-a2a1-8f4ca6ea0f9d.local", 50000, False),
        ("example.org", 50000, False),
    ],
)
def test_only_addresses_fit_to_be_probed_are_tried(address: str, port: int, expected: bool) -> None:
    for reach in (OUTSIDE, ON_LOOPBACK):
        assert reach.takes(candidate(address, port)) is expected
        assert reach.may_probe(address, port) is expected


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.0.1", "::1"])
def test_nothing_of_the_machines_own_is_probed_unless_calls_are_held_there(address: str) -> None:
    assert not OUTSIDE.takes(candidate(address, 50000))
    assert ON_LOOPBACK.takes(candidate(address, 50000))
    assert not ON_LOOPBACK.takes(candidate(address, 22))


def test_candidates_are_counted_together_whichever_way_they_become_known() -> None:
    known = Candidates(4, OUTSIDE)
    known.offered(1)
    assert known.trickled(candidate("192.0.2.1", 50000))
    assert known.learned("192.0.2.2", 50000)
    assert not known.learned("169.254.169.254", 50000)
    assert not known.trickled(candidate("abc.local", 50000)), "not tried, but it counts"
    assert not known.learned("192.0.2.3", 50000)
    with pytest.raises(PeerError) as refused:
        known.trickled(candidate("192.0.2.4", 50000))
    assert refused.value.code == "too_many_candidates"
