"""What of the libraries has to be there."""

from __future__ import annotations


class Unhooked(RuntimeError):
    """A version of aiortc or aioice that is built in another way than ours relies on."""


def need(owner: object, *names: str) -> None:
    """Raises `Unhooked`."""
    for name in names:
        if not hasattr(owner, name):
            raise Unhooked(f"{type(owner).__name__} has no {name} any more: read its new version")
