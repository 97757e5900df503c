"""What an offer may hold is checked before it is parsed; each refusal names its reason."""

from __future__ import annotations

import pytest

from inzwa_rtc.errors import PeerError
from inzwa_rtc.settings import LimitSettings
from inzwa_rtc.transport.offer import check_offer, is_reachable, with_opus_preferences

LIMITS = LimitSettings()
FINGERPRINT = ":".join(["AB"] * 32)
OFFER = "\r\n".join(
    [
        "v=0",
        "o=- 1 2 IN IP4 127.0.0.1",
        "s=-",
        "t=0 0",
        "m=audio 9 UDP/TLS/RTP/SAVPF 111",
        "c=IN IP4 0.0.0.0",
        "a=mid:0",
        "a=sendrecv",
        "a=ice-ufrag:abcd",
        "a=ice-pwd:" + "x" * 24,
        f"a=fingerprint:sha-256 {FINGERPRINT}",
        "a=setup:actpass",
        "a=rtpmap:111 opus/48000/2",
        "",
    ]
)


def test_a_browsers_offer_passes_unchanged() -> None:
    assert check_offer(OFFER, LIMITS) == OFFER


@pytest.mark.parametrize(
    ("offer", "code"),
    [
        ("", "bad_offer"),
        ("v=0", "bad_offer"),
        ("\x00" * 1000, "bad_offer"),
        ("hello", "bad_offer"),
        ("v=0\r\n" + "a" * 70_000, "offer_too_large"),
        (OFFER.replace("sha-256", "md2"), "bad_offer"),
        (OFFER.replace("a=fingerprint", "a=nothing"), "bad_offer"),
        (OFFER.replace("a=ice-ufrag:abcd", "a=ice-ufrag:" + "a" * 300), "bad_offer"),
        (OFFER.replace("m=audio 9", "m=audio x"), "bad_offer"),
        (OFFER.replace("m=audio 9", "m=audio 99999999"), "bad_offer"),
        (OFFER.replace("m=audio", "m=video"), "no_audio"),
        (OFFER.replace("m=audio 9", "m=audio " + "9" * 5000), "bad_offer"),
        (OFFER.replace("m=audio 9", "m=audio ²"), "bad_offer"),
        (OFFER.replace("m=audio 9", "m=audio ٣"), "bad_offer"),
        (OFFER.replace("opus/48000/2", "opus/0/2"), "no_audio"),
        (OFFER.replace("opus", "PCMU") + "m=video 9 X 1\r\na=rtpmap:1 opus/48000/2", "no_audio"),
        (OFFER.replace("a=rtpmap:111 opus/48000/2", "a=rtpmap:96 opus"), "no_audio"),
        (OFFER + "m=video 9 X 1\r\n" * 100, "bad_offer"),
        (OFFER + "a=candidate:1 1 udp\r\n", "bad_candidate"),
        (OFFER + "a=candidate:1 1 udp 1 192.0.2.1 5000 typ host\r\n" * 4000, "offer_too_large"),
        (OFFER + "a=candidate:1 1 udp 1 192.0.2.1 5000 typ host\r\n" * 33, "bad_offer"),
    ],
)
def test_nonsense_is_refused_before_it_costs_anything(offer: str, code: str) -> None:
    with pytest.raises(PeerError) as refused:
        check_offer(offer, LIMITS)
    assert refused.value.code == code
    assert refused.value.action


@pytest.mark.parametrize("end", ["\n", "\r", "\x0b", "\x0c", "\x1c", "\x1e", "\x85", "\u2028"])
@pytest.mark.parametrize("line", ["m=video 9 X 1", "a=candidate:1 1 udp 1 192.0.2.1 5000 typ host"])
def test_no_line_end_that_aiortc_knows_hides_a_line_from_the_limits(line: str, end: str) -> None:
    hidden = end.join(["s=x", *[line] * 40])
    with pytest.raises(PeerError):
        check_offer(f"{OFFER}{hidden}\r\n", LIMITS)
    few = end.join(["s=x", *["a=candidate:1 1 udp 1 224.0.0.1 5000 typ host"] * 3])
    assert check_offer(f"{OFFER}{few}\r\n", LIMITS) == f"{OFFER}s=x\r\n"


@pytest.mark.parametrize(
    ("address", "port", "expected"),
    [
        ("192.0.2.7", 50000, True),
        ("fd00::2", 50000, True),
        ("127.0.0.1", 50000, True),
        ("127.0.0.1", 22, False),
        ("255.255.255.255", 5353, False),
        ("224.0.0.251", 5353, False),
        ("169.254.169.254", 8080, False),
        ("0.0.0.0", 5000, False),
        ("192.0.2.7", -1, False),
        ("192.0.2.7", 70000, False),
        ("0b1e7f0e-1f5b-4a43-a2a1-8f4ca6ea0f9d.local", 50000, False),
        ("example.org", 50000, False),
    ],
)
def test_only_addresses_fit_to_be_probed_are_kept(address: str, port: int, expected: bool) -> None:
    assert is_reachable(f"candidate:1 1 udp 2122 {address} {port} typ host") is expected


def test_hidden_candidates_are_dropped_from_the_offer() -> None:
    line = "a=candidate:1 1 udp 2122 abc.local 50000 typ host"
    assert check_offer(f"{OFFER}{line}\r\n", LIMITS) == OFFER


@pytest.mark.parametrize(
    "junk",
    [
        "",
        "candidate:",
        "candidate:1 1 udp x 1.2.3.4 5 typ host",
        "candidate:1 1 udp 1 1.2.3.4 ² typ host",
        pytest.param("candidate:1 1 udp 1 1.2.3.4 " + "9" * 5000 + " typ host", id="long"),
    ],
)
def test_a_malformed_candidate_is_an_error(junk: str) -> None:
    with pytest.raises(PeerError):
        is_reachable(junk)


def test_the_answer_asks_for_mono_with_error_correction() -> None:
    answer = with_opus_preferences(OFFER, 28_000)
    assert "a=fmtp:111 minptime=10;useinbandfec=1;stereo=0" in answer
    assert "maxaveragebitrate=28000" in answer
