"""Language tags (BCP 47)."""

from __future__ import annotations


def base_language(tag: str) -> str:
    """The language without region or script, in lower case: `en` of `EN-gb` and of `en_GB`."""
    return with_hyphens(tag).partition("-")[0].lower()


def with_hyphens(tag: str) -> str:
    """The tag as BCP 47 writes it: `en-GB` of `en_GB`, as POSIX has it."""
    return tag.replace("_", "-")
