"""Which groups of digits are somebody's number: phone, card, social security, identity."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from typing import NamedTuple

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneMetadata, PhoneNumber, is_valid_number

from inzwa_rtc.safety.ruleset import Kind

LEAST_DIGITS = 7
_LONGEST_DIALLED = 17  # 15 digits behind 00
_MOST_GROUPS = 6  # in which a phone number is written
_MOST_ASKED = 60  # numbers of one text that the library is asked about, at 15 µs each
# By first digit: American Express and Diners Club, Visa, Mastercard and Maestro, UnionPay and
# Discover; ISO/IEC 7812. "2" is Mastercard's since 2017.
_CARD_LENGTHS = {"2": (16,), "3": (14, 15, 16), "4": (13, 16, 19), "5": (16,), "6": (16, 19)}
_SSN = (3, 2, 4)
_IDENTITY = re.compile(r"\d{2}\d{6,7}[A-Za-z]\d{2}")  # Zimbabwe: district, number, letter, origin
_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)
_NANP = ((3, 3, 4), (1, 3, 3, 4), (10,), (6, 4), (3, 7))


class Group(NamedTuple):
    """Digits in a row, or a single letter among them. `has_plus` where one stands before it."""

    text: str
    has_plus: bool = False

    @property
    def is_letter(self) -> bool:
        """Whether it is a letter."""
        return self.text.isalpha()


class Asked:
    """How often the library was asked about numbers of one text. Beyond the limit a number that
    looks like one of a region is taken for one: text that is full of them costs no more."""

    def __init__(self) -> None:
        self._times = 0

    def is_valid(self, country: int, national: str) -> bool:
        """Whether there may be such a number."""
        self._times += 1
        if self._times > _MOST_ASKED:
            return True
        return is_valid_number(PhoneNumber(country, int(national)))


class Finder:
    """Looks for numbers of these kinds, phone numbers as they are written in these regions
    (ISO 3166), internationally written ones of all."""

    def __init__(self, kinds: Collection[Kind], regions: Sequence[str]) -> None:
        self._kinds = frozenset(kinds)
        known = [_dialled(region) for region in regions]
        self._trunk_0 = [one for one in known if one.trunk == "0"]
        self._others = [one for one in known if one.trunk != "0"]
        self._trunk_0_lengths = _lengths(self._trunk_0, 1)
        self._other_lengths = _lengths(self._others, 0)
        if any(one.trunk == "1" for one in self._others):
            self._other_lengths |= {11}  # with the 1 before it

    def spans(self, groups: Sequence[Group], asked: Asked) -> Iterator[tuple[int, int, Kind]]:
        """Where numbers stand: first group, the one behind the last, kind. From left to right,
        of several that begin at the same group the longest."""
        row = _Row(groups)
        if len(row.digits) < LEAST_DIGITS:
            return
        at = 0
        while at < len(groups):
            found = None
            if not groups[at].is_letter:
                found = (
                    (self._identity(groups, at) if row.has_letters else None)
                    or self._card(row, at)
                    or (self._ssn(groups, at) if len(groups[at].text) == _SSN[0] else None)
                    or self._phone(row, at, asked)
                )
            if found:
                yield at, *found
                at = found[0]
            else:
                at += 1

    def _identity(self, groups: Sequence[Group], at: int) -> tuple[int, Kind] | None:
        if "national_id" not in self._kinds:
            return None
        letter = next(
            (n for n in range(at + 1, min(at + 4, len(groups))) if groups[n].is_letter), 0
        )
        if not letter or letter + 1 >= len(groups):
            return None
        written = "".join(group.text for group in groups[at : letter + 2])
        return (letter + 2, "national_id") if _IDENTITY.fullmatch(written) else None

    def _ssn(self, groups: Sequence[Group], at: int) -> tuple[int, Kind] | None:
        three = groups[at : at + 3]
        if "ssn" not in self._kinds or tuple(len(group.text) for group in three) != _SSN:
            return None
        area, group, serial = (one.text for one in three)
        if not (area + group + serial).isdigit() or area in ("000", "666") or area[0] == "9":
            return None  # never given
        return None if group == "00" or serial == "0000" else (at + 3, "ssn")

    def _card(self, row: _Row, at: int) -> tuple[int, Kind] | None:
        if "card" not in self._kinds:
            return None
        for length in reversed(_CARD_LENGTHS.get(row.groups[at].text[0], ())):
            behind = row.behind(at, length)
            if behind and _passes_luhn(row.digits_of(at, behind)):
                return behind, "card"
        return None

    def _phone(self, row: _Row, at: int, asked: Asked) -> tuple[int, Kind] | None:
        if "phone" not in self._kinds:
            return None
        first = row.groups[at]
        is_international = first.has_plus or first.text.startswith("00")
        is_trunk_0 = first.text[0] == "0"
        lengths = self._trunk_0_lengths if is_trunk_0 else self._other_lengths
        for behind, length in row.stretches(at):
            if is_international:
                digits = row.digits_of(at, behind).lstrip("0")
                is_one = length <= _LONGEST_DIALLED and _is_international(digits, asked)
            elif length not in lengths:
                continue
            elif is_trunk_0:
                digits = row.digits_of(at, behind)[1:]
                is_one = any(one.has(digits, asked) for one in self._trunk_0)
            else:
                digits = row.digits_of(at, behind)
                sizes = tuple(len(group.text) for group in row.groups[at:behind])
                is_one = any(
                    one.is_so_written(sizes) and one.has(digits, asked) for one in self._others
                )
            if is_one:
                return behind, "phone"
        return None


class _Row:
    """Groups side by side, where each ends, and how far digits go on from each without a letter
    or another plus among them."""

    def __init__(self, groups: Sequence[Group]) -> None:
        self.groups = groups
        self.digits = "".join(group.text for group in groups)
        self._ends = list(accumulate((len(group.text) for group in groups), initial=0))
        self._group_behind = {end: number for number, end in enumerate(self._ends)}
        self.has_letters = any(group.is_letter for group in groups)
        self._limits = [len(groups)] * len(groups)
        for at in range(len(groups) - 2, -1, -1):
            following = groups[at + 1]
            breaks = following.has_plus or following.is_letter
            self._limits[at] = at + 1 if breaks else self._limits[at + 1]

    def behind(self, at: int, length: int) -> int:
        """Behind which group so many digits from a group on end; 0 where none ends there."""
        behind = self._group_behind.get(self._ends[at] + length, 0)
        return behind if behind <= self._limits[at] else 0

    def stretches(self, at: int) -> Iterator[tuple[int, int]]:
        """Where a phone number that begins at a group may end, and how long it then is; the
        longest first."""
        begin = self._ends[at]
        for behind in range(min(self._limits[at], at + _MOST_GROUPS), at, -1):
            length = self._ends[behind] - begin
            if length < LEAST_DIGITS:
                return
            yield behind, length

    def digits_of(self, at: int, behind: int) -> str:
        """Of some groups."""
        return self.digits[self._ends[at] : self._ends[behind]]


def is_region(region: str) -> bool:
    """Whether it is one whose phone numbers are known."""
    return PhoneMetadata.metadata_for_region(region) is not None


def _lengths(regions: Iterable[_Region], trunk: int) -> frozenset[int]:
    """Of numbers as they are dialled."""
    return frozenset(length + trunk for region in regions for length in region.lengths)


@dataclass(frozen=True, slots=True)
class _Region:
    country: int
    trunk: str | None
    """What is dialled before a number within the country."""
    pattern: re.Pattern[str]

    lengths: tuple[int, ...]

    def is_so_written(self, sizes: tuple[int, ...]) -> bool:
        """Whether numbers without a zero before them are grouped like this. Elsewhere than in
        North America they need only be long: any number would be one otherwise."""
        return sizes in _NANP if self.trunk == "1" else sum(sizes) >= 8

    def has(self, national: str, asked: Asked) -> bool:
        """Whether it is a number of the region."""
        if self.trunk == "1" and len(national) == 11 and national[0] == "1":
            national = national[1:]
        looks_right = self.pattern.fullmatch(national) is not None
        return looks_right and asked.is_valid(self.country, national)


@cache
def _dialled(region: str) -> _Region:
    metadata = PhoneMetadata.metadata_for_region(region)
    assert metadata is not None and metadata.country_code is not None, "checked with the settings"
    general = metadata.general_desc
    assert general is not None, "every region has numbers"
    pattern = re.compile(general.national_number_pattern or "(?!)", re.ASCII)
    lengths = tuple(general.possible_length)
    return _Region(metadata.country_code, metadata.national_prefix, pattern, lengths)


def _is_international(digits: str, asked: Asked) -> bool:
    for length in (1, 2, 3):
        country = int(digits[:length] or 0)
        if country in COUNTRY_CODE_TO_REGION_CODE:  # none is the beginning of another
            national = digits[length:]
            return 4 <= len(national) <= 14 and asked.is_valid(country, national)
    return False


def _passes_luhn(digits: str) -> bool:
    """Whether the check sum of card numbers is right (ISO/IEC 7812-1, annex B)."""
    total = sum(map(int, digits[::-2])) + sum(_DOUBLED[int(digit)] for digit in digits[-2::-2])
    return total % 10 == 0
