"""Shona as it is read aloud. The tables are sourced; what follows a pattern alone says so.

LN languagesandnumbers.com, MS mashumba, L101 learn101.org, VOA Voice of America Shona,
CO COPAC's draft constitution, KW Kwayedza, JW jw.org. Each row: written, said, source.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from inzwa_rtc.speech.text.shona.data import uncertain
from tests.support.read_aloud import heard_for, spoken

ROOT = Path(__file__).parents[3]

TABLE = [
    ("0", "ziro", "LN"),
    ("1", "motsi", "LN MS"),
    ("2", "piri", "LN MS"),
    ("3", "tatu", "LN MS"),
    ("4", "china", "LN MS"),
    ("5", "shanu", "LN MS"),
    ("6", "tanhatu", "LN MS"),
    ("7", "nomwe", "LN MS"),
    ("8", "sere", "LN MS"),
    ("9", "pfumbamwe", "LN MS"),
    ("10", "gumi", "LN MS"),
    ("11", "gumi neimwe", "LN MS"),
    ("12", "gumi nembiri", "LN MS"),
    ("13", "gumi nenhatu", "LN MS"),
    ("14", "gumi neina", "LN MS"),
    ("15", "gumi neshanu", "LN MS"),
    ("16", "gumi nenhanhatu", "LN MS"),
    ("17", "gumi nenomwe", "LN MS"),
    ("18", "gumi nesere", "LN MS"),
    ("19", "gumi nepfumbamwe", "LN MS"),
    ("20", "makumi maviri", "LN MS"),
    ("30", "makumi matatu", "LN MS"),
    ("40", "makumi mana", "LN MS"),
    ("50", "makumi mashanu", "LN MS"),
    ("60", "makumi matanhatu", "LN MS"),
    ("70", "makumi manomwe", "LN MS"),
    ("80", "makumi masere", "LN MS"),
    ("90", "makumi mapfumbamwe", "LN MS"),
    ("100", "zana", "LN MS"),
    ("22", "makumi maviri nembiri", "MS"),
    ("33", "makumi matatu nenhatu", "MS"),
    ("66", "makumi matanhatu nenhanhatu", "MS"),
    ("110", "zana negumi", "MS"),
    ("115", "zana negumi neshanu", "MS"),
    ("221", "mazana maviri nemakumi maviri neimwe", "MS"),
    ("507", "mazana mashanu nenomwe", "MS"),
    ("2,000", "zviuru zviviri", "MS VOA KW"),
    ("5,000", "zviuru zvishanu", "MS VOA KW"),
    ("71", "makumi manomwe neimwe", "L101"),
    ("imbwa 3", "imbwa nhatu", "L101"),
    ("katsi 2", "katsi mbiri", "L101"),
    ("mitauro 7", "mitauro minomwe", "L101"),
    ("chidzidzo che2", "chidzidzo chechipiri", "L101"),
    ("bhuku re3", "bhuku rechitatu", "L101"),
    ("ka2", "kaviri", "L101"),
    ("42,000", "zviuru makumi mana nemaviri", "VOA"),
    ("7.7m", "mamiriyoni manomwe nezviuru mazana manomwe", "VOA"),
    ("44%", "zvikamu makumi mana nezvina kubva muzana", "VOA"),
    ("70%", "zvikamu makumi manomwe kubva muzana", "VOA"),
    ("makore 42", "makore makumi mana nemaviri", "VOA"),
    ("mwedzi 6", "mwedzi mitanhatu", "VOA"),
    ("$1", "dhora rimwe chete", "VOA"),
    ("$4", "madhora mana", "VOA"),
    ("$6.50", "madhora matanhatu nechidimu", "VOA"),
    ("mapeji 172", "mapeji zana nemakumi manomwe nemaviri", "CO"),
    ("4m", "mamiriyoni mana", "JW"),
    ("maawa 2", "maawa maviri", "JW"),
    (
        "52.08%",
        "zvikamu makumi mashanu nezviviri, nezvinoraudzira kubva muzana",
        "KW",
    ),
    ("5 min", "maminitsi mashanu", "KW"),
    ("vanhu 10", "vanhu gumi", "KW"),
    ("04:00", "nguva dzeina", "KW"),
    ("05:00", "nguva dzeshanu", "KW"),
    ("06:00", "nguva dzenhanhatu", "KW"),
    ("10:00", "nguva dzegumi", "KW"),
    ("12:00", "nguva dzegumi nembiri", "KW"),
    ("07:00", "nguva dzenomwe", "derived from KW"),
    ("11:00", "nguva dzegumi neimwe", "derived from KW"),
    ("US$20", "madhora makumi maviri ekuAmerica", "derived from VOA"),
    ("zvinhu 12", "zvinhu gumi nezviviri", "derived from KW"),
    ("25%", "zvikamu makumi maviri nezvishanu kubva muzana", "derived from VOA"),
    ("2026", "zviuru zviviri nemakumi maviri nenhanhatu", "derived, to be reviewed"),
    ("0.5", "ziro poindi shanu", "derived, to be reviewed"),
]


@pytest.mark.parametrize(("written", "said", "source"), TABLE)
def test_shona_is_said_as_its_sources_say_it(written: str, said: str, source: str) -> None:
    assert spoken(written, "sn") == said, source


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("10 vanhu", "vanhu gumi"),
        ("nevanhu 2", "nevanhu vaviri"),
        ("nguva dza04:00", "nguva dzeina"),
        ("nguva dze10:00", "nguva dzegumi"),
        ("musi wa30 Kubvumbi", "musi wemakumi matatu Kubvumbi"),
        ("mugore ra2019", "mugore rezviuru zviviri negumi nepfumbamwe"),
        ("kuUS$1 000", "kumadhora chiuru ekuAmerica"),
        ("bhuku re1", "bhuku rekutanga"),
        ("1 000", "chiuru"),
        ("muHarare nekuBulawayo", "muHarare nekuBulawayo"),
        ("21/11/2000", "musi wemakumi maviri neimwe Mbudzi zviuru zviviri"),
        ("2000-11-21", "musi wemakumi maviri neimwe Mbudzi zviuru zviviri"),
        ("0771 234 567", "ziro nomwe nomwe motsi, piri tatu china, shanu tanhatu nomwe"),
        ("5.5%", "zvikamu shanu poindi shanu kubva muzana"),
        ("8:30pm", "nguva dzesere nemaminitsi makumi matatu manheru"),
        ("mamiriyoni 4", "mamiriyoni mana"),
        ("zviuru 5", "zviuru zvishanu"),
        ("zviuru 42", "zviuru makumi mana nemaviri"),
        ("mazana 3", "mazana matatu"),
        ("makumi 5", "makumi mashanu"),
        ("1%", "chikamu chimwe kubva muzana"),
        ("R1 000.50", "Randi chiuru poindi shanu ziro"),
        ("US$1 000.25", "madhora chiuru nemasendi makumi maviri nemashanu ekuAmerica"),
        ("£5", "Paundi shanu ye Bhiriteni"),
        ("£5.25", "Paundi shanu poindi piri shanu ye Bhiriteni"),
        ("€10", "Yuro gumi"),
        ("10 €", "Yuro gumi"),
        ("¥5", "¥ shanu"),
        ("US$3bn", "madhora matatu bn ekuAmerica"),
        ("na$5", "nemadhora mashanu"),
        ("ne$5", "nemadhora mashanu"),
        ("wa$5", "wemadhora mashanu"),
        ("na10:00", "na nguva dzegumi"),
        ("18:45hrs", "nguva dzegumi nesere nemaminitsi makumi mana nemashanu"),
        ("0830hrs", "nguva dzesere nemaminitsi makumi matatu"),
        ("Chipiri 10:00", "Chipiri nguva dzegumi"),
        ("Tichaonana 10:30", "Tichaonana nguva dzegumi nemaminitsi makumi matatu"),
        ("ne5%", "nezvikamu zvishanu kubva muzana"),
        ("wa5 km", "wemakiromita mashanu"),
        ("Johane 3:16", "Johane tatu, gumi nenhanhatu"),
        ("60 km/h", "makumi matanhatu km slash h"),
        ("musi wa30/04/2019", "musi wemakumi matatu Kubvumbi zviuru zviviri negumi nepfumbamwe"),
        ("3 + 4 = 7", "tatu plus china equals nomwe"),
        ("COVID-19", "COVID gumi nepfumbamwe"),
        ("Mhoroi, makadii?", "Mhoroi, makadii?"),
        ("n'anga", "n'anga"),
    ],
)  # fmt: skip
def test_shona_follows_the_patterns_of_its_sources(written: str, said: str) -> None:
    """Not sourced word for word: for speakers to review."""
    assert spoken(written, "sn") == said


def test_what_no_source_confirms_is_marked_for_review() -> None:
    marked = set(uncertain())
    assert "concords.8.6: zvitanhatu" in marked
    assert not any(line.startswith("alone.") for line in marked)


def test_the_page_for_speakers_names_all_that_is_to_be_reviewed() -> None:
    page = (ROOT / "docs/shona.md").read_text(encoding="utf-8")
    listed = {line[3:-1] for line in page.splitlines() if line.startswith("- `")}
    assert listed == set(uncertain())


def test_prefix_and_number_stand_for_what_is_written() -> None:
    assert heard_for("mugore ra2019", "sn") == [
        ("mugore", "mugore"),
        ("rezviuru zviviri negumi nepfumbamwe", "ra2019"),
    ]
