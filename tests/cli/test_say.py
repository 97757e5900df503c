"""`say` makes a sound file of a text, or says why it cannot, and never half a file."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import signal
import subprocess
import wave
from contextlib import suppress
from pathlib import Path

import av
import psutil
import pytest
from click.testing import CliRunner

from inzwa_rtc.cli.main import main
from inzwa_rtc.cli.saying import written
from inzwa_rtc.cli.speaking import told_if_slow, with_engine
from inzwa_rtc.settings import Settings
from inzwa_rtc.speech.loudness import loudness
from tests.cli.command import COMMAND, ended, environment, run

TEXT = "Hello there. It costs $26, Dr. Moyo."


def seconds(file: Path) -> float:
    with av.open(str(file), "r") as container:
        return sum(frame.samples / frame.sample_rate for frame in container.decode(audio=0))


def test_a_text_becomes_a_file_of_the_format_that_its_name_says(tmp_path: Path) -> None:
    for name in ("a.wav", "b.mp3", "c.ogg"):
        spoken = run(tmp_path, "say", TEXT, "-o", name)
        assert spoken.returncode == 0, spoken.stderr
        assert seconds(tmp_path / name) == pytest.approx(3.5, abs=0.5)
        assert spoken.stdout == ""
        assert f"{name}\n" not in spoken.stderr.splitlines(keepends=True)  # no bar: nobody watches
    assert {file.name for file in tmp_path.iterdir()} == {"a.wav", "b.mp3", "c.ogg"}
    assert (tmp_path / "a.wav").stat().st_mode & 0o077 == 0o044  # as others are made here


def test_voice_speed_and_format_are_as_asked_for(tmp_path: Path) -> None:
    options = ("--voice", "en-us", "--speed", "2", "--format", "flac")
    spoken = run(tmp_path, "say", TEXT, *options, "-o", "fast.bin")
    assert spoken.returncode == 0, spoken.stderr
    assert (tmp_path / "fast.bin").read_bytes()[:4] == b"fLaC"
    assert seconds(tmp_path / "fast.bin") < 2.5


@pytest.mark.parametrize("arguments", [("-",), ("--file", "-"), ("--file", "text.txt")])
def test_the_text_may_come_from_elsewhere(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    (tmp_path / "text.txt").write_bytes(b"\xef\xbb\xbf" + TEXT.encode())
    spoken = subprocess.run(
        [COMMAND, "say", *arguments, "-o", "out.wav"],
        cwd=tmp_path,
        env=environment(),
        input=TEXT.encode(),
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert spoken.returncode == 0, spoken.stderr
    assert seconds(tmp_path / "out.wav") == pytest.approx(3.5, abs=0.5)


def test_the_words_are_written_with_their_times(tmp_path: Path) -> None:
    for name in ("words.json", "words.srt", "words.vtt"):
        spoken = run(tmp_path, "say", TEXT, "-o", "out.wav", "--words", name)
        assert spoken.returncode == 0, spoken.stderr
    words = json.loads((tmp_path / "words.json").read_text())
    assert [word["text"] for word in words] == TEXT.split()
    starts = [word["start_ms"] for word in words]
    assert starts == sorted(starts) and starts[0] < 100 and starts[-1] > 1500
    assert words[-1]["end_ms"] == pytest.approx(1000 * seconds(tmp_path / "out.wav"), abs=2)
    assert "-->" in (tmp_path / "words.srt").read_text()
    assert (tmp_path / "words.vtt").read_text().startswith("WEBVTT")


def test_ssml_is_followed_where_that_is_asked_for(tmp_path: Path) -> None:
    marked = '<speak>One.<break time="3s"/>Two.</speak>'
    for name, options in (("plain.wav", ()), ("marked.wav", ("--ssml",))):
        spoken = run(tmp_path, "say", marked, *options, "-o", name)
        assert spoken.returncode == 0, spoken.stderr
    plain, followed = seconds(tmp_path / "plain.wav"), seconds(tmp_path / "marked.wav")
    assert followed - plain == pytest.approx(3, abs=0.5)
    broken = run(tmp_path, "say", "<speak>One.", "--ssml", "-o", "broken.wav")
    assert broken.returncode == 1 and "SSML" in broken.stderr
    assert not (tmp_path / "broken.wav").exists()


def test_what_comes_before_the_root_of_an_ssml_document_is_passed_over(tmp_path: Path) -> None:
    before = (
        '\n<?xml version="1.0" encoding="UTF-8"?>\n<!-- <speak> -->\n' + "<!--" + 600 * "x" + "-->"
    )
    document = f"{before} <speak>One. Two.</speak>"
    (tmp_path / "text.ssml").write_text(f"\ufeff{document}")
    options = ("--ssml", "--file", "text.ssml", "--words", "words.json")
    spoken = run(tmp_path, "say", *options, "-o", "out.wav")
    assert spoken.returncode == 0, spoken.stderr
    words = json.loads((tmp_path / "words.json").read_text())
    assert [word["text"] for word in words] == ["One.", "Two."]
    assert [word["offset"] for word in words] == [document.index("One"), document.index("Two")]


def test_a_language_may_be_written_as_posix_has_it(tmp_path: Path) -> None:
    spoken = run(tmp_path, "say", "Hi.", "--language", "en_US", "-o", "out.wav")
    assert spoken.returncode == 0, spoken.stderr
    assert "en_US" not in run(tmp_path, "voices", "--language", "en_US").stdout


PRICES = "prices: {espeak: {'*': {per_thousand: 1, currency: USD}}}"


@pytest.mark.parametrize("source", [("It costs $26.",), ("--file", "text.txt")])
def test_what_it_costs_is_told_before_and_after(tmp_path: Path, source: tuple[str, ...]) -> None:
    (tmp_path / "priced.yaml").write_text(PRICES)
    (tmp_path / "text.txt").write_text("It costs $26.")
    spoken = run(tmp_path, "say", *source, "-o", "out.wav", "--config", "priced.yaml")
    assert spoken.returncode == 0, spoken.stderr
    sent = len("It costs twenty-six dollars.")
    told = f"{sent} characters to `espeak`, model `eSpeak NG`: 0.{sent:03} USD"
    lines = spoken.stderr.splitlines()
    assert lines[-3:-1] == [f"Estimate: {told}", f"Sent: {told}"]
    free = run(tmp_path, "say", *source, "-o", "out.wav")
    assert "characters" not in free.stderr


LOUD = "en-gb+michael"  # 1.3 LU above the others, as eSpeak makes it


@pytest.mark.parametrize("text", ["Hello there.", "Hello there. " + TEXT * 3])
def test_a_file_is_as_loud_as_the_settings_say(tmp_path: Path, text: str) -> None:
    for name, target in (("as-made", "null"), ("usual", "-20"), ("low", "-30")):
        (tmp_path / "say.yaml").write_text(f"tts_loudness_lufs: {target}")
        said = ("--voice", LOUD, "--config", "say.yaml", "-o", f"{name}.wav")
        assert run(tmp_path, "say", text, *said).returncode == 0
    assert lufs(tmp_path / "usual.wav") == pytest.approx(-20, abs=1)
    assert lufs(tmp_path / "low.wav") == pytest.approx(-30, abs=1)
    assert lufs(tmp_path / "as-made.wav") != pytest.approx(lufs(tmp_path / "usual.wav"), abs=0.5)


def test_the_loudness_of_a_voice_is_learned_for_good(tmp_path: Path) -> None:
    settings = "phrase_cache: {disk_mb: 1, folder: kept}"
    (tmp_path / "say.yaml").write_text(settings)
    told = run(tmp_path, "say", TEXT * 3, "--config", "say.yaml", "-o", "out.wav")
    assert told.returncode == 0, told.stderr
    (known,) = json.loads((tmp_path / "kept" / "loudness.json").read_text()).values()
    assert known == pytest.approx(-20, abs=3)


def lufs(file: Path) -> float:
    with wave.open(str(file)) as sound:
        measured = loudness(sound.readframes(sound.getnframes()), sound.getframerate())
    assert measured is not None
    return measured


async def test_what_takes_long_is_told_of(capsys: pytest.CaptureFixture[str]) -> None:
    with told_if_slow("Waiting", after_s=60):
        pass
    with told_if_slow("Loading", after_s=0):
        later = asyncio.Event()
        asyncio.get_running_loop().call_later(0, later.set)
        await later.wait()
    assert capsys.readouterr().err == "Loading ...\n"


@pytest.mark.parametrize(
    ("arguments", "status", "told"),
    [
        (("Hi.", "--voice", "nobody"), 2, "en-gb"),
        (("Hi.", "--language", "tlh"), 2, "en-GB"),
        (("😀🐦",), 1, "nothing to say"),
        (("...",), 1, "nothing to say"),
        (("\x07\x01",), 1, "nothing to say"),
        (("Hi.", "--engine", "nosuch"), 2, "nosuch"),
        (("Hi.", "--engine", "openai"), 2, "Set `tts_model`"),
    ],
)
def test_what_cannot_be_said_is_told_and_leaves_the_files_as_they_were(
    tmp_path: Path, arguments: tuple[str, ...], status: int, told: str
) -> None:
    (tmp_path / "out.wav").write_bytes(b"what was here")
    spoken = run(tmp_path, "say", *arguments, "-o", "out.wav", "--words", "words.json")
    assert spoken.returncode == status, spoken.stderr
    assert told in spoken.stderr and "Traceback" not in spoken.stderr
    assert [file.name for file in tmp_path.iterdir()] == ["out.wav"]
    assert (tmp_path / "out.wav").read_bytes() == b"what was here"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("Hi.", "-o", "out.wav", "--speed", "0"), "0.25 to 4"),
        (("Hi.", "-o", "out.wav", "--speed", "99"), "0.25 to 4"),
        (("Hi.", "-o", "out.wav", "--speed", "nan"), "0.25 to 4"),
        (("-o", "out.wav"), "TEXT or --file"),
        (("Hi.", "-o", "out.xyz"), "--format"),
        (("Hi.", "-o", "out.wav", "--words", "words.txt"), ".srt"),
        (("Hi.", "-o", "out.wav", "--ssml"), "<speak>"),
        (("<!-- <speak>Hi.</speak>", "-o", "out.wav", "--ssml"), "<speak>"),
        (("Hi.", "-o", "out.wav", "--file", "absent.txt"), "absent.txt"),
    ],
)
def test_a_wrong_command_is_refused_before_an_engine_is_loaded(
    arguments: tuple[str, ...], told: str
) -> None:
    refused = CliRunner().invoke(main, ["say", *arguments])
    assert refused.exit_code == 2
    assert told in refused.output


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text.bin").write_bytes(b"\xff\xfe\x00")
    refused = CliRunner().invoke(
        main, ["say", "--file", str(tmp_path / "text.bin"), "-o", str(tmp_path / "out.wav")]
    )
    assert refused.exit_code == 2
    assert "UTF-8" in refused.output


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    spoken = run(tmp_path, "say", "Hi.", "-o", "absent/out.wav")
    assert spoken.returncode == 2
    assert "absent/out.wav cannot be written" in spoken.stderr


def test_a_text_without_a_space_is_spoken(tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text("ha" * 1500)
    spoken = run(tmp_path, "say", "--file", "text.txt", "--speed", "4", "-o", "out.pcm")
    assert spoken.returncode == 0, spoken.stderr
    assert (tmp_path / "out.pcm").stat().st_size > 1_000_000


def all_of(terminal: int) -> bytes:
    """What is printed there until nobody has it open any more."""
    printed = b""
    with suppress(OSError):  # the end of a terminal on Linux
        while more := os.read(terminal, 1000):
            printed += more
    os.close(terminal)
    return printed


def test_ctrl_c_leaves_neither_half_a_file_nor_a_process(tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text("The river listens to the wind in the reeds. " * 10_000)
    terminal, their_end = pty.openpty()
    process = subprocess.Popen(
        [COMMAND, "say", "--file", "text.txt", "-o", "out.wav"],
        cwd=tmp_path,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stderr=their_end,
        # Shells let what they start in the background ignore Ctrl-C, tests included.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    with ended(process):
        os.close(their_end)
        told = b""
        while b"out.wav" not in told:  # its bar: it has begun
            told += os.read(terminal, 1000)
        engines = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(signal.SIGINT)
        told += all_of(terminal)
        assert process.wait(timeout=60) == 1
        assert b"Traceback" not in told
        assert not [engine for engine in engines if engine.is_running()]
    assert [file.name for file in tmp_path.iterdir()] == ["text.txt"]


@pytest.mark.parametrize("end", [KeyboardInterrupt, ValueError])
def test_a_file_is_there_once_it_is_whole(tmp_path: Path, end: type[BaseException]) -> None:
    target = tmp_path / "out.wav"
    target.write_bytes(b"before")
    with pytest.raises(end), written(target) as file:
        file.write(b"half")
        raise end
    assert target.read_bytes() == b"before"
    with written(target) as file:
        file.write(b"whole")
        file.flush()
        assert target.read_bytes() == b"before"
    assert target.read_bytes() == b"whole"
    assert list(tmp_path.iterdir()) == [target]


def test_another_engine_is_given_only_options_of_its_own() -> None:
    one = Settings(tts_engine="espeak", tts_voice="en-us", tts={"voice": "en-us"})
    other = with_engine(one, "piper")
    assert (other.tts_engine, other.tts_voice, other.tts) == ("piper", None, {})
    assert with_engine(one, "espeak") is with_engine(one, None) is one
    several = Settings(tts_engine=("piper", "espeak"), tts={"espeak": {"voice": "en-us"}})
    assert with_engine(several, "espeak").tts == {"voice": "en-us"}


def test_the_voices_are_listed_for_people_and_for_programs(tmp_path: Path) -> None:
    listed = run(tmp_path, "voices")
    assert listed.returncode == 0, listed.stderr
    head, first, *_ = listed.stdout.splitlines()
    assert head.split() == ["ID", "NAME", "LANGUAGE", "GENDER", "ENGINE", "LICENCE"]
    assert first.startswith("en-gb ") and first.split()[-2:] == ["espeak", "GPL-3.0-or-later"]
    voices = json.loads(run(tmp_path, "voices", "--json", "--language", "sw").stdout)
    assert {voice["language"] for voice in voices} == {"sw"}
    assert set(voices[0]) == {"id", "name", "language", "gender", "engine", "licence", "preview"}
    none = run(tmp_path, "voices", "--language", "tlh")
    assert none.returncode == 2 and "tlh" in none.stderr
