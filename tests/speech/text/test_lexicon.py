"""The operator's own pronunciations."""

from __future__ import annotations

from pathlib import Path

import pytest

from inzwa_rtc.errors import ConfigError
from inzwa_rtc.speech.text import Lexicon, Rules
from inzwa_rtc.speech.text.lexicon_file import load
from tests.support.read_aloud import heard_for, spoken

ENTRIES = """\
"*":
  Inzwa: in zwah
en:
  gif: jif
  US: you ess
  C++: see plus plus
  New York: noo york
  New York City: the big city
  "24": two dozen
en-GB:
  gif: ghif
"""


@pytest.fixture
def rules(tmp_path: Path) -> Rules:
    file = tmp_path / "words.yaml"
    file.write_text(ENTRIES, encoding="utf-8")
    return Rules(lexicon=load([file]))


@pytest.mark.parametrize(
    ("language", "written", "said"),
    [
        ("en", "Inzwa is here, inzwa not", "in zwah is here, inzwa not"),
        ("sn", "Inzwa", "in zwah"),
        ("en", "A GIF or gif, no gifs", "A jif or jif, no gifs"),
        ("en-GB", "a Gif", "a ghif"),
        ("en", "US and us", "you ess and us"),
        ("en", "C++ or C", "see plus plus or C"),
        ("en", "New York City and New York", "the big city and noo york"),
        ("en", "24 eggs", "two dozen eggs"),
        ("de", "gif", "gif"),
    ],
)
def test_a_word_is_said_as_the_operator_wants(
    rules: Rules, language: str, written: str, said: str
) -> None:
    assert spoken(written, language, rules) == said


def test_later_files_go_before_earlier_ones(tmp_path: Path) -> None:
    first, second = tmp_path / "1.yml", tmp_path / "2.yml"
    first.write_text("en: {tea: tee, one: wun}")
    second.write_text("en:\n  tea: chai\nsn:\n")
    assert spoken("tea, one", "en", Rules(load([first, second]))) == "chai, wun"


PLS = """\
<?xml version="1.0" encoding="UTF-8"?>
<lexicon version="1.0" xmlns="http://www.w3.org/2005/01/pronunciation-lexicon" xml:lang="en">
  <lexeme><grapheme>W3C</grapheme><grapheme>w3</grapheme><alias>the web people</alias></lexeme>
</lexeme_or_not>
"""


def test_aliases_of_a_pronunciation_lexicon_are_taken(tmp_path: Path) -> None:
    file = tmp_path / "words.pls"
    file.write_text(PLS.replace("lexeme_or_not", "lexicon"), encoding="utf-8")
    assert spoken("Ask W3C, or w3.", "en", Rules(load([file]))) == (
        "Ask the web people, or the web people."
    )


@pytest.mark.parametrize(
    ("name", "content", "line", "what"),
    [
        ("a.yaml", "en:\n  a: b\n  c: [d]\n", 3, "not one spoken text"),
        ("a.yaml", "en:\n  - a\n", 2, "not a list of pairs"),
        ("a.yaml", "en:\n  a: b\n  a: c\n", 3, "twice"),
        ("a.yaml", "en:\n  a: 'b\n", 3, "quoted scalar"),
        ("a.yaml", "just words", 1, "not a list of pairs"),
        ("a.yaml", "en:\n  ' ': c\n", 2, "empty"),
        ("a.yaml", b"en:\n  a: \xff\n", 2, "not UTF-8"),
        ("a.pls", PLS, 4, "mismatched tag"),
        ("a.pls", "<!DOCTYPE a [<!ENTITY b 'c'>]><lexicon/>", 1, "DOCTYPE"),
        ("a.pls", "<lexicon>\n<lexeme><grapheme>a</grapheme></lexeme></lexicon>", 2, "no alias"),
    ],
)
def test_a_wrong_file_is_refused_with_its_line(
    tmp_path: Path, name: str, content: str | bytes, line: int, what: str
) -> None:
    file = tmp_path / name
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(ConfigError, match=what) as caught:
        load([file])
    assert f"line {line}:" in caught.value.message
    assert caught.value.action


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.yaml cannot be read"):
        load([tmp_path / "none.yaml"])


def test_ten_thousand_entries_cost_no_more_than_ten() -> None:
    words = Lexicon({"en": {f"word{i}": f"said {i}" for i in range(10_000)}})
    assert spoken("word9999 is said. " * 200, "en", Rules(words)).count("said 9999") == 200


def test_what_is_said_stands_for_what_is_written() -> None:
    assert heard_for("in New York") == [("in", "in"), ("New", "New"), ("York", "York")]
