"""Language tags (BCP 47)."""

from __future__ import annotations


def base_language(tag: str) -> str:
    """The language without region or script, in lower case: `en` of `EN-gb`."""
    return tag.partition("-")[0].lower()
