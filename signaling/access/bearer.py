"""What a request says of who asks."""

from __future__ import annotations

from aiohttp import web

from signaling.access import refusals


def bearer(request: web.Request) -> str | None:
    """What the header `Authorization` carries; None without one. Raises `PeerError` (401)."""
    header = request.headers.get("Authorization")
    if header is None:
        return None
    scheme, _, secret = header.partition(" ")
    if scheme.lower() != "bearer" or not secret.strip():
        raise refusals.not_a_bearer()
    return secret.strip()
