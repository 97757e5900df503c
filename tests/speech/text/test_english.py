"""English as it is read aloud: what is written in figures and signs is said in words."""

from __future__ import annotations

import pytest

from tests.support.read_aloud import heard_for, spoken

WRITTEN = [
    # Numbers
    ("26 apples", "twenty-six apples"),
    ("105 apples", "one hundred and five apples"),
    ("1,000,000 stars", "one million stars"),
    ("3.14", "three point one four"),
    ("0.50", "zero point five zero"),
    (".5", "zero point five"),
    ("-7", "minus seven"),
    ("room 007", "room zero zero seven"),
    (
        "1234567890123456",
        "one two three four five six seven eight nine zero one two three four five six",
    ),
    ("5-10 people", "five to ten people"),
    ("the 1st and the 22nd", "the first and the twenty-second"),
    ("1/2 a cup", "one half a cup"),
    ("2 1/2 cups", "two and a half cups"),
    ("¾ of it", "three quarters of it"),
    ("5/12", "five twelfths"),
    ("2 + 2 = 4", "two plus two equals four"),
    ("3 x 4", "three times four"),
    ("10 - 3", "ten minus three"),
    ("5 > 3", "five is more than three"),
    ("10²", "ten squared"),
    # Money
    ("$6.50", "six dollars and fifty cents"),
    ("$1", "one dollar"),
    ("$0.01", "one cent"),
    ("US$20", "twenty US dollars"),
    ("€5", "five euros"),
    ("£1.01", "one pound and one penny"),
    ("ZiG 100", "one hundred ZiG"),
    ("R50", "fifty rand"),
    ("$5 million", "five million dollars"),
    ("$2.5bn", "two point five billion dollars"),
    ("20 USD", "twenty US dollars"),
    ("-$5", "minus five dollars"),
    ("$1,234.56", "one thousand two hundred and thirty-four dollars and fifty-six cents"),
    ("$1 000.50", "one thousand dollars and fifty cents"),
    ("R1 000.50", "one thousand rand and fifty cents"),
    ("$5-10", "five to ten dollars"),
    ("$20-30 per night", "twenty to thirty dollars per night"),
    ("$2.50-3.75", "two point five zero to three point seven five dollars"),
    ("$1,000-2,000", "one thousand to two thousand dollars"),
    ("1,000-2,000 people", "one thousand to two thousand people"),
    ("$5-10/night", "five to ten dollars per night"),
    ("$5-10 million", "five to ten million dollars"),
    ("$5-$10", "five dollars to ten dollars"),
    ("50¢", "fifty cents"),
    # Units
    ("2 500.75 km", "two thousand five hundred point seven five kilometres"),
    ("44%", "forty-four percent"),
    ("5 km", "five kilometres"),
    ("1 kg", "one kilogram"),
    ("20°C", "twenty degrees Celsius"),
    ("-5 °C", "minus five degrees Celsius"),
    ("120 km/h", "one hundred and twenty kilometres per hour"),
    ("16GB", "sixteen gigabytes"),
    ("10–20 km", "ten to twenty kilometres"),
    ("$5/kg", "five dollars per kilogram"),
    # Dates and times
    ("in 2026", "in twenty twenty-six"),
    ("the 1990s", "the nineteen nineties"),
    ("1990-1995", "nineteen ninety to nineteen ninety-five"),
    ("21 November 2026", "the twenty-first of November twenty twenty-six"),
    ("November 21, 2026", "November twenty-first, twenty twenty-six"),
    ("5 May", "the fifth of May"),
    ("Sept. 3", "September third"),
    ("May 2026", "May twenty twenty-six"),
    ("14:30", "fourteen thirty"),
    ("9:05", "nine oh five"),
    ("10:00", "ten o'clock"),
    ("8:30pm", "eight thirty P M"),
    ("8 a.m.", "eight A M."),
    ("24/7", "twenty-four seven"),
    ("It's 3pm.", "It's three P M."),
    ("at 3 p.m. or so", "at three P M or so"),
    ("9am-5pm", "nine A M to five P M"),
    ("9:30-17:00", "nine thirty to seventeen hundred hours"),
    ("from 2019 to 2021", "from twenty nineteen to twenty twenty-one"),
    ("2026/27", "twenty twenty-six to twenty-seven"),
    ("It was 1999.", "It was nineteen ninety-nine."),
    ("20%-30%", "twenty percent to thirty percent"),
    ("£1m–£2m", "one million pounds to two million pounds"),
    ("2:1", "two to one"),
    ("1,2,3", "one, two, three"),
    ("100k users", "one hundred thousand users"),
    ("6'2\" tall", "six foot two tall"),
    ("~50", "approximately fifty"),
    ("the 80s", "the eighties"),
    ("the '90s", "the nineties"),
    ("in his 30s", "in his thirties"),
    ("the late 20s or 30s", "the late twenties or thirties"),
    ("wait 30s", "wait thirty seconds"),
    (
        "in 2024, 2025 and 2026",
        "in twenty twenty-four, twenty twenty-five and twenty twenty-six",
    ),
    ("3 - 4 = -1", "three minus four equals minus one"),
    ("3 - 4 km", "three to four kilometres"),
    ("9/10", "nine tenths"),
    ("10⁶", "ten to the power of six"),
    ("10⁻³", "ten to the power of minus three"),
    ("1.5x faster", "one point five times faster"),
    ("3x4", "three by four"),
    ("2.5D", "two point five D"),
    ("4K video", "four K video"),
    ("a 5k run", "a five K run"),
    ("Apt. 4B", "apartment four B"),
    ("Gate 12A", "Gate twelve A"),
    # Telephone numbers, versions, names with figures
    ("+263 77 123 4567", "plus two six three, seven seven, one two three, four five six seven"),
    ("0771 234 567", "zero seven seven one, two three four, five six seven"),
    ("(555) 123-4567", "five five five, one two three, four five six seven"),
    ("Call 116 or 999.", "Call one one six or nine nine nine."),
    ("Call 555-1234", "Call five five five, one two three four"),
    (
        "4111 1111 1111 1111",
        "four one one one, one one one one, one one one one, one one one one",
    ),
    ("Call 500 people", "Call five hundred people"),
    ("978-3-16", "nine seven eight, three, one six"),
    ("v1.2.3", "version one point two point three"),
    (
        "192.168.0.1",
        "one hundred and ninety-two point one hundred and sixty-eight point zero point one",
    ),
    ("A380", "A three eighty"),
    ("COVID-19", "COVID nineteen"),
    ("B2B", "B two B"),
    # Letters
    ("Dr. Smith", "Doctor Smith"),
    ("St. Mary, Baker St.", "Saint Mary, Baker Street"),
    ("No. 5", "number five"),
    ("No. I said no.", "No. I said no."),
    ("e.g. this", "for example this"),
    ("tea, etc.", "tea, et cetera."),
    ("TCP/IP and/or C#", "T C P I P and or C sharp"),
    ("J. K. Rowling", "J K Rowling"),
    ("the U.S. army", "the U S army"),
    ("HTML and NASA", "H T M L and NASA"),
    ("two PCs", "two P C's"),
    ("do NOT go", "do NOT go"),
    ("THIS IS ALL SHOUTED", "THIS IS ALL SHOUTED"),
    ("Henry VIII", "Henry the eighth"),
    ("Chapter IV", "Chapter four"),
    ("Charles and I", "Charles and I"),
    ("salt & pepper", "salt and pepper"),
    ("#1", "number one"),
]


@pytest.mark.parametrize(("written", "said"), WRITTEN)
def test_english_is_said_in_words(written: str, said: str) -> None:
    assert spoken(written, "en-GB") == said


@pytest.mark.parametrize(
    ("language", "written", "said"),
    [
        ("en-US", "3/4/2026", "March fourth, twenty twenty-six"),
        ("en-GB", "3/4/2026", "the third of April twenty twenty-six"),
        ("en-ZW", "21/11/2026", "the twenty-first of November twenty twenty-six"),
        ("en-US", "21/11/2026", "November twenty-first, twenty twenty-six"),
        ("en-US", "2026-11-21", "November twenty-first, twenty twenty-six"),
        ("en-GB", "2026-11-21", "the twenty-first of November twenty twenty-six"),
    ],
)
def test_the_region_says_how_dates_are_read(language: str, written: str, said: str) -> None:
    assert spoken(written, language) == said


def test_a_word_that_is_said_stands_for_what_is_written() -> None:
    assert heard_for("Dr. Moyo paid $6.50 for 26 eggs.") == [
        ("Doctor", "Dr."),
        ("Moyo", "Moyo"),
        ("paid", "paid"),
        ("six dollars and fifty cents", "$6.50"),
        ("for", "for"),
        ("twenty-six", "26"),
        ("eggs", "eggs"),
    ]


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("Write to info@inzwa.co.zw.", "Write to info at inzwa dot co dot zw."),
        ("See https://www.example.com.", "See example dot com."),
        ("See example.com/help now", "See example dot com slash help now"),
        ("https://example.com/a/b/c/d/e?x=1#y", "example dot com"),
        ("https://example.com/9f8e7d6c5b4a39281706", "example dot com"),
    ],
)
def test_addresses_are_said_as_on_the_telephone(written: str, said: str) -> None:
    assert spoken(written) == said
