"""Numbers in the words of a language, by num2words."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from functools import lru_cache

MAX_DIGITS = 15  # above this nobody follows a number in words: it is said digit by digit


class Numbers:
    """A language's number words. `ValueError` where num2words has none."""

    def __init__(self, tag: str) -> None:
        self._code = _code(tag)

    def cardinal(self, number: int) -> str:
        return _said(self._code, abs(number), "cardinal")

    def ordinal(self, number: int) -> str:
        return _said(self._code, number, "ordinal")

    def year(self, number: int) -> str:
        return _said(self._code, number, "year")

    def decimal(self, whole: str, fraction: str) -> str:
        try:
            return _said(self._code, Decimal(f"{whole or 0}.{fraction}"), "cardinal")
        except InvalidOperation:
            return self.digits(whole + fraction)

    def negative(self, said: str) -> str:
        """A number that is said already, below zero: with the language's own word for minus."""
        one, minus_one = self.cardinal(1), _said(self._code, -1, "cardinal")
        head, found, tail = minus_one.partition(one)
        return f"{head}{said}{tail}" if found else f"- {said}"

    def digits(self, figures: str) -> str:
        """Digit by digit: "one zero one"."""
        return " ".join(self.cardinal(int(figure)) for figure in figures if figure.isdecimal())

    def whole(self, figures: str) -> str:
        """A whole number as it is written; long ones and those with a leading zero digit by
        digit."""
        if len(figures) > MAX_DIGITS or (figures.startswith("0") and len(figures) > 1):
            return self.digits(figures)
        return self.cardinal(int(figures))


def knows(tag: str) -> bool:
    """Whether there are number words for this language."""
    try:
        _code(tag)
    except ValueError:
        return False
    return True


def _code(tag: str) -> str:
    from num2words import CONVERTER_CLASSES  # 50 ms: only when a text is read

    parts = tag.replace("_", "-").split("-")
    base = {"nb": "no", "nn": "no", "kk": "kz"}.get(parts[0].lower(), parts[0].lower())
    for code in (f"{base}_{parts[-1].upper()}", base):
        if code in CONVERTER_CLASSES:
            return code
    raise ValueError(f"num2words has no number words for {tag!r}")


_UNKNOWN = (
    NotImplementedError,
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
)  # what num2words raises, by language, for a number or a form that it does not know


@lru_cache(maxsize=1024)
def _said(code: str, number: int | Decimal, form: str) -> str:
    from num2words import num2words

    try:
        words = str(num2words(number, lang=code, to=form))
    except _UNKNOWN as error:
        if form == "cardinal":
            raise ValueError(f"num2words does not say {number} in {code}") from error
        return _said(code, number, "cardinal")  # no ordinals or years in this language
    return " ".join(words.replace(",", "").split())
