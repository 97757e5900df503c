"""What an operator may change: files of rules, and the settings about them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from inzwa_rtc.errors import ConfigError
from inzwa_rtc.pseudonym import Pseudonyms
from inzwa_rtc.safety import Safety, Verdict
from inzwa_rtc.settings.safety import SafetySettings
from tests.support.safety import shipped

REFUSED = Verdict("refuse", "violence")
OWN = """
language = "en"
[words]
fruit = "banana.n kiwi.n"
[fragments]
please = ["may|can i", "give me"]
[[rules]]
name = "fruit"
category = "illegal"
phrases = ["<please> ~1 {fruit}"]
unless = ["in ~1 pie"]
"""


def safety(folder: Path, *texts: str, **settings: Any) -> Safety:
    files = []
    for number, text in enumerate(texts):
        files.append(folder / f"{number}.toml")
        files[-1].write_text(text, encoding="utf-8")
    return Safety(SafetySettings(rules=tuple(files), **settings), Pseudonyms(None))


def test_rules_of_the_operators_count_beside_those_that_are_shipped(tmp_path: Path) -> None:
    own = safety(tmp_path, OWN)
    assert own.check("may I have kiwis", "en").rule == "fruit"
    assert own.check("Give me bananas", "en").rule == "fruit"
    assert own.check("give me bananas in a pie", "en").is_allowed
    assert own.check("bananas", "en").is_allowed
    assert not own.check("how do I kill someone", "en").is_allowed


def test_a_rule_of_the_same_name_takes_the_place_of_the_shipped_one(tmp_path: Path) -> None:
    own = safety(tmp_path, OWN.replace('"fruit"\n', '"kill-someone"\n'))
    assert own.check("how do I kill someone", "en").is_allowed
    assert own.check("give me kiwis", "en").rule == "kill-someone"


def test_shipped_rules_can_be_left_out_altogether(tmp_path: Path) -> None:
    complete = OWN + '[answers]\nrefusal = ["No."]\ntopic = ["Not that."]\nsupport = ["Oh."]\n'
    complete += '[redactions]\nemail = "(mail)"\n'
    own = safety(tmp_path, complete, shipped_rules=False, refused_topics=(), redact=("email",))
    assert own.check("how do I kill someone", "en").is_allowed
    assert own.check("give me kiwis", "en").rule == "fruit"
    assert own.answer(REFUSED, "sn") == "No."
    assert own.reply("en").feed("a@b.com ").text == "(mail) "


@pytest.mark.parametrize("name", ["violence", "kill-someone"])
def test_a_category_and_a_rule_can_be_disabled(name: str) -> None:
    own = Safety(SafetySettings(disabled=(name,)), Pseudonyms(None))
    assert own.check("how do I kill someone", "en").is_allowed
    assert not own.check("I want to die", "en").is_allowed


def test_a_topic_is_refused_where_the_settings_name_it() -> None:
    text = "what is the weather like"
    assert shipped().check(text, "en").is_allowed
    own = Safety(SafetySettings(refused_topics=("weather",)), Pseudonyms(None))
    assert own.check(text, "en").rule == "weather"
    assert own.check("show me porn", "en").is_allowed


@pytest.mark.parametrize(
    "text",
    ["hello", "what is the weather like", "how do I cook sadza", "mhoroi", "chikoro chiri kupi"],
)
def test_known_topics_are_answered_where_unknown_ones_are_not(text: str) -> None:
    own = Safety(SafetySettings(unknown_topics="refuse"), Pseudonyms(None))
    assert own.check(text, "en").is_allowed
    assert own.check("frobnicate my quux", "en").rule == "unknown"
    assert shipped().check("frobnicate my quux", "en").is_allowed


def test_refusals_vary_and_are_the_callers_language() -> None:
    own = Safety(SafetySettings(), Pseudonyms(None))
    told = [own.answer(REFUSED, "en-GB") for _ in range(4)]
    assert told[0] != told[1]
    assert told[0] == told[3]
    assert "Ndine urombo" in own.answer(REFUSED, "sn")
    assert set(told) <= set(own.lines("en"))


def test_help_lines_are_the_shipped_ones_unless_the_operator_names_others() -> None:
    cry = Verdict("support", "self_harm")
    assert "116" in shipped().answer(cry, "en")
    own = Safety(
        SafetySettings(help_lines={"en": ("Call 1.",), "en-ZA": ("Call 2.",)}), Pseudonyms(None)
    )
    assert own.answer(cry, "en").endswith("Call 1.")
    assert own.answer(cry, "en_ZA").endswith("Call 2.")
    assert "116" in own.answer(cry, "sn")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("language = 5", "`language`"),
        ("langage = 'en'", "`language`: Field required"),
        ("language = 'en'\n[[rules]\n", "line 2"),
        (OWN.replace('category = "illegal"', 'category = "bad"'), "`rules.1.category`"),
        (OWN.replace("{fruit}", "{fruits}"), "`rules.fruit.phrases.1`: `{fruits}`"),
        (OWN.replace("<please>", "<plea>"), "`<plea>` is not among the fragments"),
        (OWN.replace("~1 {fruit}", "{fruit} ~1"), "must end in a word"),
        (OWN.replace("~1 {fruit}", "{fruit}?"), "must end in a word"),
        (OWN.replace("kiwi.n", "Kiwi"), "`words.fruit`: `Kiwi` is not a word in small letters"),
        (OWN.replace("kiwi.n", "(a+)+$"), "is not a word"),
        (OWN.replace("~1 {fruit}", "~9 {fruit}"), "from ~1 to ~8"),
        (OWN.replace('"en"', '"fr"'), "English and Shona words alone"),
        (OWN.replace("~1 {fruit}", "!{fruit}"), "names no word"),
        (OWN.replace('"may|can i"', '"may?"'), "all may lack"),
        (OWN.replace("kiwi.n", "kiwi.n " * 9000), "`words.fruit`"),
        ("#" * 300_000, "larger than 256 KiB"),
    ],
)
def test_a_wrong_file_is_refused_with_its_name_and_the_place(
    tmp_path: Path, text: str, says: str
) -> None:
    with pytest.raises(ConfigError) as refused:
        safety(tmp_path, text)
    assert says in str(refused.value)
    assert str(tmp_path / "0.toml") in str(refused.value)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"rules": (Path("nowhere.toml"),)}, "cannot be read"),
        ({"disabled": ("violense",)}, "`violense`"),
        ({"refused_topics": ("sport",)}, "`sport`"),
        ({"phone_regions": ("XY",)}, "`XY`"),
        ({"shipped_rules": False}, "how to refuse"),
    ],
)
def test_a_setting_that_fits_nothing_is_refused(settings: Any, says: str) -> None:
    with pytest.raises(ConfigError) as refused:
        Safety(SafetySettings(**settings), Pseudonyms(None))
    assert says in str(refused.value)


def test_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "rules.toml"
    file.write_bytes(b"language = '\xff'")
    with pytest.raises(ConfigError, match="not UTF-8, at byte 12"):
        Safety(SafetySettings(rules=(file,)), Pseudonyms(None))


def test_pseudonyms_without_a_key_are_those_of_this_start_alone() -> None:
    keyed = Pseudonyms(SecretStr("k" * 16))
    assert Pseudonyms(None).of("text") == Pseudonyms(None).of("text")
    assert Pseudonyms(None).of("text") != keyed.of("text")
    assert keyed.of("\ud83d") != keyed.of("text")
