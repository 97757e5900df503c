"""Which of a sentence's words each group of its phonemes stands for.

A phonemizer runs short words together ("of the") and reads others as several (initials, an
emoji). Where the numbers differ, each word is also phonemized alone, and the pairing is chosen
in which the phonemes agree best, in order, by dynamic programming.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

_MOST = 4  # words of one group, or groups of one word
_MOST_PLACES = 10_000  # groups times words: some 20 ms of work
# Of pairings that agree equally well, the first is kept.
_STEPS = (*((1, words) for words in range(_MOST, 0, -1)), *((n, 1) for n in range(2, _MOST + 1)))
_UNREACHED = np.iinfo(np.int64).max // 2

_Counts = npt.NDArray[np.int64]


def align(
    groups: Sequence[str], words: Sequence[str], alone: Callable[[str], str]
) -> list[tuple[int, int]]:
    """Pairs of a group and the word that begins with it, both in order.

    A word that is run together with the one before it has no pair. `alone` tells the phonemes
    of a word by itself. There are no pairs where one word is read as more groups than any
    pairing allows (a foreign script, letter by letter), or where there are too many of both.
    """
    few, many = sorted((len(groups), len(words)))
    if few == many:
        return [(number, number) for number in range(len(words))]
    if many > few * _MOST or few * many > _MOST_PLACES:
        return []
    read = [alone(word).replace(" ", "") for word in words]
    columns = {sign: column for column, sign in enumerate(sorted(set("".join([*groups, *read]))))}
    return _walked(_steps_to(_counts(groups, columns), _counts(read, columns)))


def _counts(pieces: Sequence[str], columns: dict[str, int]) -> _Counts:
    """How often each sign occurs before each piece, and in all: `[pieces + 1, signs]`."""
    counts = np.zeros((len(pieces) + 1, len(columns)), np.int64)
    for row, piece in enumerate(pieces, 1):
        for sign in piece:
            counts[row, columns[sign]] += 1
    return np.cumsum(counts, axis=0)


def _steps_to(heard: _Counts, read: _Counts) -> npt.NDArray[np.int8]:
    """The step that leads to each place on the cheapest way there: `[groups + 1, words + 1]`,
    -1 where none does. A step costs the signs in which its groups and its words differ."""
    best = np.full((len(heard), len(read)), _UNREACHED)
    best[0, 0] = 0
    steps = np.full(best.shape, -1, np.int8)
    of_words = {n: read[n:] - read[:-n] for n in range(1, _MOST + 1)}
    for group in range(len(heard) - 1):
        for number, (by_groups, by_words) in enumerate(_STEPS):
            end = group + by_groups
            if end >= len(heard) or by_words >= len(read):
                continue
            said = heard[end] - heard[group]
            costs = np.abs(of_words[by_words] - said).sum(axis=1) + best[group, :-by_words]
            better = costs < best[end, by_words:]
            best[end, by_words:][better] = costs[better]
            steps[end, by_words:][better] = number
    return steps


def _walked(steps: npt.NDArray[np.int8]) -> list[tuple[int, int]]:
    """The way from the first place to the last; empty where there is none."""
    group, word = steps.shape[0] - 1, steps.shape[1] - 1
    pairs: list[tuple[int, int]] = []
    while (number := steps[group, word]) >= 0:
        by_groups, by_words = _STEPS[number]
        group, word = group - by_groups, word - by_words
        pairs.append((group, word))
    return pairs[::-1] if (group, word) == (0, 0) else []
