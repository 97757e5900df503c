"""The answer as the caller gets it: aiortc's own, with what it leaves out.

A section that takes no part is refused with port 0 and is in no bundle (RFC 3264, section 6;
RFC 9143, section 7.3.3): Safari takes a refused section within the bundle for an error, and
what is merely inactive keeps a decoder waiting at the caller's end. But for the first section of
a bundle: where others have no transport of their own, Chromium finds none when it is refused.
It is answered as inactive.
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
_SETTINGS = re.compile(r"[ -~]{1,400}")
# What clients want to read even of a section that is refused, aiortc's for one.
_TRANSPORT = ("a=ice-ufrag:", "a=ice-pwd:", "a=fingerprint:", "a=setup:", "a=rtcp-mux")


def answered(offer: Offer, sdp: str, terms: Terms) -> str:
    """The answer to all that was offered; `sdp` is aiortc's to what takes part."""
    session, sections = split(sdp.splitlines())
    ours = dict(zip(offer.taken, sections, strict=True))
    written = [
        _taken(ours[number], offered, terms)
        if number in ours
        else _silent(offered, sections[0])
        if number in offer.bundled
        else _refused(offered, sections[0])
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
    lines = [line for line in ours.lines if line.startswith(_TRANSPORT)]
    return _without_media(offered, 0, ["c=IN IP4 0.0.0.0", *lines])


def _silent(offered: Section, ours: Section) -> Section:
    kept = ("c=", "a=candidate:", "a=end-of-candidates", *_TRANSPORT)
    return _without_media(
        offered, ours.port, [line for line in ours.lines if line.startswith(kept)]
    )


def _without_media(offered: Section, port: int, transport: list[str]) -> Section:
    """With one of its formats, as it takes one at least."""
    start = f"{offered.formats[0]} "
    codecs = (v.removeprefix(start) for v in offered.values("rtpmap") if v.startswith(start))
    settings = (v for v in offered.values("fmtp") if v.startswith(start))
    lines = [
        *transport,
        f"a=mid:{offered.mid}",
        "a=inactive",
        *[f"a=rtpmap:{start}{codec}" for codec in codecs if _CODEC.fullmatch(codec)][:1],
        *[f"a=fmtp:{one}" for one in settings if _SETTINGS.fullmatch(one)][:1],
    ]
    # `c=` stands before all attributes (RFC 8866, section 5).
    lines.sort(key=lambda line: not line.startswith("c="))
    return replace(offered, port=port, formats=offered.formats[:1], lines=tuple(lines))
