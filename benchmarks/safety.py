"""How long the safety checks take, and how often they are right.

Time is CPU time of this process for one check of a whole text of 2,500 characters: of a
caller's words, and of a reply that comes in phrases. The texts are ordinary ones, and those
that cost most: full of digits, of at signs, of words that rules begin with. Other work on the
machine slows CPU time as well; the smallest figure is the least disturbed.

Rightness is told of four parts: the sentences that the rules were written for, those that were
laid aside before any rule was written, those that were laid aside before the rules were mended,
and those that say the same in other ways. All are by
the hand that wrote the rules.

    python -m benchmarks.safety [--rounds 30] [--json]
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable

from benchmarks.figures import Figures
from inzwa_rtc.pseudonym import Pseudonyms
from inzwa_rtc.safety import Safety
from inzwa_rtc.settings.safety import SafetySettings
from tests.support.safety_cases import cases, score

CHARACTERS = 2_500
PHRASE = 80
TEXTS = {
    "prose": "Could you tell me how my friend makes the cake that we all like so much? ",
    "Shona": "Ndinoda kuziva kuti ndingabika sei sadza, uye kuti ndotenga kupi muriwo. ",
    "one number": "0123456789",
    "single digits": "1 2 3 4 5 6 7 8 9 0 ",
    "groups of digits": "04 17 0223 041 ",
    "phone numbers": "0771234567 +263772345678 ",
    "at signs": "a@",
    "half addresses": "a@b ",
    "spelled addresses": "a at b dot ",
    "near matches": "how do I want to kill the ",
    "Shona verbs": "ndinoda kumuuraya zvangu kubata ndichazviurayira ",
    "spaced letters": "a b ",
}


def times(safety: Safety, figures: Figures, rounds: int) -> None:
    """Each text, `rounds` times."""

    def reply(text: str) -> None:
        check = safety.reply("en")
        for at in range(0, len(text), PHRASE):
            check.feed(text[at : at + PHRASE])
        check.finish()

    def caller(text: str) -> None:
        safety.check(text, "en")

    checks: dict[str, Callable[[str], None]] = {"caller": caller, "reply": reply}
    for name, piece in TEXTS.items():
        text = (piece * (CHARACTERS // len(piece) + 1))[:CHARACTERS]
        for side, check in checks.items():
            for _ in range(rounds):
                began = time.process_time()
                check(text)
                figures.in_unit("ms", f"{side}: {name}").add((time.process_time() - began) * 1000)


def rightness(safety: Safety, figures: Figures) -> None:
    """Precision and recall of every part, by language."""
    for part in ("cases", "held_out", "unseen", "paraphrased"):
        for language in ("en", "sn"):
            told = cases(part, language)
            found = score(safety, told)
            innocent = sum(case.is_innocent for case in told)
            figures.notes.append(
                f"{part}, {language}: {len(told)} sentences, {innocent} of them innocent: "
                f"precision {found.precision:.2f}, recall {found.recall:.2f}"
            )


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    figures = Figures()
    safety = Safety(SafetySettings(), Pseudonyms(None))
    times(safety, figures, options.rounds)
    rightness(safety, figures)
    sys.stdout.write(figures.show(options.json) + "\n")


if __name__ == "__main__":
    main()
