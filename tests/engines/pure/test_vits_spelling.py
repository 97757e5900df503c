"""What a VITS voice reads: symbols, blanks, and which of them begin a word."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from inzwa_rtc.engines.tts.alignment import align
from inzwa_rtc.engines.tts.clauses import Span
from inzwa_rtc.engines.tts.onnx.runtime import Stop, Stopped
from inzwa_rtc.engines.tts.vits.coqui import read_coqui
from inzwa_rtc.engines.tts.vits.mms import read_mms
from inzwa_rtc.engines.tts.vits.phonemes import Phonemes
from inzwa_rtc.engines.tts.vits.piper_json import read_piper
from inzwa_rtc.engines.tts.vits.symbols import MOST_IDS, Graphemes, SymbolTable

TABLE = SymbolTable(
    {" ": (1,), "a": (2,), "b": (3,), "'": (4,), "e": (5,), "\u0301": (6,)}, between=(0,)
)


def test_letters_stand_between_blanks_and_words_begin_at_theirs() -> None:
    (made,) = Graphemes(TABLE, cases="folded").spell("Ab, \n b'a!", Stop())
    assert made.ids == (0, 2, 0, 3, 0, 1, 0, 3, 0, 4, 0, 2, 0)
    assert [(one.id_index, one.span.start, one.span.end) for one in made.words] == [
        (1, 0, 2),
        (7, 6, 9),
    ]


def test_a_word_whose_first_letters_are_unknown_begins_at_the_first_that_is_known() -> None:
    (made,) = Graphemes(TABLE).spell("Zab", Stop())
    assert made.ids == (0, 2, 0, 3, 0)
    assert made.words[0].id_index == 1


@pytest.mark.parametrize("text", ["", "  ", "'", "\u02bc", "xyz", "?!", "\ud83d"])
def test_text_without_a_known_letter_is_not_spelt(text: str) -> None:
    assert Graphemes(TABLE).spell(text, Stop()) == []


def test_marks_are_letters_of_their_own_where_the_voice_knows_them_so() -> None:
    (made,) = Graphemes(TABLE, form="NFD").spell("é", Stop())
    assert made.ids == (0, 5, 0, 6, 0)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("Café José", "cafe jose"),
        ("cafe\u0301", "cafe"),
        ("ÉÀ", "ea"),
        ("n\u2019go n\u02bcgo", "n'go n'go"),
        ("ñandú", "ñandu"),
        ("東é", "e"),
    ],
)
def test_of_a_letter_whose_mark_is_unknown_the_letter_is_read(text: str, read: str) -> None:
    letters = " 'abcdefghijklmnopqrstuvwxyzñ"
    table = SymbolTable({letter: (number,) for number, letter in enumerate(letters)})
    (made,) = Graphemes(table, cases="folded").spell(text, Stop())
    assert "".join(letters[number] for number in made.ids) == read
    assert len(made.words) == len(text.split())


def test_piper_s_ids_stand_between_its_begin_and_its_end(tmp_path: Path) -> None:
    ids = {"_": [0], "^": [1], "$": [2], " ": [3], "a": [4], "b": [5, 6]}
    told = {"audio": {"sample_rate": 16000}, "phoneme_type": "text", "phoneme_id_map": ids}
    (tmp_path / "v.onnx.json").write_text(json.dumps(told))
    (made,) = read_piper(tmp_path / "v.onnx").speller.spell("ab a", Stop())
    assert made.ids == (1, 0, 4, 0, 5, 6, 0, 3, 0, 4, 0, 2)
    assert [one.id_index for one in made.words] == [2, 9]


def coqui(folder: Path, text: str, characters: dict[str, str], **told: bool) -> list[int]:
    config = {"audio": {"sample_rate": 16000}, "characters": characters, **told}
    (folder / "config.json").write_text(json.dumps(config))
    return [
        number for made in read_coqui(folder).speller.spell(text, Stop()) for number in made.ids
    ]


def test_coqui_s_vits_symbols_are_numbered_padding_signs_letters_blank(tmp_path: Path) -> None:
    known = {"characters_class": "TTS.tts.models.vits.VitsCharacters", "pad": "_",
             "punctuations": "! ", "characters": "ba", "phonemes": "ɐ"}  # fmt: skip
    assert coqui(tmp_path, "ab!", known) == [6, 4, 6, 3, 6, 1, 6]
    assert coqui(tmp_path, "ab", known, add_blank=False) == [4, 3]


def test_coqui_s_older_symbols_are_numbered_special_ones_sorted_letters_signs(
    tmp_path: Path,
) -> None:
    known = {"characters_class": "Graphemes", "pad": "_", "eos": "~", "bos": "^", "blank": "#",
             "punctuations": "!", "characters": "cab"}  # fmt: skip
    plain = {"add_blank": False, "enable_eos_bos_chars": True}
    assert coqui(tmp_path, "abc!", known, **plain) == [2, 4, 5, 6, 7, 1]
    assert coqui(tmp_path, "a", known) == [3, 4, 3]


def test_mms_keeps_letters_that_it_knows_and_makes_others_small(tmp_path: Path) -> None:
    for name, value in {
        "config.json": {"model_type": "vits", "sampling_rate": 16000, "vocab_size": 5},
        "tokenizer_config.json": {"language": "sna"},
        "vocab.json": {"|": 0, "a": 1, "b": 2, " ": 3, "A": 4},
    }.items():
        (tmp_path / name).write_text(json.dumps(value))
    told = read_mms(tmp_path)
    (made,) = told.speller.spell("Aa BÉ", Stop())
    assert made.ids == (0, 4, 0, 1, 0, 3, 0, 2, 0)
    assert (told.language, told.sample_rate) == ("sn", 16000)


ALONE = {"of": "ʌv", "the": "ðə", "wind": "wɪnd", "AI": "eɪ aɪ", "is": "ɪz"}


@pytest.mark.parametrize(
    ("groups", "words", "pairs"),
    [
        (["ðə", "wɪnd"], ["the", "wind"], [(0, 0), (1, 1)]),
        (["ʌvðə", "wɪnd"], ["of", "the", "wind"], [(0, 0), (1, 2)]),
        (["wɪnd", "ʌvðə", "wɪnd"], ["wind", "of", "the", "wind"], [(0, 0), (1, 1), (2, 3)]),
        (["eɪ", "aɪ", "ɪz"], ["AI", "is"], [(0, 0), (2, 1)]),
        (["ðə"], [], []),
        ([], ["the"], []),
    ],
)
def test_groups_of_phonemes_are_paired_with_the_words_that_they_are_of(
    groups: list[str], words: list[str], pairs: list[tuple[int, int]]
) -> None:
    assert align(groups, words, ALONE.__getitem__) == pairs


def test_words_read_as_more_than_any_pairing_allows_are_not_read_alone() -> None:
    """Signs of a foreign script become half a dozen words each; reading all again takes time."""
    read: list[str] = []

    def note(word: str) -> str:
        read.append(word)
        return word

    assert align(["a"] * 50, ["w"] * 10, note) == []
    assert align(["a"] * 150, ["w"] * 149, note) == []
    assert read == []


def test_a_spelling_that_nobody_waits_for_ends_between_two_words(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pytest.importorskip("piper")
    speller = Phonemes(SymbolTable({"a": (1,)}), "en-us")
    stop, alone = Stop(), speller._alone
    read: list[str] = []

    def stopping(stopped: Stop, word: str) -> str:
        read.append(word)
        stop.set()
        return alone(stopped, word)

    monkeypatch.setattr(speller, "_alone", stopping)
    with pytest.raises(Stopped):
        speller.spell("the wind of the river and of the reeds", stop)
    assert read == ["the"]


@pytest.mark.parametrize("symbols", ["ab b " * 300, "ab" * 900, "ab" * 450 + " " + "b" * 700])
def test_a_spelling_is_cut_into_runs_of_a_bounded_length_and_nothing_is_lost(symbols: str) -> None:
    words = {place: Span(place, place + 1) for place in range(0, len(symbols), 5)}
    table = SymbolTable({" ": (1,), "a": (2,), "b": (3, 4)}, (7,), (0,), (8,))
    runs = list(table.spellings(symbols, words))
    assert max(len(run.ids) for run in runs) <= MOST_IDS
    assert all(run.ids[:2] == (7, 0) and run.ids[-2:] == (0, 8) for run in runs)
    inner = [number for run in runs for number in run.ids[2:-1]]
    assert inner == [number for one in symbols for number in (*table.ids[one], 0)]
    begun = [(word.span.start, run.ids[word.id_index]) for run in runs for word in run.words]
    assert begun == [(place, table.ids[symbols[place]][0]) for place in words]


def test_a_run_ends_after_a_word_where_there_is_one() -> None:
    symbols = "a" * 600 + " " + "a" * 600
    runs = list(SymbolTable({" ": (1,), "a": (2,)}).spellings(symbols, {}))
    assert [len(run.ids) for run in runs] == [601, 600]
