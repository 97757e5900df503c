"""Shona numerals. The last unit of a number agrees with the class of what is counted."""

from __future__ import annotations

from inzwa_rtc.speech.text.shona.data import said, words

CLASS_OF_POWERS = 6  # makumi, mazana, mamiriyoni
CLASS_OF_THOUSANDS = 8  # zviuru
MAX_NUMBER = 999_999_999  # there is no sourced word above millions


class Numerals:
    """Numbers in Shona words."""

    def __init__(self) -> None:
        data = words()
        self._alone = {int(key): word for key, word in said(data["alone"]).items()}
        self._units = {int(key): word for key, word in said(data["units"]).items()}
        self._concords = {
            int(noun_class): {int(key): word for key, word in said(forms).items()}
            for noun_class, forms in data["concords"].items()
        }
        self._ordinals = {int(key): word for key, word in said(data["ordinals"]).items()}
        self._one = said(data["powers"]["one"])
        self._many_of = said(data["powers"]["many"])
        self._and: str = data["words"]["and"][0]
        self._point: str = data["words"]["point"][0]

    def cardinal(self, number: int) -> str:
        """A number that stands alone: motsi, gumi neimwe. Digit by digit above millions."""
        if number > MAX_NUMBER:
            return self.digits(str(number))
        return self._alone[number] if number in self._alone else self._many(number, self._units)

    def bound(self, number: int) -> str:
        """A number behind a prefix (dze-, ne-, we-): imwe, mbiri, gumi nembiri."""
        if number > MAX_NUMBER or not number:
            return self.cardinal(number)
        return self._many(number, self._units)

    def counted(self, number: int, noun_class: int) -> str:
        """A number behind the noun that it counts: (vanhu) vaviri, (zvinhu) gumi nezviviri."""
        if number > MAX_NUMBER or not number:
            return self.cardinal(number)
        return self._many(number, self._concords[noun_class])

    def decimal(self, whole: int, fraction: str) -> str:
        return f"{self.cardinal(whole)} {self._point} {self.digits(fraction)}"

    def digits(self, figures: str) -> str:
        return " ".join(self._alone[int(figure)] for figure in figures if figure.isdecimal())

    def ordinal(self, number: int) -> str | None:
        """What stands behind a possessive: chipiri (chidzidzo chechipiri). None above ten."""
        return self._ordinals.get(number)

    def _many(self, number: int, units: dict[int, str]) -> str:
        millions, below = divmod(number, 1_000_000)
        thousands, below = divmod(below, 1_000)
        hundreds, below = divmod(below, 100)
        tens, unit = divmod(below, 10)
        parts = [
            self._power("million", millions, CLASS_OF_POWERS),
            self._power("thousand", thousands, CLASS_OF_THOUSANDS),
            self._power("hundred", hundreds, CLASS_OF_POWERS),
            self._power("ten", tens, CLASS_OF_POWERS),
            units.get(unit, ""),
        ]
        return f" {self._and}".join(part for part in parts if part)

    def _power(self, name: str, count: int, noun_class: int) -> str:
        if not count:
            return ""
        if count == 1:
            return self._one[name]
        # Above ten the unit agrees with makumi: zviuru makumi mana nemaviri (VOA, of 42,000).
        agrees = self._concords[noun_class if count < 10 else CLASS_OF_POWERS]
        return f"{self._many_of[name]} {self._many(count, agrees)}"
