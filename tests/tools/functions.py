"""Functions that a test names in its configuration."""

from __future__ import annotations

import threading
import time
from typing import Any, Literal

from pydantic import BaseModel

released = threading.Event()


class Order(BaseModel):
    loaves: int
    kind: Literal["white", "brown"] = "white"


def bake(order: Order, name: str = "") -> str:
    """Takes an order for bread."""
    return f"{order.loaves} {order.kind} for {name or 'nobody'}"


async def stock(item: str) -> dict[str, Any]:
    """How many there are."""
    return {"item": item, "left": 3}


def breaks() -> str:
    """Breaks."""
    raise RuntimeError("the caller said this")


def hangs() -> str:
    """Waits for the test."""
    released.wait()
    return "late"


def silent(x: int) -> int:
    return x


def odd(thing: threading.Event) -> str:
    """Takes what JSON does not have."""
    return str(thing)


def positional(x: int, /) -> int:
    """Has no names."""
    return x


NUMBER = 7


def sleeps() -> str:
    """Hangs for longer than anybody waits."""
    time.sleep(3600)
    return "late"
