"""What of a text a model is given to speak."""

from __future__ import annotations

from unicodedata import category

_JOINERS = "\u200c\u200d"  # they change how Persian and Hindi are read
_LEFT_OUT = ("Cf", "Cs", "Co", "Cn")
_SPACES = ("Cc", "Zl", "Zp", "Zs")


def speakable(text: str) -> str:
    """The text without what no model was trained on: control and format characters, lone halves
    of surrogate pairs. All white space is single spaces.

    Empty where there is nothing to say: without a letter or a digit a model would make up sound.
    """
    kept = "".join(
        " " if category(sign) in _SPACES else sign
        for sign in text
        if sign in _JOINERS or category(sign) not in _LEFT_OUT
    )
    kept = " ".join(kept.split())
    return kept if any(sign.isalnum() for sign in kept) else ""
