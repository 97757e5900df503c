"""Why somebody is not let in. None of it tells what there is behind the door."""

from __future__ import annotations

from typing import Literal

from inzwa_rtc.errors import PeerError


def nobody() -> PeerError:
    """Who asks has not said so."""
    return PeerError(
        "This server asks who you are.",
        action="Send the header `Authorization: Bearer` with an API key or a token of this server;"
        " docs/access.md says how to get one.",
        code="key_needed",
        status=401,
    )


def not_a_bearer() -> PeerError:
    """The header is of another kind."""
    return PeerError(
        "The header `Authorization` is not understood.",
        action="Send `Authorization: Bearer` with an API key or a token.",
        code="bad_authorization",
        status=401,
    )


def unknown() -> PeerError:
    """There is no such key."""
    return PeerError(
        "This key or token is not known, or works no more.",
        action="Check that it is whole; the operator can make a new one.",
        code="key_unknown",
        status=401,
    )


def token_spent() -> PeerError:
    """There is no such start token."""
    return PeerError(
        "This start token is not known: it was used, or it is too old.",
        action="Ask for a new one with POST /v1/tokens; each starts one call, within a minute.",
        code="token_spent",
        status=401,
    )


def only_for_calls() -> PeerError:
    """A start token does nothing else."""
    return PeerError(
        "A start token starts a call and nothing else.",
        action="Use an API key here, from a server of your own.",
        code="token_not_for_this",
        status=403,
    )


def not_for_calls() -> PeerError:
    """A key without the scope."""
    return PeerError(
        "This key may not call.",
        action="Use one with the scope `call`.",
        code="scope_missing",
        status=403,
    )


def not_your_user() -> PeerError:
    """A key of somebody else's."""
    return PeerError(
        "This key belongs to another user.",
        action="Leave the header X-Inzwa-User out, or use a key that belongs to nobody.",
        code="not_your_user",
        status=403,
    )


def operator_only(status: Literal[401, 403] = 401) -> PeerError:
    """Administration needs a key of its own."""
    return PeerError(
        "This is for the operator.",
        action="Send the header `Authorization: Bearer KEY` with a key that has the scope `admin`"
        " (`inzwa-rtc keys create NAME --scope admin`), or with the `admin_key`.",
        code="operator_only",
        status=status,
    )


def call_token_needed() -> PeerError:
    """Nobody has said whose call it is."""
    return PeerError(
        "A call is changed, read and ended with its token.",
        action="Send the header `Authorization: Bearer` with the `call_token` that came when it"
        " began, or with the API key that began it.",
        code="call_token_needed",
        status=401,
    )


def no_such_call() -> PeerError:
    """There is none for whoever asks."""
    return PeerError(
        "There is no such call, or it has ended.",
        action="Start a new call with POST /v1/calls.",
        code="no_such_call",
        status=404,
    )
