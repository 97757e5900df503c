"""What an SDP offer or a candidate may contain: checked before aiortc parses it.

Parsing costs time per candidate squared and some nonsense is answered rather
than refused, so the limits stand here. Sans-I/O; each refusal says why.
"""

from __future__ import annotations

import ipaddress
import re

from inzwa_rtc.errors import PeerError
from inzwa_rtc.settings import LimitSettings

_ACTION = "Send the SDP of RTCPeerConnection.createOffer() unchanged."
_FINGERPRINT = re.compile(r"^a=fingerprint:sha-(?:256|384|512) [0-9A-Fa-f:]{95,191}$", re.M)
_UFRAG = re.compile(r"^a=ice-ufrag:[A-Za-z0-9+/]{4,256}$", re.M)
_PASSWORD = re.compile(r"^a=ice-pwd:[A-Za-z0-9+/]{22,256}$", re.M)
_OPUS = re.compile(r"^a=rtpmap:[0-9]{1,3} opus/48000/2$", re.M | re.I)
_MEDIA = re.compile(r"m=(\S+) ([0-9]{1,5}) \S+ \S.*")
_NUMBER = re.compile(r"-?[0-9]{1,10}")
_CANDIDATE_FIELDS = 8


def check_offer(sdp: str, limits: LimitSettings) -> str:
    """The offer as it may be parsed, without candidates that cannot be reached.

    Raises `PeerError` (400, or 413 when it is too large).
    """
    if len(sdp) > limits.offer:
        raise PeerError(
            f"The offer is larger than {limits.offer} bytes.",
            action=_ACTION,
            code="offer_too_large",
            status=413,
        )
    if not sdp.startswith("v=0") or "\x00" in sdp:
        raise _refused("This is not SDP.")
    lines = sdp.splitlines()  # as aiortc does: it sees exactly the lines that are checked here
    _check_media(lines, limits)
    text = "\n".join(lines)
    if not _FINGERPRINT.search(text):
        raise _refused("The offer has no DTLS fingerprint (SHA-256 or better).")
    if not _UFRAG.search(text) or not _PASSWORD.search(text):
        raise _refused("The offer has no ICE user name and password.")
    candidates = [line for line in lines if line.startswith("a=candidate:")]
    if len(candidates) > limits.candidates:
        raise _refused(f"The offer has more than {limits.candidates} ICE candidates.")
    return "".join(
        f"{line}\r\n"
        for line in lines
        if not line.startswith("a=candidate:") or is_reachable(line.removeprefix("a="))
    )


def _check_media(lines: list[str], limits: LimitSettings) -> None:
    starts = [number for number, line in enumerate(lines) if line.startswith("m=")]
    if not 0 < len(starts) <= limits.media_sections:
        raise _refused(f"The offer must have 1 to {limits.media_sections} media sections.")
    media = [_MEDIA.fullmatch(lines[start]) for start in starts]
    if not all(match and int(match[2]) <= 65535 for match in media):
        raise _refused("A media section of the offer is malformed.")
    sections = [
        lines[start:end] for start, end in zip(starts, [*starts[1:], len(lines)], strict=True)
    ]
    audio = next((section for section in sections if section[0].startswith("m=audio ")), [])
    if not _OPUS.search("\n".join(audio)):
        raise PeerError(
            "The offer has no audio in Opus.",
            action="Add an audio track or transceiver, and allow Opus, before createOffer().",
            code="no_audio",
        )


def is_reachable(candidate: str) -> bool:
    """Whether to try this ICE candidate (`candidate:...`, RFC 8839) at all.

    Hidden names (`.local`) are left out: such a caller is found by the address its
    packets come from. So are addresses that must not be probed: multicast,
    link-local, broadcast, and system ports. Raises `PeerError` on nonsense.
    """
    fields = candidate.removeprefix("candidate:").split()
    is_whole = len(fields) >= _CANDIDATE_FIELDS and fields[6] == "typ"
    if not is_whole or not all(_NUMBER.fullmatch(fields[place]) for place in (1, 3, 5)):
        raise _refused("An ICE candidate is malformed.", code="bad_candidate")
    component, port = int(fields[1]), int(fields[5])
    if fields[2].lower() != "udp" or component != 1 or not 1024 <= port <= 65535:
        return False
    if fields[7] not in ("host", "srflx", "relay"):
        return False
    try:
        address = ipaddress.ip_address(fields[4])
    except ValueError:
        return False  # a host name, `.local` ones included
    is_broadcast = address == ipaddress.IPv4Address("255.255.255.255")
    is_ipv4_link_local = address.version == 4 and address.is_link_local
    return not (
        address.is_multicast or address.is_unspecified or is_broadcast or is_ipv4_link_local
    )


def with_opus_preferences(sdp: str, bitrate: int) -> str:
    """The answer with what we would like to be sent: mono, with FEC, without DTX (RFC 7587).

    aiortc writes no format parameters for Opus.
    """
    lines: list[str] = []
    for line in sdp.split("\r\n"):
        match = re.match(r"a=rtpmap:(\d+) opus/48000/2$", line)
        lines.append(line)
        if match:
            lines.append(
                f"a=fmtp:{match[1]} minptime=10;useinbandfec=1;stereo=0;sprop-stereo=0;"
                f"maxaveragebitrate={bitrate};usedtx=0"
            )
    return "\r\n".join(lines)


def _refused(message: str, code: str = "bad_offer") -> PeerError:
    return PeerError(message, action=_ACTION, code=code)
