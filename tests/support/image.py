"""An image without Docker: the Dockerfile's steps, run one by one in Debian roots of their own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.dockerfile import ROOT, Stage, Step, context, stages

BASES = {"debian:trixie-slim": "trixie"}
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def why_not() -> str | None:
    """Why no root can be made here; None where it can. Making one takes root: device files, a
    mount, and a change of the root folder."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "takes root on Linux, to make and enter a Debian root"
    if not shutil.which("debootstrap"):
        return "takes debootstrap, which scripts/test installs on Debian"
    namespaces = subprocess.run(["unshare", "--mount", "--pid", "--fork", "true"], check=False)
    return "takes the right to mount" if namespaces.returncode else None


@dataclass
class Image:
    """A root folder, and what ENV, USER, WORKDIR and the like have said by now."""

    root: Path
    variables: dict[str, str] = field(default_factory=lambda: {"PATH": PATH})
    arguments: dict[str, str] = field(default_factory=dict)
    user: str = "0"
    folder: str = "/"
    said: dict[str, Step] = field(default_factory=dict)

    def command(self, words: Sequence[str], **variables: str) -> list[str]:
        """What runs this in the image, as process 1 of its own process namespace."""
        given = {"HOME": self._home(), **self.variables, **variables}
        enter = [
            *("chroot", f"--userspec={self.user}:{self.user}", str(self.root)),
            *("env", "--ignore-environment", f"--chdir={self.folder}"),
            *(f"{name}={value}" for name, value in given.items()),
            *words,
        ]
        mount = 'mount -t proc proc "$0/proc" && exec "$@"'
        alone = ("unshare", "--mount", "--pid", "--fork", "--kill-child")
        return [*alone, "sh", "-c", mount, str(self.root), *enter]

    def run(self, words: Sequence[str], **variables: str) -> subprocess.CompletedProcess[str]:
        """Run it to its end."""
        return subprocess.run(
            self.command(words, **variables),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )

    def files(self) -> list[str]:
        """All of its files, by their paths within it."""
        found = (Path(folder) / name for folder, _, names in os.walk(self.root) for name in names)
        return sorted(f"/{file.relative_to(self.root)}" for file in found)

    def based_on_this(self, root: Path, is_last: bool) -> Image:
        """Another one that begins as this one is now; in its place, if it is the last."""
        if is_last:
            self.root.rename(root)
        else:
            subprocess.run(["cp", "-a", "--reflink=auto", self.root, root], check=True)
        said, variables = dict(self.said), dict(self.variables)
        return Image(root, variables, {}, self.user, self.folder, said)

    def _home(self) -> str:
        lines = (self.root / "etc/passwd").read_text().splitlines()
        homes = {line.split(":")[2]: line.split(":")[5] for line in lines}
        return homes.get(self.user, "/")


class Builder:
    """Builds one target, and each stage that it needs once, in folders below `folder`."""

    def __init__(self, folder: Path, target: str) -> None:
        self._folder = folder
        self._target = target
        self._stages = stages()
        self._built: dict[str, Image] = {}
        self._awaited = Counter(self._needed(target))
        self.ran: list[str] = []

    def build(self) -> Image:
        """The target's image."""
        return self._image(self._target)

    def _needed(self, target: str) -> Iterator[str]:
        """What the stages on the way stand on and copy from; as often as it is needed."""
        way = [target]
        for name in way:
            if name in BASES:
                continue
            stage = self._stages[name]
            copies = [step.copied()[0] for step in stage.steps if step.instruction == "COPY"]
            needed = [stage.base, *filter(None, copies)]
            yield from needed
            way += [other for other in needed if other not in way]

    def _image(self, name: str) -> Image:
        if name not in self._built:
            root = self._folder / name.replace(":", "-")
            if name in BASES:
                self._built[name] = _debian(root, BASES[name])
            else:
                self._built[name] = self._with_steps(self._stages[name], root)
        return self._built[name]

    def _with_steps(self, stage: Stage, root: Path) -> Image:
        base = self._image(stage.base)
        self._awaited[stage.base] -= 1
        image = base.based_on_this(root, is_last=not self._awaited[stage.base])
        for step in stage.steps:
            self._take(step, image)
        return image

    def _take(self, step: Step, image: Image) -> None:
        match step.instruction:
            case "RUN":
                done = image.run(step.words(), **image.arguments, **_of_pip(image.root))
                assert done.returncode == 0, f"{step.text}\n{done.stdout}\n{done.stderr}"
                self.ran.append(step.text)
            case "COPY":
                self._copy(step, image)
            case "ENV":
                image.variables |= step.settings(image.variables)
            case "ARG":
                image.arguments |= step.settings({})
            case "USER":
                image.user = step.text
            case "WORKDIR":
                image.folder = step.text
                (image.root / step.text.lstrip("/")).mkdir(parents=True, exist_ok=True)
            case "ENTRYPOINT" | "CMD" | "HEALTHCHECK":
                image.said[step.instruction] = step
            case "EXPOSE":
                pass
            case other:
                raise AssertionError(f"{other}: say here what it does")

    def _copy(self, step: Step, image: Image) -> None:
        stage, sources, target = step.copied()
        here = image.root / os.path.normpath(f"{image.folder}/{target}").lstrip("/")
        if target.startswith("/"):
            here = image.root / target.lstrip("/")
        if stage is not None:
            (source,) = sources
            shutil.copytree(self._image(stage).root / source.lstrip("/"), here, symlinks=True)
            return
        seen = context()
        for source in sources:
            files = [file for file in seen if file.is_relative_to(source)]
            assert files, f"{source}: not there, or kept back by .dockerignore"
            for file in files:
                is_file = file == Path(source)
                into = target.endswith("/")
                place = (
                    here / (file.name if into else "")
                    if is_file
                    else here / file.relative_to(source)
                )
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / file, place)


def _debian(root: Path, suite: str) -> Image:
    """As Docker's image of that name: Debian's essential packages, and the host's resolver."""
    made = subprocess.run(
        ["unshare", "--mount", "debootstrap", "--variant=minbase", suite, root],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert made.returncode == 0, f"Debian's packages are needed:\n{made.stdout}\n{made.stderr}"
    shutil.copy("/etc/resolv.conf", root / "etc/resolv.conf")
    return Image(root)


def _of_pip(root: Path) -> Mapping[str, str]:
    """What pip is told on this machine, which may have an index and a certificate of its own."""
    listed = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=True
    )
    told: dict[str, str] = {}
    for line in listed.stdout.splitlines():
        name, _, value = line.partition("=")
        told[f"PIP_{name.rpartition('.')[2].replace('-', '_').upper()}"] = value.strip("'")
    if "PIP_CERT" in told:
        shutil.copy(told["PIP_CERT"], root / "certificates-of-the-host.pem")
        told["PIP_CERT"] = "/certificates-of-the-host.pem"
    return told
