"""Numbers as Shona texts write them: grouped by spaces, commas or not at all."""

from __future__ import annotations

import re

NUMBER = (
    r"(?P<whole>\d{1,3}(?:,\d{3}){1,6}(?!\d)|\d{1,3}(?:[\u0020\xa0\u202f]\d{3}){1,6}(?!\d|,\d)"
    r"|\d{1,40})(?:\.(?P<fraction>\d{1,40}))?"
)
ALONE = r"(?<![\w.,])"
_GROUPING = re.compile(r"[,\s]")


def plain(whole: str) -> int:
    return int(_GROUPING.sub("", whole))
