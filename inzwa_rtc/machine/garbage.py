"""Python's collector of reference cycles, kept from stopping everything for long.

A full collection looks at every object there is, and nothing else runs meanwhile: with the 350,000
that a server has after its start, for a tenth of a second and more, in which no call is sent
anything.
"""

from __future__ import annotations

import gc


def keep_what_is_loaded() -> None:
    """What is there now stays until the end: no collection looks at it again. To be called once
    nearly all is loaded, before anybody calls: it takes as long as what it spares."""
    gc.collect()
    gc.freeze()
    gc.collect()  # the next full one comes by how many objects it looked at this time
