"""What an offer may hold is checked before it is parsed; each refusal names its reason."""

from __future__ import annotations

import pytest

from inzwa_rtc.errors import PeerError
from inzwa_rtc.settings import LimitSettings
from inzwa_rtc.transport.candidate import Reach
from inzwa_rtc.transport.offer import Offer, read_offer
from inzwa_rtc.transport.rtp import AUDIO_LEVEL
from inzwa_rtc.transport.terms import Wishes

LIMITS = LimitSettings()
REACH = Reach(has_loopback=False)
FINGERPRINT = ":".join(["AB"] * 32)
CANDIDATE = "candidate:1 1 udp 2122 192.0.2.1 50000 typ host"
TRANSPORT = (
    "a=ice-ufrag:abcd",
    "a=ice-pwd:" + "x" * 24,
    f"a=fingerprint:sha-256 {FINGERPRINT}",
    "a=setup:actpass",
)


def written(*sections: str, session: str = "") -> str:
    """An offer of these sections."""
    head = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"
    return head + session + "".join(sections)


def section(media: str, mid: str, *lines: str) -> str:
    every = (f"m={media}", "c=IN IP4 0.0.0.0", f"a=mid:{mid}", "a=sendrecv", *lines)
    return "".join(f"{line}\r\n" for line in every)


def audio(
    *lines: str, port: int = 9, mid: str = "0", transport: tuple[str, ...] = TRANSPORT
) -> str:
    every = ("a=rtcp-mux", "a=rtpmap:111 opus/48000/2", *transport, *lines)
    return section(f"audio {port} UDP/TLS/RTP/SAVPF 111", mid, *every)


def video(mid: str = "v", *lines: str) -> str:
    every = (*TRANSPORT, "a=rtcp-mux", "a=rtpmap:96 VP8/90000", *lines)
    return section("video 9 UDP/TLS/RTP/SAVPF 96 97", mid, *every)


def channel(mid: str = "d", *lines: str, transport: tuple[str, ...] = TRANSPORT) -> str:
    every = ("a=sctp-port:5000", *transport, *lines)
    return section("application 9 UDP/DTLS/SCTP webrtc-datachannel", mid, *every)


OFFER = written(audio())


def read(sdp: str) -> Offer:
    return read_offer(sdp, LIMITS, REACH)


def shown(sdp: str) -> list[str]:
    """The lines that aiortc is to parse."""
    return read(sdp).sdp.split("\r\n")


def test_a_browsers_audio_and_channel_take_part_over_one_transport() -> None:
    bundle = "a=group:BUNDLE 0 d\r\n"
    offer = read(written(audio(), channel(), session=bundle))
    assert (offer.taken, offer.bundled) == ((0, 1), (0, 1))
    lines = offer.sdp.split("\r\n")
    assert "a=group:BUNDLE 0 d" in lines
    assert "m=audio 9 UDP/TLS/RTP/SAVPF 111" in lines
    assert "m=application 9 UDP/DTLS/SCTP webrtc-datachannel" in lines


def test_what_takes_no_part_is_not_even_parsed() -> None:
    bundle = "a=group:BUNDLE v 0 two d more\r\n"
    second = audio(mid="two")
    offer = read(written(video(), audio(), second, channel(), session=bundle))
    assert (offer.taken, offer.bundled) == ((1, 3), (0, 1, 3))
    assert "video" not in offer.sdp
    assert "a=group:BUNDLE 0 d" in offer.sdp.split("\r\n")
    assert offer.sdp.count("m=") == 2


def test_a_section_that_is_off_takes_no_part_but_one_that_shares_a_transport_does() -> None:
    with pytest.raises(PeerError) as refused:
        read(written(audio(port=0)))
    assert refused.value.code == "no_audio"
    shared = written(video(), audio("a=bundle-only", port=0), session="a=group:BUNDLE v 0\r\n")
    assert read(shared).taken == (1,)


def test_what_a_section_leaves_out_is_that_of_the_one_whose_transport_it_shares() -> None:
    """Firefox says it once, of the first of them."""
    first = video("v", f"a={CANDIDATE}")
    bare = audio("a=bundle-only", port=0, transport=())
    lines = shown(written(first, bare, session="a=group:BUNDLE v 0\r\n"))
    assert set(TRANSPORT) <= set(lines)
    assert f"a={CANDIDATE}" in lines
    with pytest.raises(PeerError):
        read(written(first, bare))


def test_the_session_may_speak_for_its_sections() -> None:
    of_all = "".join(f"{line}\r\n" for line in TRANSPORT)
    assert set(TRANSPORT) <= set(shown(written(audio(transport=()), session=of_all)))


def test_audio_without_a_direction_goes_both_ways() -> None:
    """RFC 8866; aiortc breaks on it."""
    assert "a=sendrecv" in shown(OFFER.replace("a=sendrecv\r\n", ""))
    both = OFFER.replace("a=sendrecv", "a=recvonly")
    assert "a=recvonly" in shown(both)
    assert "a=sendrecv" not in shown(both)


def test_a_channel_that_says_little_has_the_usual_port() -> None:
    bare = channel().replace("a=sctp-port:5000\r\n", "")
    assert "a=sctp-port:5000" in shown(written(audio(), bare))
    assert "a=max-message-size:65536" in shown(written(audio(), bare))


def test_a_candidate_is_for_the_section_whose_transport_it_names() -> None:
    bundle = "a=group:BUNDLE v 0 d\r\n"
    offer = read(written(video(), audio(), channel(), session=bundle))
    assert [offer.section_of(mid, None) for mid in ("v", "0", "d")] == ["0", "0", "0"]
    assert [offer.section_of(None, line) for line in range(3)] == ["0", "0", "0"]
    apart = read(written(audio(), video(), channel()))
    assert [apart.section_of(mid, None) for mid in ("0", "v", "d")] == ["0", None, "d"]
    for mid, line in ((None, None), ("nope", 0), (None, 7), (None, -1)):
        with pytest.raises(PeerError) as refused:
            offer.section_of(mid, line)
        assert refused.value.code == "bad_candidate"


def test_sections_of_old_clients_are_given_names() -> None:
    old = written(audio(), channel()).replace("a=mid:0\r\n", "").replace("a=mid:d\r\n", "")
    offer = read(old)
    assert [one.mid for one in offer.sections] == ["0", "1"]
    assert offer.section_of(None, 1) == "1"


@pytest.mark.parametrize(
    ("lines", "wishes"),
    [
        ((), Wishes()),
        (("a=fmtp:111 minptime=10;useinbandfec=1",), Wishes()),
        (("a=fmtp:111 maxaveragebitrate=16000; stereo=1", "a=ptime:60"), Wishes(16_000, 60)),
        (("a=fmtp:96 maxaveragebitrate=16000", "a=maxptime:40"), Wishes(None, None, 40)),
        (("a=fmtp:111 maxaveragebitrate=x", "a=ptime:-1", "a=maxptime:²"), Wishes()),
        (("a=fmtp:111 maxaveragebitrate=" + "9" * 5000,), Wishes()),
    ],
    ids=["none", "others", "both", "another codec", "nonsense", "long"],
)
def test_what_the_caller_wants_to_receive_is_read(lines: tuple[str, ...], wishes: Wishes) -> None:
    assert read(written(audio(*lines))).wishes == wishes


def test_of_two_types_of_opus_the_one_that_the_caller_prefers_is_taken() -> None:
    """The order of the `m=` line decides (RFC 3264, section 5.1), not that of what follows."""
    two = written(audio("a=rtpmap:109 opus/48000/2")).replace("SAVPF 111", "SAVPF 109 111")
    assert "a=rtpmap:109 opus/48000/2" in shown(two)
    assert "a=rtpmap:111 opus/48000/2" not in shown(two)


def test_lines_that_cost_by_their_square_reach_no_parser() -> None:
    """aiortc gives each of 2,000 `rtcp-fb:*` to each of 900 codecs: seconds, and 250 MB."""
    many = [f"a=rtpmap:{n % 128} x{n}/8000" for n in range(900)] + ["a=rtcp-fb:* nack"] * 1900
    assert len(shown(written(audio(*many)))) < 40


def test_of_header_extensions_only_loudness_is_agreed_on_because_nobody_reads_others() -> None:
    level = f"a=extmap:3 {AUDIO_LEVEL}"
    lines = shown(written(audio("a=extmap:1 urn:a", level, f"a=extmap:4 {AUDIO_LEVEL}")))
    assert [one for one in lines if one.startswith("a=extmap")] == [level]


@pytest.mark.parametrize("number", ["0", "15", "300", "3/recvonly", "x"])
def test_loudness_is_not_agreed_on_under_a_number_that_takes_the_longer_form(number: str) -> None:
    lines = shown(written(audio(f"a=extmap:{number} {AUDIO_LEVEL}", "a=ssrc:x y")))
    assert not [one for one in lines if one.startswith(("a=extmap", "a=ssrc"))]


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
        (OFFER + video("0"), "bad_offer"),
        (OFFER.replace("a=mid:0", "a=mid:"), "bad_offer"),
        (OFFER.replace("a=mid:0", "a=mid:" + "x" * 65), "bad_offer"),
        (OFFER.replace("111", "5"), "no_audio"),
        (OFFER.replace("a=rtpmap:111", "a=rtpmap:110"), "no_audio"),
        (OFFER.replace("RTP/SAVPF", "RTP/AVP"), "no_audio"),
        (OFFER.replace("a=rtcp-mux\r\n", ""), "bad_offer"),
        (OFFER.replace("a=setup:actpass", "a=setup:nonsense"), "bad_offer"),
        (OFFER.replace("a=setup:actpass\r\n", ""), "bad_offer"),
        (OFFER.replace(FINGERPRINT, "AB:CD"), "bad_offer"),
        (OFFER + channel("d", transport=()), "bad_offer"),
        (OFFER + channel().replace("a=sctp-port:5000", "a=sctp-port:70000"), "bad_offer"),
        (OFFER + channel().replace("a=sctp-port:5000", "a=sctp-port:x"), "bad_offer"),
        (OFFER + channel("d", "a=max-message-size:x"), "bad_offer"),
        (OFFER + "a=candidate:1 1 udp\r\n", "bad_candidate"),
        (OFFER + "a=candidate:1 1 udp 1 192.0.2.1 5000 typ host\r\n" * 4000, "offer_too_large"),
        (OFFER + "a=candidate:1 1 udp 1 192.0.2.1 5000 typ host\r\n" * 33, "bad_offer"),
    ],
)
def test_nonsense_is_refused_before_it_costs_anything(offer: str, code: str) -> None:
    with pytest.raises(PeerError) as refused:
        read(offer)
    assert refused.value.code == code
    assert refused.value.action


@pytest.mark.parametrize("end", ["\n", "\r", "\x0b", "\x0c", "\x1c", "\x1e", "\x85", "\u2028"])
@pytest.mark.parametrize("line", ["m=video 9 X 1", "a=candidate:1 1 udp 1 192.0.2.1 5000 typ host"])
def test_no_line_end_that_aiortc_knows_hides_a_line_from_the_limits(line: str, end: str) -> None:
    hidden = end.join(["s=x", *[line] * 40])
    with pytest.raises(PeerError):
        read(f"{OFFER}{hidden}\r\n")
    few = end.join(["s=x", *["a=candidate:1 1 udp 1 224.0.0.1 5000 typ host"] * 3])
    assert read(f"{OFFER}{few}\r\n").sdp == read(OFFER).sdp


def test_hidden_candidates_are_dropped_from_the_offer() -> None:
    line = "a=candidate:1 1 udp 2122 abc.local 50000 typ host"
    offer = read(f"{OFFER}{line}\r\na={CANDIDATE}\r\na=end-of-candidates\r\n")
    assert offer.candidates == 1
    assert "local" not in offer.sdp
    assert "end-of-candidates" not in offer.sdp, "others are yet to be found"


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
        REACH.takes(junk)
