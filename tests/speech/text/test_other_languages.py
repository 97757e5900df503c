"""Languages that are read by what the libraries know of them."""

from __future__ import annotations

import pytest
from num2words import CONVERTER_CLASSES

from inzwa_rtc.speech.text.numbers import Numbers
from tests.support.read_aloud import spoken


@pytest.mark.parametrize(
    ("language", "written", "said"),
    [
        ("de", "26 Äpfel", "sechsundzwanzig Äpfel"),
        ("de", "1.234,5", "eintausendzweihundertvierunddreißig Komma fünf"),
        ("de", "-5 °C", "minus fünf Grad Celsius"),
        ("de", "2026-11-21", "einundzwanzigste November zweitausendsechsundzwanzig"),
        ("de", "5 km", "fünf Kilometer"),
        ("de", "44 %", "vierundvierzig Prozent"),
        ("de", "14:30", "vierzehn dreißig"),
        ("de-AT", "6,50 €", "sechs Euro und fünfzig Cent"),
        ("de", "6,00 €", "sechs Euro"),
        ("fr", "-6,50 €", "moins six euros et cinquante centimes"),
        ("de", "1 Mio. €", "eine Million Euro"),
        ("de", "2,5 Mrd. €", "zwei Milliarden fünfhundert Millionen Euro"),
        ("de", "1.000.000 €", "eine Million Euro"),
        ("de", "A & B", "A und B"),
        ("fr", "A & B", "A et B"),
        ("de", "info@beispiel.de", "info @ beispiel.de"),
        ("de", "3 + 4 = 7", "drei + vier = sieben"),
        ("de", "1/2", "eins / zwei"),
        ("de", "10:00–12:00 Uhr", "zehn, zwölf Uhr"),
        ("de", "5-10 Uhr", "fünf, zehn Uhr"),
        ("de", "+49 30 1234567", "+ vier neun, drei null, eins zwei drei vier fünf sechs sieben"),
        ("de", "Am 3. März", "Am dritte März"),
        ("de", "der 2. Mann", "der zweite Mann"),
        ("de", "Das Kapitel hat 5. Dann kommt mehr.", "Das Kapitel hat fünf. Dann kommt mehr."),
        ("da", "den 3. marts", "den tredje marts"),
        ("fr", "14h30", "quatorze heures trente"),
        ("fr", "le 1er mars", "le premier mars"),
        ("fr", "2e étage", "deuxième étage"),
        ("nl", "de 3e keer", "de derde keer"),
        ("fr", "1 234", "mille deux cent trente-quatre"),
        ("fr", "3 kg", "trois kilogrammes"),
        ("fr", "1 kg", "un kilogramme"),
        ("fr", "21/11/2026", "vingt et un novembre deux mille vingt-six"),
        ("es", "$5", "cinco dólares estadounidenses"),
        ("es", "0,25", "cero punto dos cinco"),
        ("pt-BR", "7 pessoas", "sete pessoas"),
        ("sv", "COVID-19", "COVID nitton"),
        ("xx", "26 %", "26 %"),
        ("zu", "26 izinja", "26 izinja"),
        ("de", "https://www.example.com/a/b/c", "example.com"),
    ],
)
def test_numbers_are_words_of_the_language(language: str, written: str, said: str) -> None:
    assert spoken(written, language) == said


@pytest.mark.parametrize("code", sorted(CONVERTER_CLASSES))
def test_every_language_of_the_library_is_read(code: str) -> None:
    language = code.replace("_", "-").replace("kz", "kk")
    text = "0 1 26 105 2026 1000000 3,5 3.5 -7 14:30 2026-11-21 12345678901234567890"
    said = spoken(text, language)
    assert not any(sign.isascii() and sign.isdigit() for sign in said)


@pytest.mark.parametrize("code", sorted(CONVERTER_CLASSES))
def test_money_and_units_are_named_in_every_language_of_the_library(code: str) -> None:
    language = code.replace("_", "-").replace("kz", "kk")
    numbers = Numbers(language)
    alone = spoken("5", language)
    assert alone == numbers.cardinal(5)
    for amount in ("€5", "5 €", "$5", "5 km", "5%", "5 kg"):
        said = spoken(amount, language)
        assert not any(sign.isascii() and sign.isdigit() for sign in said), amount
        assert len(said) > len(alone), f"{amount}: {said}"


@pytest.mark.parametrize("code", sorted(CONVERTER_CLASSES))
def test_numbers_of_any_length_have_words_in_every_language(code: str) -> None:
    """Some converters do not return, or call themselves without end, on large numbers."""
    numbers = Numbers(code)
    for length in range(1, 21):
        for figures in ("1" + "0" * (length - 1), "9" * length, "12345678901234567890"[:length]):
            number = int(figures)
            for said in (
                *(numbers.cardinal(number), numbers.ordinal(number), numbers.year(number)),
                *(numbers.whole(figures), numbers.signed(-number)),
                *(numbers.decimal(figures, "05"), numbers.decimal("3", figures)),
            ):
                assert said
                assert not any(sign.isascii() and sign.isdigit() for sign in said)
