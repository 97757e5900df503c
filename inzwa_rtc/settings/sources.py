"""Where settings are written down: the YAML file and the environment. Both are read
into plain nested dictionaries; `settings.py` knows what they mean."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from inzwa_rtc.errors import ConfigError, told
from inzwa_rtc.settings.names import Kind, Names

CONFIG_FILE = "inzwa.yaml"
MAX_CONFIG_BYTES = 256 * 1024
MAX_DEPTH = 16

PREFIX = "INZWA_"
FILE_VARIABLES = ("INZWA_CONFIG", "CONFIG_PATH")
"""Variables that name the file, the first one that is set wins."""


def find_file(path: Path | None, environ: Mapping[str, str]) -> Path | None:
    """The file to read: `path`, else one that a variable names, else `inzwa.yaml` if it exists."""
    if path is not None:
        return _existing(path, "Correct --config, or create the file.")
    for variable in FILE_VARIABLES:
        if environ.get(variable):
            return _existing(Path(environ[variable]), f"Correct {variable}, or create the file.")
    file = Path(CONFIG_FILE)
    return file if file.is_file() else None


def _existing(file: Path, action: str) -> Path:
    if not file.is_file():
        raise ConfigError(f"The configuration file {file} does not exist.", action=action)
    return file


def read_yaml(file: Path) -> dict[str, Any]:
    """The file's settings. Data only: no aliases, no tags, bounded in size and depth."""
    try:
        if file.stat().st_size > MAX_CONFIG_BYTES:
            raise ConfigError(
                f"{file} is larger than {MAX_CONFIG_BYTES} bytes.",
                action="Keep only settings in it.",
            )
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"{file} cannot be read: {error}.", action="Make it a readable UTF-8 text file."
        ) from None
    try:
        _refuse_bombs(file, text)
        data = yaml.load(text, _Settings)  # a safe loader
    except yaml.YAMLError as error:
        raise ConfigError(
            f"{file} is not plain YAML: {_problem(error)}.",
            action="Correct the file at that place.",
        ) from None
    except ValueError:  # it may quote the value
        raise ConfigError(
            f"{file} holds a date or a number that cannot be, such as 2026-99-99.",
            action="Correct or quote it.",
        ) from None
    if data is None:
        return {}
    if not isinstance(data, dict) or not all(isinstance(key, str) for key in data):
        raise ConfigError(
            f"{file} does not hold settings.",
            action="Write them as `name: value` lines, such as `port: 8080`.",
        )
    return data


class _Settings(yaml.SafeLoader):
    """Refuses a name that is given twice, of which YAML would silently take the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key, _ in node.value:
            if key.value in seen and isinstance(key, yaml.ScalarNode):
                raise yaml.constructor.ConstructorError(
                    None, None, "a name is given twice", key.start_mark
                )
            if isinstance(key, yaml.ScalarNode):
                seen.add(key.value)
        return super().construct_mapping(node, deep)


_QUOTES_THE_FILE = re.compile(r"\b(tag|handle|alias|anchor) ['\"].*", re.S)


def _problem(error: yaml.YAMLError) -> str:
    """What is wrong, and where. Nothing of the file is quoted, which may hold keys: this is
    logged where a running server reads the file again."""
    mark = getattr(error, "problem_mark", None)
    problem = _QUOTES_THE_FILE.sub(r"\1", getattr(error, "problem", None) or "")
    if mark is None or not problem:
        return "it has characters that YAML does not allow"
    return f"{problem} (line {mark.line + 1}, column {mark.column + 1})"


def _refuse_bombs(file: Path, text: str) -> None:
    """Aliases make a small file expand without bound, nesting exhausts the stack and the
    time that the parser takes; no setting needs either."""
    depth = 0
    for token in yaml.scan(text):
        if isinstance(token, yaml.AliasToken):
            raise ConfigError(f"{file} uses YAML aliases.", action="Write the values out.")
        depth += isinstance(token, _OPENING) - isinstance(token, _CLOSING)
        if depth > MAX_DEPTH:
            raise ConfigError(
                f"{file} is nested deeper than {MAX_DEPTH} levels.",
                action="Write settings as `name: value` lines, groups indented below their name.",
            )


_OPENING = (
    yaml.BlockMappingStartToken,
    yaml.BlockSequenceStartToken,
    yaml.FlowMappingStartToken,
    yaml.FlowSequenceStartToken,
)
_CLOSING = (yaml.BlockEndToken, yaml.FlowMappingEndToken, yaml.FlowSequenceEndToken)


def read_environment(environ: Mapping[str, str], names: Names) -> dict[str, Any]:
    """The settings that `INZWA_...` variables give.

    A variable that is empty counts as not set, `null` is None, groups and lists may be given
    whole as JSON. Raises `ConfigError` for unknown names: a setting that is misspelt would
    otherwise be ignored in silence.
    """
    values: dict[str, Any] = {}
    # Sorted, so that INZWA_TURN (the whole group) comes before INZWA_TURN__SILENCE_MS.
    for variable in sorted(environ):
        text = environ[variable]
        if not variable.startswith(PREFIX) or variable in FILE_VARIABLES or text == "":
            continue
        parts = variable.removeprefix(PREFIX).lower().split("__")
        if not names.kinds(parts):
            meant = names.nearest(parts)
            hint = f"; {_variable(meant)} is" if meant else ""
            raise ConfigError(
                f"{variable} is not a setting{hint}.",
                action="Correct or unset it; docs/configuration.md lists all names.",
            )
        _put(values, parts, _value(variable, text, names.kinds(parts)), variable)
    return values


def _variable(name: str) -> str:
    return PREFIX + name.replace(".", "__").upper()


def read_assignments(assignments: Sequence[str], names: Names) -> dict[str, Any]:
    """The settings that `--set name=value` gives, written as in the environment; of one that is
    given twice the last one holds. Raises `ConfigError`, which never repeats a value."""
    values: dict[str, Any] = {}
    for assignment in assignments:
        name, equals, text = assignment.partition("=")
        parts = name.split(".")
        if not equals:
            raise ConfigError(
                "--set was given something that is not name=value.",
                action="Write it as --set turn.silence_ms=700.",
            )
        option = f"--set {told(parts)}"
        if not names.kinds(parts):
            meant = names.nearest(parts)
            hint = f"; `{meant}` is" if meant else ""
            raise ConfigError(
                f"{option}: that is not a setting{hint}.",
                action="Correct the name; docs/configuration.md lists all of them.",
            )
        _put(values, parts, _value(option, text, names.kinds(parts)), option)
    return values


def _put(values: dict[str, Any], parts: Sequence[str], value: Any, given_by: str) -> None:
    group = values
    for part in parts[:-1]:
        group = group.setdefault(part, {})
        if not isinstance(group, dict):
            raise ConfigError(
                f"{given_by} is given beside a value for the whole group that has no members.",
                action="Leave out one of the two.",
            )
    group[parts[-1]] = value


def _value(given_by: str, text: str, kinds: frozenset[Kind]) -> Any:
    if text == "null":
        return None
    if "group" in kinds and ("value" not in kinds or text.lstrip().startswith("{")):
        return _json_object(given_by, text)
    if "list" in kinds and ("value" not in kinds or _SEVERAL.search(text)):
        return _items(given_by, text)
    return text


_SEVERAL = re.compile(r"^\s*\[|,")
"""An engine is named by itself, or several are in a list."""


def _json_object(given_by: str, text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise ConfigError(
            f"{given_by} is not a JSON object.",
            action='Write {"name": value}, or set its members one by one.',
        )
    return value


def _items(given_by: str, text: str) -> list[Any]:
    if not text.lstrip().startswith("["):
        return [item.strip() for item in text.split(",") if item.strip()]
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, list):
        raise ConfigError(
            f"{given_by} is not a JSON list.", action='Write ["one", "two"], or: one,two.'
        )
    return value
