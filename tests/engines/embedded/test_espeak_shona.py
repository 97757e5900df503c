"""eSpeak's Shona, of rules of our own: what it says for what is written."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import espeakng_loader
import pytest

from inzwa_rtc.engines.contracts import SpeechChunk, SpeechRequest
from inzwa_rtc.engines.run_folder import sweep
from inzwa_rtc.engines.tts.espeak.engine import ESpeak
from inzwa_rtc.engines.tts.espeak.library import ESpeakLibrary
from tests.cli.command import ended

SENTENCES = (
    "Mhoroi, makadii? Ndingakubatsirei nei?",
    "Ndiri mubatsiri we AI, handisi munhu.",
    "Ndine urombo, handina kunzwisisa. Mungadzokorora here?",
    "Ndapota mirai zvishoma.",
    "Ndine urombo, pane dambudziko. Ndapota edzai zvakare.",
    "Server yakabatikana. Ndapota edzai zvakare munguva shomanana.",
    "Ndatenda. Sarai zvakanaka.",
    "Ndine urombo, handikwanisi kubatsira nazvo.",
    "Ndine urombo kuti muri kurwadziwa. Hamusi moga. "
    "Ndapota taurai nemunhu wamunovimba naye izvozvi.",
)


@pytest.fixture
def phonemes(tts: ESpeak) -> Callable[[str], str]:
    """eSpeak's own names of the sounds of a text, clauses apart."""
    library = ESpeakLibrary._library

    def tell(text: str) -> str:
        tts._library.phonemes("a", "sn")  # chooses the voice
        with ESpeakLibrary._lock:
            rest, told = ctypes.c_char_p(text.encode()), []
            while rest.value:
                told.append(library.espeak_TextToPhonemes(ctypes.byref(rest), 1, 0) or b"")
            return b" ".join(told).decode().strip()

    return tell


# A vowel after each consonant, so that it can be said.
SOUNDS = {
    "a": "a", "e": "e", "i": "i", "o": "o", "u": "u",
    "ba": "ba", "da": "da",
    "bha": "ba", "dha": "da", "mha": "mha", "nha": "nha",
    "va": "v#a", "vha": "va",
    "sva": "s.a", "zva": "z.a", "tsva": "ts.a", "dzva": "dz.a", "nzva": "nz.a",
    "sha": "Sa", "zha": "Za", "cha": "tSa", "ja": "dZa", "nya": "n^a",
    "nga": "Nga", "n'a": "Na", "n’a": "Na",
    "tya": "tSka", "dya": "dZga",
    "swa": "skwa", "zwa": "zgwa", "mbwa": "mbga",
    "pfa": "pfa", "bva": "bva", "tsa": "tsa", "dza": "dza",
    "mba": "mba", "nda": "nda", "nza": "nza", "ra": "Ra", "ha": "ha",
    "fa": "fa", "ga": "ga", "ka": "ka", "ma": "ma", "na": "na", "pa": "pa", "sa": "sa",
    "ta": "ta", "wa": "wa", "ya": "ja", "za": "za",
}  # fmt: skip


@pytest.mark.parametrize("spelling", SOUNDS)
def test_each_spelling_has_its_sound(phonemes: Callable[[str], str], spelling: str) -> None:
    assert phonemes(spelling).replace("'", "") == SOUNDS[spelling]
    assert phonemes(spelling.upper()).replace("'", "") == SOUNDS[spelling]


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("kunzwa", "k'unzgwa"),
        ("nzvimbo", "nz.'imbo"),
        ("imbwa", "'imbga"),
        ("itsva", "'its.a"),
        ("dzvuku", "dz.'uku"),
        ("n'anga", "N'aNga"),
        ("kuona", "ku'ona"),  # adjacent vowels are two syllables
    ],
)
def test_the_longest_spelling_is_read_first(
    phonemes: Callable[[str], str], word: str, expected: str
) -> None:
    assert phonemes(word) == expected


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("sadza", "s'adza"),
        ("mangwanani", "maNgwan'ani"),
        ("zvakanaka", "z.akan'aka"),
        ("makadii", "makad'ii"),
        ("Chitungwiza", "tSituNgw'iza"),
    ],
)
def test_the_syllable_before_the_last_is_stressed(
    phonemes: Callable[[str], str], word: str, expected: str
) -> None:
    assert phonemes(word).replace(",", "") == expected  # a comma: half a stress


async def test_numbers_left_in_digits_are_named_digit_by_digit(tts: ESpeak) -> None:
    """None is passed over in silence, and words stay where they are in the text."""
    text = "Fonai 116 kana 0784 nhasi."
    chunks = await speak(tts, text)
    words = [word for chunk in chunks for word in chunk.words]
    assert [text[word.offset : word.offset + word.length] for word in words] == [
        "Fonai", "116", "kana", "0784", "nhasi",
    ]  # fmt: skip
    in_words = await speak(tts, "Fonai motsi motsi tanhatu kana ziro nomwe sere china nhasi.")
    assert length(chunks) == pytest.approx(length(in_words), rel=0.02)


@pytest.mark.parametrize("digit", "0123456789")
async def test_a_single_digit_is_named(tts: ESpeak, digit: str) -> None:
    assert length(await speak(tts, digit)) > 0.2 * tts.sample_rate


@pytest.mark.parametrize("sentence", SENTENCES)
@pytest.mark.parametrize("voice", ["sn", "sn+f3"])
async def test_what_the_server_says_is_spoken_whole(tts: ESpeak, sentence: str, voice: str) -> None:
    chunks = await speak(tts, sentence, voice)
    told = [word for chunk in chunks for word in chunk.words]
    assert len(told) == len(sentence.split())
    assert length(chunks) > 0.2 * tts.sample_rate * len(told)


async def test_no_word_of_the_sentences_falls_back_to_english(
    phonemes: Callable[[str], str],
) -> None:
    for sentence in SENTENCES:
        assert "(en)" not in phonemes(sentence)


def test_the_voices_say_that_they_are_a_stopgap(tts: ESpeak) -> None:
    shona = [voice for voice in tts.voices if voice.language == "sn"]
    assert [(voice.id, voice.gender) for voice in shona] == [("sn", "male"), ("sn+f3", "female")]
    assert all("stopgap" in voice.name for voice in shona)


LOADED = """
import tempfile
from pathlib import Path
from inzwa_rtc.engines.tts.espeak.engine import ESpeak, ESpeakOptions
engine = ESpeak(ESpeakOptions())
"""
CLOSED = (
    LOADED
    + """
for folder in Path(tempfile.gettempdir()).iterdir():
    print(folder.name, oct(folder.stat().st_mode & 0o777))
engine.close()
"""
)
LEFT = (
    LOADED
    + """
print("loaded", flush=True)
input()
"""
)


def environment(temporary: Path) -> dict[str, str]:
    return {**os.environ, "TMPDIR": str(temporary)}


def test_its_data_lie_in_a_private_folder_that_goes_with_it(short_path: Path) -> None:
    shipped = shipped_files()
    for process in [started(CLOSED, short_path / name) for name in "abc"]:
        out, err = output(process)
        assert err == ""  # what the compiler of dictionaries says is nobody's business
        name, mode = out.split()
        assert (name[:13], name[-4:], mode) == ("inzwa-espeak-", ".run", "0o700")
    assert [list(folder.iterdir()) for folder in short_path.iterdir()] == [[], [], []]
    assert shipped_files() == shipped


def started(script: str, temporary: Path) -> subprocess.Popen[str]:
    temporary.mkdir()
    return subprocess.Popen(
        [sys.executable, "-c", script],
        env=environment(temporary),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def output(process: subprocess.Popen[str]) -> tuple[str, str]:
    out, err = process.communicate()
    assert process.returncode == 0, err
    return out, err


def shipped_files() -> list[tuple[str, int]]:
    folder = Path(espeakng_loader.get_data_path())
    return sorted((str(file), file.stat().st_mtime_ns) for file in folder.rglob("*"))


def test_what_a_killed_process_left_is_swept_away(
    short_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("inzwa_rtc.engines.run_folder._parents", lambda: (str(short_path),))
    server = subprocess.Popen(
        [sys.executable, "-c", LEFT],
        env=environment(short_path),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with ended(server) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"loaded\n"
        sweep()
        assert len(list(short_path.iterdir())) == 1  # it is used
        process.send_signal(signal.SIGKILL)
        process.wait()
    sweep()
    assert list(short_path.iterdir()) == []


def test_rules_that_do_not_compile_are_named(tmp_path: Path) -> None:
    (tmp_path / "sn").write_text("name Shona\nlanguage sn\nphonemes sw\ndictionary sn\n")
    (tmp_path / "sn_rules").write_text(".group a\n  a  &&½\n")
    (tmp_path / "sn_list").write_text("")
    script = (
        "from pathlib import Path\n"
        "from inzwa_rtc.engines.tts.espeak import data\n"
        f"data._SHONA = Path({str(tmp_path)!r})\n"
        "from inzwa_rtc.engines.tts.espeak.engine import ESpeak, ESpeakOptions\n"
        "from inzwa_rtc.errors import EngineUnavailable\n"
        "try:\n    ESpeak(ESpeakOptions())\n"
        "except EngineUnavailable as error:\n    print(error)\n"
    )
    temporary = tmp_path / "temporary"
    out, err = output(started(script, temporary))
    assert "could not compile the dictionary of Shona" in out
    assert err == ""
    assert list(temporary.iterdir()) == []


async def speak(tts: ESpeak, text: str, voice: str = "sn") -> list[SpeechChunk]:
    return [chunk async for chunk in tts.synthesize(SpeechRequest(text, voice))]


def length(chunks: list[SpeechChunk]) -> int:
    """In samples."""
    return sum(len(chunk.pcm) for chunk in chunks) // 2
