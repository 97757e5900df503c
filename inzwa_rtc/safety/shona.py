"""The forms of Shona words: a verb is understood slot by slot, a noun behind its connectives.

    [of, with ...] subject + tense [+ auxiliary] [+ object] + stem [+ extensions] + final vowel
    ye-            ku-
                   ndi-  -cha-        -zo-         -mu-     -uray-   -ir-, -is-   -a, -e, -i

A stem is written `-uray-`. A rule names the forms that it means:

| written | means | as in |
|---|---|---|
| `-uray-` | any active form that does not deny | akauraya, tichamuuraya, uraya |
| `ku-uray-` | the infinitive, with or without an object | kuuraya, yekumuuraya |
| `ndi-uray-` | I or we, now, later or perhaps | ndichauraya, ndingauraye, ndimuuraye |
| `zvi-uray-`, `ku-zvi-uray-`, `ndi-zvi-uray-` | these, done to oneself | kuzviuraya |
| `-uray-w-` | the passive | akaurayiwa |

Only people are subjects here: "hunouraya" is said of a mushroom (`hu-`), and is no form of
`-uray-`. A stem is matched whole between what may stand before and what may stand behind it:
`kubata`, `kubva`, `kubika` are no forms of `-b-`, and `-tsungirir-` is none of `-sungirir-`.
What has to be reviewed by a speaker: the lists of slots below, which leave out rare forms.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import product

_LONGEST = 40  # letters of a word that is looked at
_SELF = "zvi"
_OBJECTS = ("ndi", "ku", "mu", "ti", "va", _SELF, "chi", "ri", "dzi", "i", "ru", "tu", "ka", "u")
_AUXILIARIES = ("", "ngo", "zo", "to", "mbo", "nyatso", "chi", "ngozo", "zongo")
_CONNECTIVES = (
    *("ye", "we", "che", "re", "dze", "ve", "ze", "zve", "rwe", "hwe", "kwe", "pe", "se", "ne"),
    *("ya", "wa", "cha", "ra", "dza", "va", "za", "zva", "rwa", "hwa", "kwa", "pa", "sa", "na"),
    *("mu", "ku", "no", "so", "yo", "wo", "cho", "zvo", "e", "i", "ndi"),
)
_EXTENSIONS = ("ir", "er", "is", "es", "an", "ik", "ek", "idz", "edz", "irir", "erer")
_FINALS = ("a", "e", "i", "ai", "ei")
_LAST = frozenset("aeio")  # of the letters of what follows
_CLITICS = ("", "wo", "zve")


def noun(base: str) -> frozenset[str]:
    """A noun as it stands, and behind connectives: `pfuti`, `nepfuti`, `yepfuti`."""
    return frozenset((base, *(f"{connective}{base}" for connective in _CONNECTIVES)))


@dataclass(frozen=True, slots=True)
class _Head:
    """What stands before the stem: whose form it is."""

    form: str  # "ku-" the infinitive, "ndi-" I or we and not in the past, "" any other
    is_reflexive: bool = False


class Verbs:
    """Knows the stems that rules name, each with the extensions that it takes (None: all
    regular ones). Short stems name theirs, for `kubika` is not `-b-` with `-ik-`."""

    def __init__(self, stems: Mapping[str, Collection[str] | None]) -> None:
        self._stems = {
            stem: _tails(None if extensions is None else tuple(extensions))
            for stem, extensions in stems.items()
        }
        self._lengths = sorted({len(stem) for stem in stems})

    def keys(self, word: str) -> Iterator[str]:
        """The forms, as rules write them, that a word may be."""
        if len(word) > _LONGEST or word[-1:] not in _LAST:
            return
        heads = _heads()
        for start in range(len(word)):
            for head in heads.get(word[:start], ()):
                for length in self._lengths:
                    stem = word[start : start + length]
                    if (tails := self._stems.get(stem)) is None:
                        continue
                    is_passive = tails.get(word[start + length :])
                    if is_passive is not None:
                        yield from _named(head, stem, is_passive)


def _named(head: _Head, stem: str, is_passive: bool) -> Iterator[str]:
    if is_passive:
        yield f"-{stem}-w-"
        return
    for part in ("", f"{_SELF}-") if head.is_reflexive else ("",):
        yield f"{part}{stem}-" if part else f"-{stem}-"
        if head.form:
            yield f"{head.form}{part}{stem}-"


@cache
def _heads() -> Mapping[str, frozenset[_Head]]:
    """What letters mean that are subject with tense, auxiliary and object."""
    heads: dict[str, set[_Head]] = {}
    for (first, form), (second, is_reflexive) in product(_firsts().items(), _seconds().items()):
        heads.setdefault(first + second, set()).add(_Head(form, is_reflexive))
    return {letters: frozenset(meant) for letters, meant in heads.items()}


@cache
def _firsts() -> Mapping[str, str]:
    """Subject with tense, by the form that it makes."""
    forms = {"": ""}  # the imperative
    for subject, joined in zip(
        ("u", "a", "mu", "va", "ndi", "ti"), ("wa", "a", "ma", "va", "nda", "ta"), strict=True
    ):
        form = "ndi-" if subject in ("ndi", "ti") else ""
        for tense in ("", "no", "cha", "chi", "nga", "ngo", "ka", "chazo", "nogona", "ri"):
            forms[f"{subject}{tense}"] = form
        forms |= {f"{joined}{past}": "" for past in ("", "ka", "i", "izo", "kanga")}
    forms |= {"ndo": "ndi-", "to": "ndi-", "mo": "", "vo": ""}  # short for -no-
    for connective in ("", *_CONNECTIVES):
        forms[f"{connective}ku"] = "ku-"
    return forms


@cache
def _seconds() -> Mapping[str, bool]:
    """Auxiliary with object; whether the object is oneself."""
    pairs = product(_AUXILIARIES, ("", *_OBJECTS))
    return {f"{auxiliary}{obj}": obj == _SELF for auxiliary, obj in pairs}


@cache
def _tails(extensions: tuple[str, ...] | None) -> Mapping[str, bool]:
    """What stands behind a stem; whether it makes the passive."""
    if extensions is None:
        pairs = (a + b for a, b in product(_EXTENSIONS, ("", *_EXTENSIONS)))
        chosen = ("", *_EXTENSIONS, *pairs)
    else:
        chosen = ("", *extensions)
    tails: dict[str, bool] = {}
    for extension, final, clitic in product(chosen, _FINALS, _CLITICS):
        tails[f"{extension}{final}{clitic}"] = False
        for passive in ("w", "iw", "ew"):
            tails.setdefault(f"{extension}{passive}{final}{clitic}", True)
    return tails
