"""Numbers in the words of a language, by num2words."""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache

MAX_DIGITS = 15  # above this nobody follows a number in words: it is said digit by digit
MAX_ORDINAL_DIGITS = 9  # num2words calls itself without end on longer ones in some languages

# Where the converters of num2words end: Amharic's does not return above a million, those of India
# have no words from ten billion up.
_LONGEST = {"am": 6, "en_IN": 10, "kn": 10, "te": 10}


class Numbers:
    """A language's number words. What num2words has no words for is said digit by digit, so that
    any number is said. `ValueError` for a language that it does not know."""

    def __init__(self, tag: str) -> None:
        self._code = _code(tag)
        self._max_digits = _LONGEST.get(self._code, MAX_DIGITS)

    def cardinal(self, number: int) -> str:
        """The number without its sign."""
        number = abs(number)
        return self._words(number, "cardinal") or self.digits(str(number))

    def signed(self, number: int) -> str:
        said = self.cardinal(number)
        return self.negative(said) if number < 0 else said

    def ordinal(self, number: int) -> str:
        """The cardinal where a language has no ordinals, or none so large."""
        number = abs(number)
        said = self._words(number, "ordinal") if number < 10**MAX_ORDINAL_DIGITS else None
        return said or self.cardinal(number)

    def year(self, number: int) -> str:
        return self._words(number, "year") or self.cardinal(number)

    def decimal(self, whole: str, fraction: str) -> str:
        """A number with its fraction, both in figures."""
        whole = whole or "0"
        said = None
        # num2words counts in 28 digits: what is longer would be rounded.
        if len(whole) + len(fraction) <= 2 * MAX_DIGITS - 4:
            said = self._words(Decimal(f"{whole}.{fraction}"), "cardinal")
        return said or f"{self.whole(whole)}, {self.digits(fraction)}"

    def money(self, amount: Decimal, currency: str) -> str | None:
        """An amount with its hundredths, as "six euros and fifty cents"; None where num2words
        does not know the currency in this language."""
        return self._words(amount, "currency", currency)

    def negative(self, said: str) -> str:
        """A number that is said already, below zero: with the language's own word for minus."""
        one, minus_one = self.cardinal(1), self._words(-1, "cardinal") or ""
        head, found, tail = minus_one.partition(one)
        return f"{head}{said}{tail}" if found else f"- {said}"

    def digits(self, figures: str) -> str:
        """Digit by digit: "one zero one"."""
        return " ".join(
            self._words(int(figure), "cardinal") or figure
            for figure in figures
            if figure.isdecimal()
        )

    def whole(self, figures: str) -> str:
        """A whole number as it is written; long ones and those with a leading zero digit by
        digit."""
        if len(figures) > MAX_DIGITS or (figures.startswith("0") and len(figures) > 1):
            return self.digits(figures)
        return self.cardinal(int(figures))

    def _words(self, number: int | Decimal, form: str, currency: str = "") -> str | None:
        if abs(number) >= 10**self._max_digits:
            return None
        return _said(self._code, number, form, currency)


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


@lru_cache(maxsize=1024)
def _said(code: str, number: int | Decimal, form: str, currency: str) -> str | None:
    """What num2words says; None for a number or a form that it does not know."""
    from num2words import num2words

    options = {"currency": currency} if currency else {}
    try:
        words = str(num2words(number, lang=code, to=form, **options))
    except Exception:  # noqa: BLE001
        # Its languages raise what they like (TypeError, KeyError, OverflowError, ...) for what
        # they do not know, and a number must never end a call.
        return None
    return " ".join(words.replace(",", "").split())
