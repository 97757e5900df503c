"""All that reaches into aiortc and aioice, which have no public way to it: in this room alone.

aiortc keeps ICE, DTLS, SCTP, SDP and RTCP. Its audio path is passed over: datagrams that carry
RTP are decrypted and handed on where they arrive, and packets leave at once, without a task, a
queue or a thread of a call's own. Each hook looks for what it replaces before it does, so that
another version of the libraries fails loudly instead of leaving a caller unheard.
"""

from inzwa_rtc.transport.hooks.datagrams import MAX_DATAGRAM, limit_datagrams
from inzwa_rtc.transport.hooks.ending import abandon
from inzwa_rtc.transport.hooks.gate import Gate, MediaPort, open_gates
from inzwa_rtc.transport.hooks.gathering import gather_with
from inzwa_rtc.transport.hooks.lane import AudioLane
from inzwa_rtc.transport.hooks.needed import Unhooked

__all__ = [
    "MAX_DATAGRAM",
    "AudioLane",
    "Gate",
    "MediaPort",
    "Unhooked",
    "abandon",
    "gather_with",
    "limit_datagrams",
    "open_gates",
]
