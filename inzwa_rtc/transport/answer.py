"""The answer as the caller gets it: aiortc's own, with what it leaves out.

A section that takes no part is refused with port 0 and is in no bundle (RFC 3264, section 6;
RFC 9143, section 7.3.3): Safari takes a refused section within the bundle for an error, and
what is merely inactive keeps a transport and a decoder waiting at the caller's end.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from inzwa_rtc.transport.offer import Offer
from inzwa_rtc.transport.sdp import Section, joined, split
from inzwa_rtc.transport.terms import Terms

_OPUS = re.compile(r"a=rtpmap:([0-9]+) opus/48000/2")
_CODEC = re.compile(r"[A-Za-z0-9.+-]{1,32}/[0-9]{1,9}(?:/[0-9]{1,2})?")
# What clients want to read even of a section that is refused, aiortc's for one.
_TRANSPORT = ("a=ice-ufrag:", "a=ice-pwd:", "a=fingerprint:", "a=setup:", "a=rtcp-mux")


def answered(offer: Offer, sdp: str, terms: Terms) -> str:
    """The answer to all that was offered; `sdp` is aiortc's to what takes part."""
    session, sections = split(sdp.splitlines())
    ours = dict(zip(offer.taken, sections, strict=True))
    first = sections[0]
    written = [
        _taken(ours[number], offered, terms) if number in ours else _refused(offered, first)
        for number, offered in enumerate(offer.sections)
    ]
    names = " ".join(offer.sections[number].mid or "" for number in offer.bundled)
    head = [line for line in session if not line.startswith("a=group:")]
    bundle = [f"a=group:BUNDLE {names}"] if names else []
    return joined([*head, *bundle]) + "".join(section.text() for section in written)


def _taken(section: Section, offered: Section, terms: Terms) -> Section:
    """aiortc writes no format parameters of Opus, and always the same protocol."""
    lines = tuple(section.lines)
    if section.kind == "audio":
        lines = tuple(line for given in lines for line in _with_terms(given, terms))
        lines += terms.packets()
    return replace(section, protocol=offered.protocol, lines=lines)


def _with_terms(line: str, terms: Terms) -> Iterator[str]:
    yield line
    if match := _OPUS.fullmatch(line):
        yield f"a=fmtp:{match[1]} {terms.parameters()}"


def _refused(offered: Section, ours: Section) -> Section:
    start = f"{offered.formats[0]} "
    codecs = (v.removeprefix(start) for v in offered.values("rtpmap") if v.startswith(start))
    lines = [
        "c=IN IP4 0.0.0.0",
        f"a=mid:{offered.mid}",
        "a=inactive",
        *(f"a=rtpmap:{start}{codec}" for codec in codecs if _CODEC.fullmatch(codec)),
        *(line for line in ours.lines if line.startswith(_TRANSPORT)),
    ]
    return replace(offered, port=0, formats=offered.formats[:1], lines=tuple(lines))
