"""The lines that the server itself speaks, by language.

Shona lines marked "sourced" come from sourced parts; the others, and the Shona system prompt,
wait for a speaker's review.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from inzwa_rtc.language import base_language


@dataclass(frozen=True, slots=True)
class Lines:
    """What is said when no model speaks."""

    greeting: str
    not_understood: str
    fault: str
    idle: str
    time_limit: str
    idle_limit: str
    disabled: str


_LINES = {
    "en": Lines(
        greeting="Hello, this is Inzwa. What would you like to know?",
        not_understood="Sorry, I did not understand that. Could you say it again?",
        fault="I am sorry, something went wrong on my side. Please try that again.",
        idle="I am still here. What would you like to know?",
        time_limit="This call has reached its time limit. Thank you, and goodbye.",
        idle_limit="I will hang up now, as I cannot hear you. Goodbye.",
        disabled="Voice calls have been switched off for you. Goodbye.",
    ),
    "sn": Lines(
        greeting="Mhoroi, makadii? Ndingakubatsirei nei?",
        not_understood="Ndine urombo, handina kunzwisisa. Mungadzokorora here?",  # sourced
        fault="Ndine urombo, pane dambudziko. Ndapota edzai zvakare.",
        idle="Ndingakubatsirei nei?",
        time_limit="Ndatenda. Sarai zvakanaka.",  # sourced
        idle_limit="Ndatenda. Sarai zvakanaka.",  # sourced
        disabled="Ndatenda. Sarai zvakanaka.",  # sourced
    ),
}

_PROMPTS = files("inzwa_rtc.conversation") / "system_prompts"


def lines(language: str) -> Lines:
    """The lines of a language (BCP 47), those of English where there are none."""
    return _LINES.get(base_language(language), _LINES["en"])


def languages() -> list[str]:
    """Languages that have lines of their own."""
    return list(_LINES)


def system_prompt(language: str) -> str:
    """What a language model is told in calls of a language (BCP 47), English where there is
    no file of its own."""
    prompts = _system_prompts()
    return prompts.get(base_language(language), prompts["en"])


@cache
def _system_prompts() -> Mapping[str, str]:
    """By language, all that there are: what a caller names is looked up, and neither read nor
    kept. Lines that begin with `#` are notes to the reader of the file."""
    prompts = {}
    for file in _PROMPTS.iterdir():
        language, _, ending = file.name.partition(".")
        if ending == "txt":
            written = file.read_text(encoding="utf-8").splitlines()
            prompts[language] = "\n".join(line for line in written if line[:1] != "#").strip()
    return prompts
