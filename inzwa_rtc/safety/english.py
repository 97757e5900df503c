"""The forms of English words, made from the one that rules name."""

from __future__ import annotations

import re

_DOUBLES = re.compile(r"[^aeiou][aeiou][bdgklmnprt]$")


def verb(base: str) -> frozenset[str]:
    """A regular verb: `stab` makes stabs, stabbed, stabbing. The forms of others are named
    one by one."""
    if base.endswith("e"):
        return frozenset((base, f"{base}s", f"{base}d", f"{base[:-1]}ing"))
    if re.search(r"[^aeiou]y$", base):
        return frozenset((base, f"{base[:-1]}ies", f"{base[:-1]}ied", f"{base}ing"))
    ending = "es" if re.search(r"(s|x|z|ch|sh)$", base) else "s"
    stem = base
    if _DOUBLES.search(base) and len(re.findall("[aeiou]+", base)) == 1:
        stem = base + base[-1]
    return frozenset((base, f"{base}{ending}", f"{stem}ed", f"{stem}ing"))


def noun(base: str) -> frozenset[str]:
    """A noun with a regular plural."""
    if re.search(r"[^aeiou]y$", base):
        return frozenset((base, f"{base[:-1]}ies"))
    ending = "es" if re.search(r"(s|x|z|ch|sh)$", base) else "s"
    return frozenset((base, f"{base}{ending}"))
