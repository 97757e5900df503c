"""The rules put to work: looks through a text for what they name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache

from inzwa_rtc.safety.automaton import BEGINNING, END, Automaton, Phrase
from inzwa_rtc.safety.normal import PAUSE, Spelling
from inzwa_rtc.safety.pattern import stem_of
from inzwa_rtc.safety.ruleset import Checks, Rule, RuleSet, Topic
from inzwa_rtc.safety.shona import Verbs

Subject = Rule | Topic

_WORDS_KEPT = 2048  # each with a bit for every place of all phrases: some 400 bytes


class Rulebook:
    """Of the rules and topics that check one side's words, all languages together: callers mix
    theirs."""

    def __init__(self, rules: Iterable[Subject], ruleset: RuleSet, side: Checks) -> None:
        self._owners: list[tuple[Subject, bool]] = []
        phrases: list[Phrase] = []
        for rule in rules:
            if rule.checks in (side, "both"):
                for is_excuse, lines in ((False, rule.phrases), (True, rule.unless)):
                    phrases += lines
                    self._owners += [(rule, is_excuse)] * len(lines)
        self._automaton = Automaton(phrases)
        words = self._automaton.words
        stems = {stem for word in words if (stem := stem_of(word)) is not None}
        self._verbs = Verbs({stem: ruleset.extensions.get(stem) for stem in stems})
        self._spelling = Spelling(frozenset(words), ruleset.spellings)
        self._others = self._automaton.takers(())
        self._takers = lru_cache(_WORDS_KEPT)(self._takers_of)

    def look_through(self, text: str) -> list[Subject]:
        """All that a whole text breaks or is about, each once."""
        found: dict[int, Subject] = {}
        for words in self._spelling.sentences(text):
            for complete in self._complete(words):
                found |= {id(one): one for one in self._meant(complete)}
        return list(found.values())

    def follow(self) -> Follower:
        """To look through a text that comes piece by piece."""
        return Follower(self)

    def _complete(self, words: Iterable[str]) -> Iterator[int]:
        """Of one sentence, part by part: a phrase may run on through pauses, and is excused by
        what is said in the part that it ends in."""
        automaton, takers = self._automaton, self._takers
        begun = automaton.step(0, automaton.boundary(BEGINNING))
        ending = automaton.boundary(END)
        state, complete = begun, 0
        for word in words:
            if word == PAUSE:
                yield complete | automaton.complete(automaton.step(state, ending))
                state, complete = state | begun, 0
            else:
                state = automaton.step(state, takers(word))
                complete |= automaton.complete(state)
        yield complete | automaton.complete(automaton.step(state, ending))

    def _meant(self, complete: int) -> list[Subject]:
        """What complete phrases come to, where nothing excuses them."""
        named: dict[int, Subject] = {}
        excused: set[int] = set()
        for phrase in self._automaton.phrases(complete):
            subject, is_excuse = self._owners[phrase]
            if is_excuse:
                excused.add(id(subject))
            else:
                named[id(subject)] = subject
        return [subject for key, subject in named.items() if key not in excused]

    def _takers_of(self, word: str) -> int:
        keys = [word, *self._verbs.keys(word)]
        takers = self._automaton.takers(keys)
        return self._others if takers == self._others else takers


class Follower:
    """Looks through one text as it comes, in pieces that end where words do. What a sentence
    breaks is known when it is over: until then an excuse may follow."""

    def __init__(self, book: Rulebook) -> None:
        self._book = book
        automaton = book._automaton
        self._begun = automaton.step(0, automaton.boundary(BEGINNING))
        self._state, self._complete = self._begun, 0

    @property
    def suspected(self) -> Subject | None:
        """What the sentence that is not over yet breaks by now, unless it is still excused."""
        return next(iter(self._book._meant(self._complete)), None)

    def read(self, piece: str) -> Subject | None:
        """The first thing that whole sentences break by now."""
        sentences = list(self._book._spelling.sentences(piece))
        for number, words in enumerate(sentences):
            if found := self._read(words):
                return found
            if number < len(sentences) - 1 and (found := self.end()):
                return found
        return None

    def end(self) -> Subject | None:
        """The sentence is over."""
        found = self._pause()
        self._state = self._begun
        return found

    def _read(self, words: Iterable[str]) -> Subject | None:
        automaton = self._book._automaton
        for word in words:
            if word != PAUSE:
                self._state = automaton.step(self._state, self._book._takers(word))
                self._complete |= automaton.complete(self._state)
            elif found := self._pause():
                return found
        return None

    def _pause(self) -> Subject | None:
        automaton = self._book._automaton
        ended = automaton.step(self._state, automaton.boundary(END))
        self._complete |= automaton.complete(ended)
        found = self.suspected
        self._state, self._complete = self._state | self._begun, 0
        return found
