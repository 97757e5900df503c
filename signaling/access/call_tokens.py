"""Whose each call is: what lets somebody change, read or end it, while it lives and for as long
after as a client may still ask for it."""

from __future__ import annotations

import hmac
from collections import OrderedDict
from dataclasses import dataclass, replace

from inzwa_rtc.events import EndReason
from signaling.access.caller import Caller

PREFIX = "ct_"

RESUME_S = 120.0
"""A token goes on being known for so long after its call."""

ENDED_MOST = 10_000  # the oldest go first: their clients are told what strangers are told


@dataclass(slots=True)
class Claim:
    """A call, who began it, and its token. Where `is_needed` is false, nothing is: for whoever
    began it with no token, in the manner of WHIP, on an open server."""

    call_id: str
    token: str
    owner: Caller
    is_needed: bool = True
    goes_on_with_start_token: bool = False
    ended_at: float | None = None
    ended: EndReason | None = None


class CallTokens:
    """The claims to all calls of late. Time is an argument, in seconds of any clock."""

    def __init__(self) -> None:
        self._claims: dict[str, Claim] = {}
        self._ended: OrderedDict[str, float] = OrderedDict()

    def __len__(self) -> int:
        return len(self._claims)

    @property
    def users(self) -> set[str]:
        """In whose names calls were begun."""
        return {claim.owner.user for claim in self._claims.values() if claim.owner.user is not None}

    def user_of(self, call_id: str) -> str | None:
        """In whose name the call was begun."""
        claim = self._claims.get(call_id)
        return None if claim is None else claim.owner.user

    def begin(self, claim: Claim) -> None:
        """The call has been let in."""
        self._claims[claim.call_id] = claim

    def told_nothing(self, call_id: str) -> None:
        """The answer had no place for the token, as in WHIP, whose clients send with every
        request what they have sent with the first one: a start token goes on as one of the
        call's. A key opens the call anyway; with neither, knowing the call's id has to do."""
        claim = self._claims[call_id]
        claim.goes_on_with_start_token = claim.owner.start_token is not None
        claim.is_needed = claim.goes_on_with_start_token or claim.owner.key_id is not None

    def end(self, call_id: str, now: float, reason: EndReason | None = None) -> None:
        """The call is over, for this reason; without one it never began."""
        claim = self._claims[call_id]
        if claim.ended_at is not None:
            return
        claim.ended_at, claim.ended = now, reason
        self._ended[call_id] = now
        while self._ended:
            oldest, ended_at = next(iter(self._ended.items()))
            if now - ended_at < RESUME_S and len(self._ended) <= ENDED_MOST:
                return
            del self._ended[oldest], self._claims[oldest]

    def knows(self, call_id: str, now: float) -> bool:
        """Whether there is such a call, or was of late."""
        return self._at(call_id, now) is not None

    def why_ended(self, call_id: str) -> EndReason | None:
        """Why the call is over, as far as it is known; None for one that never began."""
        claim = self._claims.get(call_id)
        return None if claim is None else claim.ended

    def forget_user(self, user: str) -> None:
        """Their calls are nobody's from now on."""
        for claim in self._claims.values():
            if claim.owner.user == user:
                claim.owner = replace(claim.owner, user=None)

    def held(self, call_id: str, secret: str, now: float) -> Claim | None:
        """The claim that this token is for; None for any other token, and for no call."""
        claim = self._at(call_id, now)
        if claim is None:
            return None
        start_token = claim.owner.start_token if claim.goes_on_with_start_token else None
        is_its_own = [_same(secret, one) for one in (claim.token, start_token) if one]
        return claim if any(is_its_own) else None

    def of_key(self, call_id: str, key_id: str, now: float) -> Claim | None:
        """The claim, where the call was begun with this key, or with a start token that was
        made with it."""
        claim = self._at(call_id, now)
        return claim if claim is not None and claim.owner.key_id == key_id else None

    def of_nobody(self, call_id: str, now: float) -> Claim | None:
        """The claim, where no token is needed."""
        claim = self._at(call_id, now)
        return claim if claim is not None and not claim.is_needed else None

    def _at(self, call_id: str, now: float) -> Claim | None:
        claim = self._claims.get(call_id)
        if claim is None or (claim.ended_at is not None and now - claim.ended_at >= RESUME_S):
            return None
        return claim


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(
        one.encode("utf-8", "surrogatepass"), other.encode("utf-8", "surrogatepass")
    )
