"""What may be said: the operator's rules at work."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TypeVar

from inzwa_rtc.errors import ConfigError
from inzwa_rtc.language import base_language, with_hyphens
from inzwa_rtc.pseudonym import Pseudonyms
from inzwa_rtc.safety.numbers import Finder, is_region
from inzwa_rtc.safety.reading import read
from inzwa_rtc.safety.redaction import Redactions, Redactor
from inzwa_rtc.safety.reply import ReplyCheck
from inzwa_rtc.safety.rulebook import Rulebook, Subject
from inzwa_rtc.safety.ruleset import AnswerTable, Rule, RuleSet
from inzwa_rtc.safety.verdict import ALLOWED, CATEGORIES, Verdict
from inzwa_rtc.settings.safety import SafetySettings

_LANGUAGE_OF_LAST_RESORT = "en"
_UNKNOWN = "unknown"
_ANY_TEXT = "Ndinoda kubatsirwa: +263771234567, 0771234567."

T = TypeVar("T")


class Safety:
    """Checks what callers say and what they are answered. Making one reads files and blocks;
    from then on nothing does. Raises `ConfigError`."""

    def __init__(self, settings: SafetySettings, pseudonyms: Pseudonyms) -> None:
        rules = read(settings.rules, with_shipped=settings.shipped_rules)
        self._settings = settings
        self._pseudonyms = pseudonyms
        self._answers = rules.answers
        self._told: Counter[tuple[int, str, bool]] = Counter()
        """How often each table of answers gave one of a kind, whatever languages requests name."""
        if not self._answers:
            raise ConfigError(
                "No rule file says how to refuse.",
                action="Put [answers] into one that `safety.rules` names.",
            )
        self.subjects = _in_force(settings, rules) if settings.enabled else []
        self._refused = set(settings.refused_topics)
        self._callers = Rulebook(self.subjects, rules, "caller")
        replies = [one for one in self.subjects if self._is_refused(one)]
        self._replies = Rulebook(replies, rules, "reply")
        self._redactions = _redactions(settings, rules)
        self._warm_up()

    def check(self, text: str, language: str) -> Verdict:
        """Of what a person said or wrote, before a model sees it. Rules of all languages are
        looked at, whichever `language` the caller speaks: people mix them."""
        if not self.subjects:
            return ALLOWED
        found = self._callers.look_through(text)
        refused = [one for one in found if self._is_refused(one)]
        if refused:
            worst = min(refused, key=_weight)
            return self._judged(worst, text, is_callers=True)
        if self._settings.unknown_topics == "refuse" and not found:
            return Verdict("refuse", "topic", _UNKNOWN, self._pseudonyms.of(text))
        return ALLOWED

    def reply(self, language: str) -> ReplyCheck:
        """For one reply in a language (BCP 47)."""
        return ReplyCheck(
            self._replies.follow(),
            Redactor(_of(self._redactions, language)),
            lambda found, text: self._judged(found, text, is_callers=False),
        )

    def answer(self, verdict: Verdict, language: str) -> str:
        """What is said instead: a refusal, or support with the help lines; each time another
        one of the language's."""
        answers = _of(self._answers, language)
        lines = self._lines(answers, verdict, language)
        kind = (id(answers), verdict.action, verdict.category == "topic")
        self._told[kind] += 1
        return lines[(self._told[kind] - 1) % len(lines)]

    def lines(self, language: str) -> list[str]:
        """All that `answer` may say, to be spoken ahead of need."""
        if not self.subjects:
            return []
        answers = _of(self._answers, language)
        kinds = (Verdict("refuse"), Verdict("refuse", "topic"), Verdict("support", "self_harm"))
        return [line for kind in kinds for line in self._lines(answers, kind, language)]

    def _warm_up(self) -> None:
        """What a first check would make, it finds made."""
        self._callers.look_through(_ANY_TEXT)
        reply = self.reply(_LANGUAGE_OF_LAST_RESORT)
        reply.feed(_ANY_TEXT)
        reply.finish()

    def _lines(self, answers: AnswerTable, verdict: Verdict, language: str) -> Sequence[str]:
        if verdict.action == "support":
            help_lines = self._help_lines(answers, language)
            return [" ".join([line, *help_lines]) for line in answers.support]
        return answers.topic if verdict.category == "topic" else answers.refusal

    def _help_lines(self, answers: AnswerTable, language: str) -> Sequence[str]:
        given = self._settings.help_lines
        for name in (with_hyphens(language), base_language(language)):
            if name in given:
                return given[name]
        return answers.help_lines

    def _is_refused(self, one: Subject) -> bool:
        return isinstance(one, Rule) or one.name in self._refused

    def _judged(self, found: Subject, text: str, *, is_callers: bool) -> Verdict:
        pseudonym = self._pseudonyms.of(text)
        if not isinstance(found, Rule):
            return Verdict("refuse", "topic", found.name, pseudonym)
        is_cry = found.category == "self_harm" and is_callers
        return Verdict("support" if is_cry else "refuse", found.category, found.name, pseudonym)


def _in_force(settings: SafetySettings, rules: RuleSet) -> list[Subject]:
    """Rules and topics that are not disabled; allowed topics only where others are refused."""
    known = {one.name for one in rules.topics.values()}
    names = {*CATEGORIES, *known, *(rule.name for rule in rules.rules.values())}
    for setting, given, valid in (
        ("disabled", settings.disabled, names),
        ("refused_topics", settings.refused_topics, known),
    ):
        for name in given:
            if name not in valid and settings.enabled:
                raise ConfigError(
                    f"`safety.{setting}` names `{name}`, which no rule file has.",
                    action="`inzwa-rtc safety rules` lists all that there are.",
                )
    disabled = set(settings.disabled)
    found: list[Subject] = [
        rule
        for rule in rules.rules.values()
        if rule.name not in disabled and rule.category not in disabled
    ]
    counts = settings.unknown_topics == "refuse"
    found += [
        topic
        for topic in rules.topics.values()
        if not disabled & {topic.name, "topic"}
        and (counts or topic.name in settings.refused_topics)
    ]
    return found


def _weight(one: Subject) -> int:
    """Somebody who may harm themselves comes before all else."""
    if not isinstance(one, Rule):
        return len(CATEGORIES)
    return -1 if one.category == "self_harm" else CATEGORIES.index(one.category)


def _redactions(settings: SafetySettings, rules: RuleSet) -> Mapping[str, Redactions]:
    for region in settings.phone_regions:
        if not is_region(region):
            raise ConfigError(
                f"`safety.phone_regions` names `{region}`, which is no region.",
                action="Use codes of ISO 3166, such as ZW.",
            )
    kinds = frozenset(settings.redact if settings.enabled else ())
    finder = Finder(kinds, settings.phone_regions)
    common = dict(rules.redactions.get(_LANGUAGE_OF_LAST_RESORT, {}))
    made = {
        language: Redactions(kinds, finder, common | dict(words))
        for language, words in rules.redactions.items()
    }
    for language, one in made.items():
        for kind in kinds - one.words.keys():
            raise ConfigError(
                f"No rule file says what stands for `{kind}` in `{language}`.",
                action="Put it into [redactions] of one that `safety.rules` names.",
            )
    if kinds and not made:
        raise ConfigError(
            "No rule file says what stands for what is redacted.",
            action="Put [redactions] into one that `safety.rules` names.",
        )
    return made or {_LANGUAGE_OF_LAST_RESORT: Redactions(kinds, finder, {})}


def _of(tables: Mapping[str, T], language: str) -> T:
    """That of a language, of English, or any."""
    for name in (base_language(language), _LANGUAGE_OF_LAST_RESORT):
        if name in tables:
            return tables[name]
    return next(iter(tables.values()))
