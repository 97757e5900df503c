"""The rules put to work: looks through a text for what they name."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from inzwa_rtc.safety.automaton import BEGINNING, END, Automaton, Phrase
from inzwa_rtc.safety.normal import Spelling
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
            complete = self._complete(words)
            if complete:
                found |= {id(one): one for one in self._meant(complete)}
        return list(found.values())

    def follow(self) -> Follower:
        """To look through a text that comes piece by piece."""
        return Follower(self)

    def _complete(self, words: Iterable[str]) -> int:
        """Of one sentence."""
        automaton, takers = self._automaton, self._takers
        state = automaton.step(0, automaton.boundary(BEGINNING))
        complete = 0
        for word in words:
            state = automaton.step(state, takers(word))
            complete |= automaton.complete(state)
        return complete | automaton.complete(automaton.step(state, automaton.boundary(END)))

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
    """Looks through one text as it comes, in pieces that end where words do. Of a sentence, an
    excuse counts only if it comes before what it is to excuse: what was spoken was heard."""

    def __init__(self, book: Rulebook) -> None:
        self._book = book
        self._begin()

    def read(self, piece: str) -> Subject | None:
        """The first thing that the text breaks by now."""
        sentences = list(self._book._spelling.sentences(piece))
        for number, words in enumerate(sentences):
            for word in words:
                if found := self._step(self._book._takers(word)):
                    return found
            if number < len(sentences) - 1 and (found := self.end()):
                return found
        return None

    def end(self) -> Subject | None:
        """The sentence is over."""
        found = self._step(self._book._automaton.boundary(END))
        self._begin()
        return found

    def _begin(self) -> None:
        automaton = self._book._automaton
        self._state = automaton.step(0, automaton.boundary(BEGINNING))
        self._complete = 0

    def _step(self, takers: int) -> Subject | None:
        automaton = self._book._automaton
        self._state = automaton.step(self._state, takers)
        complete = automaton.complete(self._state)
        if not complete:
            return None
        self._complete |= complete
        return next(iter(self._book._meant(self._complete)), None)
