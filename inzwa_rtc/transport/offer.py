"""What of an SDP offer takes part in a call: decided before aiortc parses any of it.

aiortc is shown the first audio section with Opus and the first data channel, and of these only
the lines that it needs: its parser takes time and memory by the square of some of the others.
Whatever else was offered is refused in the answer (`answer.py`). Sans-I/O; each refusal of a
whole offer says why.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from inzwa_rtc.errors import PeerError
from inzwa_rtc.settings import LimitSettings
from inzwa_rtc.transport.candidate import Reach
from inzwa_rtc.transport.rtp import AUDIO_LEVEL
from inzwa_rtc.transport.sdp import Section, bundles, joined, split
from inzwa_rtc.transport.terms import Wishes

DIRECTIONS = ("sendrecv", "sendonly", "recvonly", "inactive")
_ACTION = "Send the SDP of RTCPeerConnection.createOffer() unchanged."
_FINGERPRINT = re.compile(r"sha-(?:256|384|512) (?:[0-9A-Fa-f]{2}:){31,63}[0-9A-Fa-f]{2}")
_UFRAG = re.compile(r"[A-Za-z0-9+/]{4,256}")
_PASSWORD = re.compile(r"[A-Za-z0-9+/]{22,256}")
_MID = re.compile(r"[!-~]{1,64}")
_OPUS = re.compile(r"([0-9]{1,3}) opus/48000/2", re.I)
# Of header extensions, the one for loudness (RFC 6464): a number of RFC 8285's form of one byte.
_LEVEL = re.compile(rf"a=extmap:(?:[1-9]|1[0-4]) {re.escape(AUDIO_LEVEL)}")
_DYNAMIC = range(96, 128)  # payload types that aiortc takes as they are offered
_SSRC = re.compile(r"[0-9]{1,10} cname:[!-~]{1,255}")
_NUMBER = re.compile(r"[0-9]{1,9}")
_SCTP_PORT, _MESSAGE_BYTES = 5000, 65_536  # where an offer names none (RFC 8841)


@dataclass(frozen=True, slots=True)
class Offer:
    """An offer that a call can be made of.

    `sdp` is what aiortc is to parse; `sections` are all that were offered, of which those at
    `taken` take part. Those at `bundled` share one transport, the first section of the bundle
    among them though it may take no part. `candidates` counts the addresses that are kept, and
    `wishes` are the caller's for what they are sent.
    """

    sdp: str
    sections: tuple[Section, ...]
    taken: tuple[int, ...]
    bundled: tuple[int, ...]
    candidates: int
    wishes: Wishes

    def section_of(self, mid: str | None, line: int | None) -> str | None:
        """The name of the section whose transport a trickled candidate is for; None where it is
        for one that was refused. Raises `PeerError` where there is no such section."""
        for number, section in enumerate(self.sections):
            if (section.mid == mid) if mid is not None else (number == line):
                is_shared = number in self.bundled or number not in self.taken
                shared = (one for one in self.bundled if one in self.taken)
                place = next(shared, None) if is_shared else number
                return None if place is None else self.sections[place].mid
        raise PeerError(
            "The ICE candidate is for no media section of the offer.",
            action="Send the browser's own RTCIceCandidate, with sdpMid or sdpMLineIndex.",
            code="bad_candidate",
        )


def read_offer(sdp: str, limits: LimitSettings, reach: Reach) -> Offer:
    """Of its candidates those within reach are kept. Raises `PeerError` (400, or 413 when it is
    too large)."""
    if len(sdp) > limits.offer:
        raise PeerError(
            f"The offer is larger than {limits.offer} bytes.",
            action=_ACTION,
            code="offer_too_large",
            status=413,
        )
    if not sdp.startswith("v=0") or "\x00" in sdp:
        raise _refused("This is not SDP.")
    lines = sdp.splitlines()  # as aiortc does: it sees no line but those that are seen here
    if not 0 < sum(line.startswith("m=") for line in lines) <= limits.media_sections:
        raise _refused(f"The offer must have 1 to {limits.media_sections} media sections.")
    if sum(line.startswith("a=candidate:") for line in lines) > limits.candidates:
        raise _refused(f"The offer has more than {limits.candidates} ICE candidates.")
    try:
        session, found = split(lines)
    except ValueError:
        raise _refused("A media section of the offer is malformed.") from None
    return _Reading(session, _named(found), reach).offer()


def _named(sections: Iterable[Section]) -> tuple[Section, ...]:
    """The sections, each of which has a name of its own: those of old clients are given one."""
    named = [
        section if section.mid is not None else _with(section, f"a=mid:{number}")
        for number, section in enumerate(sections)
    ]
    mids = [section.mid or "" for section in named]
    if len(set(mids)) < len(mids) or not all(map(_MID.fullmatch, mids)):
        raise _refused("Media sections of the offer have the same name, or a malformed one.")
    return tuple(named)


class _Reading:
    """One offer while it is read."""

    def __init__(self, session: list[str], sections: tuple[Section, ...], reach: Reach) -> None:
        self._session = session
        self._reach = reach
        self._sections = sections
        self._audio, self._payload = self._find_audio()
        self._data = next((n for n, s in enumerate(sections) if _is_data_channel(s)), None)

    def offer(self) -> Offer:
        places = range(len(self._sections))
        taken = tuple(n for n in places if n in (self._audio, self._data))
        group = self._group()
        shared = [n for n in taken if self._sections[n].mid in group]
        bundled = tuple(n for n in places if n in shared or self._is_first(n, group))
        shown = [self._shown(n, group) for n in taken]
        head = ["v=0", "o=- 0 0 IN IP4 0.0.0.0", "s=-", "t=0 0", "a=msid-semantic:WMS *"]
        head += [line for line in self._session if line == "a=ice-lite"][:1]
        if shared:
            head.append("a=group:BUNDLE " + " ".join(self._sections[n].mid or "" for n in shared))
        return Offer(
            joined(head) + "".join(section.text() for section in shown),
            self._sections,
            taken,
            bundled,
            sum(len(section.values("candidate")) for section in shown),
            _wishes(self._sections[self._audio], self._payload),
        )

    def _find_audio(self) -> tuple[int, str]:
        """Which section is the caller's voice, and its payload type."""
        for number, section in enumerate(self._sections):
            if section.kind != "audio" or not section.takes_part:
                continue
            if not section.protocol.endswith(("RTP/SAVPF", "RTP/SAVP")):
                continue
            named = filter(None, map(_OPUS.fullmatch, section.values("rtpmap")))
            opus = {match[1] for match in named if int(match[1]) in _DYNAMIC}
            # In the order in which the caller prefers them (RFC 3264, section 5.1).
            if payload := next((one for one in section.formats if one in opus), None):
                return number, payload
        raise PeerError(
            "The offer has no audio in Opus.",
            action="Add an audio track or transceiver, and allow Opus, before createOffer().",
            code="no_audio",
        )

    def _group(self) -> list[str]:
        """The names of all sections that share the voice's transport, refused ones too."""
        mid = self._sections[self._audio].mid
        return next((group for group in bundles(self._session) if mid in group), [])

    def _is_first(self, number: int, group: list[str]) -> bool:
        """Whether it is the section of media that the others of the bundle have named first."""
        section = self._sections[number]
        is_media = section.kind in ("audio", "video") and section.takes_part
        return is_media and section.mid in group[:1]

    def _shown(self, number: int, group: list[str]) -> Section:
        """The section as aiortc is to see it."""
        section = self._sections[number]
        lines = [f"a=mid:{section.mid}", *self._transport(section, group)]
        if number == self._audio:
            lines += self._of_audio(section)
            return replace(section, port=9, formats=(self._payload,), lines=tuple(lines))
        return replace(section, port=9, lines=(*lines, *_of_data_channel(section)))

    def _of_audio(self, section: Section) -> Iterator[str]:
        directions = (line[2:] for line in (*section.lines, *self._session))
        yield f"a={next((one for one in directions if one in DIRECTIONS), 'sendrecv')}"
        if "a=rtcp-mux" not in section.lines:
            raise _refused("The offer's audio needs a port of its own for RTCP.")
        yield "a=rtcp-mux"
        yield f"a=rtpmap:{self._payload} opus/48000/2"
        yield from list(filter(_LEVEL.fullmatch, section.lines))[:1]
        yield from (f"a=ssrc:{v}" for v in filter(_SSRC.fullmatch, section.values("ssrc")[:1]))

    def _transport(self, section: Section, group: list[str]) -> Iterator[str]:
        """ICE and DTLS: what is not said of a section is said of the session, or of the section
        that the others share the transport of (RFC 9143, section 7.1.3)."""
        shared = [s for s in self._sections if s.mid == group[0]] if section.mid in group else []
        session = Section("", 0, "", (), tuple(self._session))
        places = (section, session, *shared)

        def said(name: str) -> list[str]:
            return next((values for place in places if (values := place.values(name))), [])

        prints = [one for one in said("fingerprint") if _FINGERPRINT.fullmatch(one)]
        if not prints:
            raise _refused("The offer has no DTLS fingerprint (SHA-256 or better).")
        ufrag, password = said("ice-ufrag")[:1], said("ice-pwd")[:1]
        if not any(map(_UFRAG.fullmatch, ufrag)) or not any(map(_PASSWORD.fullmatch, password)):
            raise _refused("The offer has no ICE user name and password.")
        if said("setup")[:1] not in (["actpass"], ["active"], ["passive"]):
            raise _refused("The offer does not say who begins DTLS (`a=setup`).")
        yield from (f"a=fingerprint:{one}" for one in prints[:4])
        yield f"a=ice-ufrag:{ufrag[0]}"
        yield f"a=ice-pwd:{password[0]}"
        yield f"a=setup:{said('setup')[0]}"
        # `a=end-of-candidates` is left out: a caller may come from an address they did not name.
        of_same = [s for s in shared if not s.values("ice-ufrag") or s.value("ice-ufrag") in ufrag]
        named = dict.fromkeys(v for place in (section, *of_same) for v in place.values("candidate"))
        yield from (f"a=candidate:{v}" for v in named if self._reach.takes(f"candidate:{v}"))


def _is_data_channel(section: Section) -> bool:
    if section.kind != "application" or not section.takes_part:
        return False
    if section.protocol == "DTLS/SCTP":  # as browsers wrote it before RFC 8841
        return bool(_NUMBER.fullmatch(section.formats[0])) and int(section.formats[0]) <= 65535
    is_sctp = section.protocol in ("UDP/DTLS/SCTP", "TCP/DTLS/SCTP")
    return is_sctp and "webrtc-datachannel" in section.formats


def _of_data_channel(section: Section) -> Iterator[str]:
    port = section.value("sctp-port") or str(_SCTP_PORT)
    size = section.value("max-message-size") or str(_MESSAGE_BYTES)
    if not _NUMBER.fullmatch(port) or not 0 < int(port) <= 65535:
        raise _refused("The data channel's port is malformed.")
    if not size.isascii() or not size.isdigit() or len(size) > 20:
        raise _refused("The data channel's greatest message is malformed.")
    yield f"a=sctp-port:{port}"
    yield f"a=max-message-size:{size}"


def _wishes(section: Section, payload: str) -> Wishes:
    start = f"{payload} "
    given = [v.removeprefix(start) for v in section.values("fmtp") if v.startswith(start)]
    named = dict(part.strip().partition("=")[::2] for v in given[:1] for part in v.split(";"))
    return Wishes(
        _number(named.get("maxaveragebitrate")),
        _number(section.value("ptime")),
        _number(section.value("maxptime")),
    )


def _number(value: str | None) -> int | None:
    """What is no number says nothing, as RFC 8866 has it of attributes that make no sense."""
    return int(value) if value is not None and _NUMBER.fullmatch(value) else None


def _with(section: Section, line: str) -> Section:
    return replace(section, lines=(*section.lines, line))


def _refused(message: str) -> PeerError:
    return PeerError(message, action=_ACTION, code="bad_offer")
