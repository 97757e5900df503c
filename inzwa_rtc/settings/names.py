"""Which settings there are: what stands where, read from the JSON Schema of all of them."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal

from inzwa_rtc.errors import Part

Kind = Literal["group", "list", "value"]
_Node = Mapping[str, Any]


class Names:
    """The settings of one JSON Schema, by the parts of their names (`("turn", "silence_ms")`)."""

    def __init__(self, schema: _Node) -> None:
        self._schema = schema
        self._all = tuple(self._walk((), schema))

    def kinds(self, parts: Sequence[str]) -> frozenset[Kind]:
        """What may stand there; nothing for what is no setting."""
        if "" in parts:
            return frozenset()
        here = list(self._meanings(self._schema))
        for part in parts:
            if any(_takes_any(node) for node in here):
                return frozenset({"value"})
            here = [one for node in here for one in self._below(node, part)]
        return frozenset(_kind(node) for node in here)

    def within(self, parts: Iterable[Part]) -> tuple[Part, ...]:
        """These parts without what names no setting: validators add the type that they tried."""
        here = list(self._meanings(self._schema))
        kept: list[Part] = []
        for part in parts:
            below = [one for node in here for one in self._below(node, part)]
            below += [node for node in here if _takes_any(node) and part != "[key]"]
            if below:
                kept.append(part)
                here = below
        return tuple(kept)

    def nearest(self, parts: Sequence[Part]) -> str | None:
        """The setting that was probably meant: one whose parts were joined otherwise, one beside
        it, one elsewhere of that name, or one that is written alike."""
        joined = "_".join(map(str, parts))
        if same := [".".join(one) for one in self._all if "_".join(one) == joined]:
            return same[0]
        *above, last = parts
        beside = {name for node in self._nodes(above) for name in node.get("properties", {})}
        if close := difflib.get_close_matches(str(last), sorted(beside), n=1):
            return ".".join(map(str, (*above, close[0])))
        if elsewhere := [".".join(one) for one in self._all if one[-1] == last]:
            return min(elsewhere, key=len)
        everywhere = [".".join(one) for one in self._all]
        name = ".".join(map(str, parts))
        return next(iter(difflib.get_close_matches(name, everywhere, n=1)), None)

    def _nodes(self, parts: Iterable[Part]) -> list[_Node]:
        here = list(self._meanings(self._schema))
        for part in parts:
            here = [one for node in here for one in self._below(node, part)]
        return here

    def _walk(self, above: tuple[str, ...], schema: _Node) -> Iterator[tuple[str, ...]]:
        for node in self._meanings(schema):
            for name, below in node.get("properties", {}).items():
                yield (*above, name)
                yield from self._walk((*above, name), below)
            if items := node.get("items"):  # members of what a list holds
                yield from self._walk(above, items)

    def _below(self, node: _Node, part: Part) -> Iterator[_Node]:
        if isinstance(part, int):
            candidates = [node.get("items")]
        elif part in node.get("properties", {}):
            candidates = [node["properties"][part]]
        else:  # a table, whose names are the operator's
            candidates = [
                node.get("additionalProperties"),
                *node.get("patternProperties", {}).values(),
            ]
        for below in candidates:
            if isinstance(below, Mapping):
                yield from self._meanings(below)

    def _meanings(self, node: _Node) -> Iterator[_Node]:
        """What a node may be: the alternatives, what it refers to, or itself."""
        if reference := node.get("$ref"):
            yield from self._meanings(self._schema["$defs"][reference.rpartition("/")[2]])
            return
        alternatives = [*node.get("anyOf", ()), *node.get("oneOf", ()), *node.get("allOf", ())]
        for alternative in alternatives:
            yield from self._meanings(alternative)
        if not alternatives and node.get("type") != "null":
            yield node


def _takes_any(node: _Node) -> bool:
    """Options that an engine knows, for one."""
    return node.get("additionalProperties") is True


def _kind(node: _Node) -> Kind:
    if node.get("type") == "object":
        return "group"
    return "list" if node.get("type") == "array" else "value"
