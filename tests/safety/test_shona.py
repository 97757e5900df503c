"""Shona words: which forms are those of a stem, and which only look like it."""

from __future__ import annotations

import pytest

from inzwa_rtc.safety.shona import Verbs, noun

VERBS = Verbs({"uray": None, "b": ("ir",), "sungirir": None, "rov": None, "f": ()})


@pytest.mark.parametrize(
    ("word", "form"),
    [
        ("kuuraya", "ku-uray-"),
        ("yekumuuraya", "ku-uray-"),
        ("ndinouraya", "ndi-uray-"),
        ("ndichamuuraya", "ndi-uray-"),
        ("ndingauraye", "ndi-uray-"),
        ("akauraya", "-uray-"),
        ("muurayei", "-uray-"),
        ("kuurayisa", "ku-uray-"),
        ("kuzviuraya", "ku-zvi-uray-"),
        ("ndichazviuraya", "ndi-zvi-uray-"),
        ("akaurayiwa", "-uray-w-"),
        ("kuba", "ku-b-"),
        ("ndakaba", "-b-"),
        ("kubira", "ku-b-"),
        ("kuzvisungirira", "ku-zvi-sungirir-"),
        ("kurova", "ku-rov-"),
    ],
)
def test_a_form_of_a_verb_is_known(word: str, form: str) -> None:
    assert form in set(VERBS.keys(word))


@pytest.mark.parametrize(
    "word",
    [
        "kubata", "kubatsira", "kubva", "kubika", "kubuda", "kubaya", "tsungirira",
        "kutsungirira", "hunouraya", "kusungwa", "kufara", "kufamba", "uta", "", "b",
    ],
)  # fmt: skip
def test_a_word_that_only_looks_like_one_is_not(word: str) -> None:
    assert list(VERBS.keys(word)) == []


@pytest.mark.parametrize("word", ["ndakauraya", "takauraya", "ndauraya"])
def test_what_i_have_done_is_not_what_i_will_do(word: str) -> None:
    forms = set(VERBS.keys(word))
    assert "-uray-" in forms
    assert "ndi-uray-" not in forms


def test_a_passive_form_is_no_active_one() -> None:
    assert set(VERBS.keys("vakaurayiwa")) == {"-uray-w-"}


def test_a_noun_is_known_behind_its_connectives() -> None:
    assert {"pfuti", "nepfuti", "yepfuti"} <= noun("pfuti")
    assert "pfutika" not in noun("pfuti")
