"""SSML as it is read aloud."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from inzwa_rtc.errors import PeerError
from inzwa_rtc.speech.text import TextReader
from tests.support.read_aloud import heard_for, pieces, spoken


def speak(inner: str) -> str:
    return f"<speak>{inner}</speak>"


@pytest.mark.parametrize(
    ("inner", "said"),
    [
        ("I have 3 &amp; no *stars*.", "I have three and no stars."),
        ('<say-as interpret-as="characters">Wi3</say-as>', "W I three"),
        ('<say-as interpret-as="spell-out">abc</say-as>', "A B C"),
        ('<say-as interpret-as="digits">2026</say-as>', "two zero two six"),
        ('In <say-as interpret-as="cardinal">2026</say-as>', "In two thousand and twenty-six"),
        ('My <say-as interpret-as="ordinal">3</say-as> try', "My third try"),
        (
            '<say-as interpret-as="date" format="dmy">3/4/2026</say-as>',
            "the third of April twenty twenty-six",
        ),
        (
            '<say-as interpret-as="date" format="mdy">3/4/2026</say-as>',
            "the fourth of March twenty twenty-six",
        ),
        ('<say-as interpret-as="time">2:30pm</say-as>', "two thirty P M"),
        ('<say-as interpret-as="telephone">077-123</say-as>', "zero seven seven, one two three"),
        ('<say-as interpret-as="currency">$5.20</say-as>', "five dollars and twenty cents"),
        ('<say-as interpret-as="strange">5</say-as>', "five"),
        ('<sub alias="World Wide Web Consortium">W3C</sub>', "World Wide Web Consortium"),
        ('<voice name="x"><mark name="y"/>Kept <amazon:z>here</amazon:z></voice>', "Kept here"),
        ("<metadata>not</metadata><audio src='a'><desc>nor</desc>this</audio>", "this"),
        ("<![CDATA[a < b & c]]>", "a is less than b and c"),
        ("caf&#233; \x00\ud800 é", "café é"),
    ],
)
def test_elements_say_how_text_is_read(inner: str, said: str) -> None:
    assert spoken(speak(inner), "en-GB") == said


@pytest.mark.parametrize("language", ["am", "ca", "de", "en-GB", "en-IN", "es", "kn", "sn", "te"])
@pytest.mark.parametrize("kind", ["cardinal", "ordinal"])
def test_any_number_can_be_asked_for(language: str, kind: str) -> None:
    number = f'<say-as interpret-as="{kind}">999999999999999</say-as>'
    assert not any(sign.isdigit() for sign in spoken(speak(number), language))


@pytest.mark.parametrize(
    ("language", "said"),
    [("en-GB", "minus five"), ("de", "minus fünf"), ("fr", "moins cinq"), ("sn", "minus shanu")],
)
def test_a_cardinal_keeps_its_minus(language: str, said: str) -> None:
    for minus in "-−":
        written = f'<say-as interpret-as="cardinal">{minus}5</say-as>'
        assert spoken(speak(written), language) == said


def test_breaks_are_silence_of_at_most_ten_seconds() -> None:
    text = speak(
        '<break time="1.5s"/>One<break/>two<break time="99s"/>three'
        '<break strength="strong"/><break time="250ms"/>four <break strength="none"/>five'
    )
    assert [(piece.text, piece.pause_ms) for piece in pieces(text)] == [
        ("", 1500),
        ("One", 500),
        ("two", 10_000),
        ("three", 1000),
        ("four five", 0),
    ]


def test_paragraphs_and_sentences_stand_apart() -> None:
    text = speak("<p><s>One is here</s><s>Two is here</s></p><p>Three</p>")
    assert [(piece.text, piece.pause_ms) for piece in pieces(text)] == [
        ("One is here.", 0),
        ("Two is here.", 300),
        ("Three.", 300),
    ]


@pytest.mark.parametrize(
    ("rate", "speed"),
    [
        ("80%", 0.8), ("+10%", 1.1), ("-20%", 0.8), ("x-slow", 0.5), ("fast", 1.25), ("2", 2.0),
        ("1%", 0.25), ("9999%", 4.0), ("-500%", 0.25), ("quick", 1.0), ("", 1.0),
    ],
)  # fmt: skip
def test_the_rate_is_the_speed_within_bounds(rate: str, speed: float) -> None:
    (piece,) = pieces(speak(f'<prosody rate="{rate}">so</prosody>'))
    assert piece.speed == pytest.approx(speed)


def test_rates_multiply_and_end_with_their_element() -> None:
    inner = '<prosody rate="50%">a <prosody rate="50%">b</prosody> c</prosody> d'
    assert [(piece.text, piece.speed) for piece in pieces(speak(inner))] == [
        ("a", 0.5),
        ("b", 0.25),
        ("c", 0.5),
        ("d", 1.0),
    ]


def test_emphasis_is_slower_and_louder() -> None:
    before, stressed, after = pieces(speak('it is <emphasis level="strong">so</emphasis> good'))
    assert (before.gain_db, after.gain_db) == (0, 0)
    assert stressed.gain_db > 0
    assert stressed.speed < 1


def test_each_language_is_read_by_its_own_rules() -> None:
    text = '<speak xml:lang="en-GB">Say 5: <lang xml:lang="sn">5</lang>!</speak>'
    assert [(piece.text, piece.language) for piece in pieces(text, "de")] == [
        ("Say five:", "en-GB"),
        ("shanu", "sn"),
    ]


def test_words_keep_their_place_in_the_source() -> None:
    text = speak('Tom &amp; é <sub alias="Jerry Mouse">J. M.</sub> got <b>26</b>')
    assert heard_for(text) == [
        ("Tom", "Tom"),
        ("and", "&amp;"),
        ("é", "é"),
        ("Jerry Mouse", "J. M."),
        ("got", "got"),
        ("twenty-six", "26"),
    ]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 50])
def test_ssml_may_come_in_parts_that_end_anywhere(size: int) -> None:
    head, tail = "<speak>", 'One &amp; <prosody rate="50%">two é</prosody> three.</speak>'
    reader = TextReader("en")
    said = []
    for part in (head, *(tail[at : at + size] for at in range(0, len(tail), size))):
        for piece in reader.read(part, 100):
            said += [(word, piece.speed) for word in piece.text]
            assert all(span.source_end <= len(part) for span in piece.spans)
    reader.finish()
    assert "".join(letter for letter, speed in said if speed == 0.5).replace(" ", "") == "twoé"


@pytest.mark.parametrize(
    ("text", "place", "what"),
    [
        ("<speak>a\n<p>b</speak>", "line 2, column", "mismatched tag"),
        ("<speak>a & b</speak>", "line 1, column", "not well-formed"),
        ("<speak>&nbsp;</speak>", "line 1, column 8", "undefined entity"),
        ("<speak>a</speak> b", "line 1, column 18", "junk"),
        ('<speak x="1" x="2"/>', "line 1", "duplicate attribute"),
        ("<speak>" + "<p>" * 100_000, "line 1", "more than 100 elements"),
    ],
)
def test_what_is_no_ssml_is_refused_with_its_place(text: str, place: str, what: str) -> None:
    with pytest.raises(PeerError, match=what) as caught:
        pieces(text)
    assert caught.value.code == "bad_ssml"
    assert place in caught.value.message
    assert caught.value.action


@pytest.mark.parametrize(
    "document_type",
    [
        '<!DOCTYPE speak [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>',
        '<!DOCTYPE speak SYSTEM "file:///etc/passwd">',
        '<!DOCTYPE speak [<!ENTITY % x SYSTEM "http://localhost/x"> %x;]>',
    ],
)
def test_nothing_is_expanded_or_fetched(document_type: str) -> None:
    with pytest.raises(PeerError, match="document type is not accepted"):
        pieces(f'<?xml version="1.0"?>\n{document_type}<speak>&b;</speak>')


def test_breaks_side_by_side_are_no_longer_than_one() -> None:
    text = speak('<break time="9s"/>' * 1000)
    assert [(piece.text, piece.pause_ms) for piece in pieces(text)] == [("", 10_000)]


def test_elements_that_stay_open_are_named_at_the_end() -> None:
    reader = TextReader("en")
    assert [piece.text for piece in reader.read("<speak><p>Hello.", 100)] == ["Hello."]
    with pytest.raises(PeerError, match="<p> is never closed"):
        reader.finish()


def test_a_text_that_only_speaks_of_ssml_is_none() -> None:
    assert spoken("Write <speak> first.") == "Write first."


@settings(max_examples=100, deadline=None)
@given(st.text(st.sampled_from(list("a1 .<>/&;\"'=p\n\r\x00é😀\ud800![CDATA]-?")), max_size=60))
@example("<![CDATA[&]]>&#x41;\r\na")
@example("<a b='&#65;'>")
def test_any_ssml_is_read_or_refused(inner: str) -> None:
    text = speak(inner)
    try:
        found = pieces(text, limit=50)
    except PeerError as error:
        assert error.code == "bad_ssml"
        return
    for piece in found:
        assert len(piece.text) <= 50
        for span in piece.spans:
            assert 0 <= span.source_start <= span.source_end <= len(text)
