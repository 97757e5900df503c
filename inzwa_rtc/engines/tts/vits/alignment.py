"""Which of a sentence's words each group of its phonemes stands for.

A phonemizer runs short words together ("of the") and reads others as several (initials, an
emoji). Where the numbers differ, each word is also phonemized alone, and the pairing is chosen
in which the phonemes agree best, in order, by dynamic programming.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

_MOST = 4  # words of one group, or groups of one word
_STEPS = ((1, 1), *((1, n) for n in range(2, _MOST + 1)), *((n, 1) for n in range(2, _MOST + 1)))


def align(
    groups: Sequence[str], words: Sequence[str], alone: Callable[[str], str]
) -> list[tuple[int, int]]:
    """Pairs of a group and the word that begins with it, both in order.

    A word that is run together with the one before it has no pair. `alone` tells the phonemes
    of a word by itself.
    """
    if len(groups) == len(words):
        return [(number, number) for number in range(len(words))]
    if not groups or not words:
        return []
    heard = [Counter(group) for group in groups]
    read = [Counter(alone(word).replace(" ", "")) for word in words]

    def cost(group: int, of_group: int, word: int, of_word: int) -> int:
        one, other = Counter[str](), Counter[str]()
        for counter in heard[group : group + of_group]:
            one += counter
        for counter in read[word : word + of_word]:
            other += counter
        return (one - other).total() + (other - one).total()

    # The cheapest pairing of all before a place, and the step that leads there.
    best: dict[tuple[int, int], tuple[int, tuple[int, int]]] = {(0, 0): (0, (0, 0))}
    slack = abs(len(groups) - len(words)) + _MOST
    for group in range(len(groups) + 1):
        for word in range(max(0, group - slack), min(len(words), group + slack) + 1):
            if (group, word) not in best:
                continue
            for step in _STEPS:
                place = (group + step[0], word + step[1])
                if place[0] <= len(groups) and place[1] <= len(words):
                    total = best[group, word][0] + cost(group, step[0], word, step[1])
                    if place not in best or total < best[place][0]:
                        best[place] = (total, step)
    place = (len(groups), len(words))
    pairs: list[tuple[int, int]] = []
    while place in best and place != (0, 0):
        step = best[place][1]
        place = (place[0] - step[0], place[1] - step[1])
        pairs.append(place)
    return pairs[::-1] if place == (0, 0) else []
