"""`inzwa-rtc say`: a text becomes a sound file."""

from __future__ import annotations

import asyncio
import re
import sys
from pathlib import Path
from typing import IO, TYPE_CHECKING

import click

from inzwa_rtc.cli.options import Configuration, configured
from inzwa_rtc.cli.speaking import engine_name, quietly, with_engine
from inzwa_rtc.errors import ConfigError, PeerError
from inzwa_rtc.language import with_hyphens
from inzwa_rtc.speech.speed import checked_speed

if TYPE_CHECKING:
    from inzwa_rtc.audio.container import Format
    from inzwa_rtc.speech.subtitles import WordsFormat

_FORMAT_OF: dict[str, Format] = {
    ".wav": "wav",
    ".mp3": "mp3",
    ".opus": "opus",
    ".ogg": "opus",
    ".aac": "aac",
    ".flac": "flac",
    ".pcm": "pcm",
}
_WORDS_OF: dict[str, WordsFormat] = {".json": "json", ".srt": "srt", ".vtt": "vtt"}
_PROLOGUE = re.compile(r"(?:\s+|\ufeff|<\?.*?\?>|<!--.*?-->)*", re.DOTALL)
_FORMATS = tuple(dict.fromkeys(_FORMAT_OF.values()))


def _speed(ctx: click.Context, param: click.Parameter, value: float) -> float:
    try:
        return checked_speed(value)
    except PeerError as error:
        raise click.BadParameter(str(error)) from None


@click.command()
@click.argument("text", required=False)
@click.option(
    "--file",
    "file",
    type=click.File("rb"),
    help="Read the text of a file instead; - is standard input.",
)
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="Sound file to be written.",
)
@click.option("--voice", metavar="ID", help="One of `inzwa-rtc voices`.")
@click.option("--language", metavar="TAG", help="Language of the text, such as en or sn.")
@click.option(
    "--speed", type=float, default=1.0, callback=_speed, help="0.25 to 4; 1 is the voice's own."
)
@click.option(
    "--format",
    "form",
    type=click.Choice(_FORMATS),
    help="Kind of file; without it the name's ending says it. opus is Opus in Ogg.",
)
@click.option(
    "--words",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write the words and their times, too: .json, .srt or .vtt.",
)
@click.option("--ssml", "is_ssml", is_flag=True, help="The text is SSML: <speak>...</speak>.")
@engine_name
@configured
def say(
    text: str | None,
    file: IO[bytes] | None,
    output: Path,
    voice: str | None,
    language: str | None,
    speed: float,
    form: Format | None,
    words: Path | None,
    is_ssml: bool,
    engine: str | None,
    configuration: Configuration,
) -> None:
    """Speak TEXT (- reads standard input) into a sound file, with the speech engine that the
    settings name."""
    target_format = form or _format_of(output)
    words_format = None if words is None else _words_of(words)
    asked_text = _text(text, file)
    begins_at = _root_of(asked_text) if is_ssml else 0
    quietly()
    settings = with_engine(configuration.settings(), engine)
    # Imported late: the other commands have no use for engines and encoders.
    from inzwa_rtc.cli.saying import Asked, Target, say_into

    language = language and with_hyphens(language)
    asked = Asked(asked_text, voice, language, speed, is_ssml, begins_at)
    target = Target(output, target_format, words, words_format or "json")
    asyncio.run(say_into(target, asked, settings))


def _text(text: str | None, file: IO[bytes] | None) -> str:
    if (text is None) == (file is None):
        raise click.UsageError("Give either TEXT or --file.")
    if text is not None and text != "-":
        return text
    raw = file.read() if file is not None else sys.stdin.buffer.read()
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigError(
            "The text is not UTF-8.", action="Save it as UTF-8, or convert it with `iconv`."
        ) from None


def _root_of(document: str) -> int:
    """Where `<speak` stands, behind what may come before it: a byte order mark, the XML
    declaration, comments and white space."""
    from inzwa_rtc.speech.text.ssml import is_ssml

    before = _PROLOGUE.match(document)
    start = before.end() if before else 0
    if not is_ssml(document[start : start + 500]):
        raise click.UsageError("With --ssml the text must begin with <speak>.")
    return start


def _format_of(path: Path) -> Format:
    if form := _FORMAT_OF.get(path.suffix.lower()):
        return form
    raise click.UsageError(
        f"The ending of `{path.name}` says no format: add --format, one of {', '.join(_FORMATS)}."
    )


def _words_of(path: Path) -> WordsFormat:
    if form := _WORDS_OF.get(path.suffix.lower()):
        return form
    raise click.UsageError(f"`{path.name}` must end in one of: {', '.join(_WORDS_OF)}.")
