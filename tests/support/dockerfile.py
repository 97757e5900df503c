"""The Dockerfile as stages of steps, and the files that a build may see."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from string import Template

from docker.utils.build import exclude_paths  # the one that Docker's own client uses
from dockerfile_parse import DockerfileParser

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Step:
    """One instruction, and all that stands behind it."""

    instruction: str
    text: str

    def words(self) -> list[str]:
        """The exec form's command (`["inzwa-rtc", "serve"]`), or a shell's for the shell form."""
        if self.text.startswith("["):
            words: list[str] = json.loads(self.text)
            return words
        return ["/bin/sh", "-c", self.text]

    def settings(self, known: dict[str, str]) -> dict[str, str]:
        """What ENV and ARG set: `NAME=value NAME="two words"`, with what is known filled in."""
        pairs = (word.partition("=") for word in shlex.split(self.text))
        return {name: Template(value).safe_substitute(known) for name, _, value in pairs}

    def copied(self) -> tuple[str | None, list[str], str]:
        """Of a COPY: the stage that it takes from, what, and where to."""
        words = shlex.split(self.text)
        options = [word for word in words if word.startswith("--")]
        *sources, target = [word for word in words if not word.startswith("--")]
        assert all(option.startswith("--from=") for option in options), options
        stage = options[0].partition("=")[2] if options else None
        return stage, sources, target

    def check(self) -> list[str]:
        """The command of a HEALTHCHECK."""
        _, _, command = self.text.partition("CMD ")
        return Step("CMD", command.strip()).words()


@dataclass(frozen=True, slots=True)
class Stage:
    """From one FROM to the next; `base` is another stage or an image."""

    name: str
    base: str
    steps: tuple[Step, ...]


def stages() -> dict[str, Stage]:
    """The stages by their names, in order; the last one is what is built where none is named."""
    found: dict[str, Stage] = {}
    # A copy: the parser writes as well.
    parser = DockerfileParser(fileobj=BytesIO((ROOT / "Dockerfile").read_bytes()))
    for line in parser.structure:
        if line["instruction"] == "COMMENT":
            continue
        if line["instruction"] == "FROM":
            base, _, name = line["value"].split()
            found[name] = Stage(name, base, ())
        else:
            name, stage = list(found.items())[-1]
            step = Step(line["instruction"], line["value"])
            found[name] = Stage(name, stage.base, (*stage.steps, step))
    return found


def lineage(name: str) -> list[Stage]:
    """A stage and those that it stands on, the first one first."""
    known = stages()
    stage = known[name]
    return [*(lineage(stage.base) if stage.base in known else []), stage]


def context() -> list[Path]:
    """The files that .dockerignore lets a build see, by their place in the checkout."""
    patterns = [
        line.strip()
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if line.strip() and not line.startswith("#")
    ]
    seen = exclude_paths(str(ROOT), patterns, dockerfile="Dockerfile")
    return sorted(Path(path) for path in seen if (ROOT / path).is_file())
