"""The form of answers: whole, cut or garbled, and never taken for one another."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from inzwa_rtc.engines import wire
from inzwa_rtc.errors import EngineError, EngineTimeout


async def _pieces(data: bytes, size: int) -> AsyncIterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
async def test_lines_are_found_however_they_are_cut(size: int) -> None:
    data = b'{"a": 1}\n{"b": "x"}\n{"done": true}\n'
    assert [d async for d in wire.from_lines(_pieces(data, size))] == [{"a": 1}, {"b": "x"}]


@pytest.mark.parametrize("data", [b"", b'{"a": 1}\n', b'{"a": 1}\n{"done": tr'])
async def test_stream_without_its_last_line_was_cut(data: bytes) -> None:
    with pytest.raises(EngineError, match="cut off"):
        _ = [d async for d in wire.from_lines(_pieces(data, 5))]


@pytest.mark.parametrize("data", [b"<html>\n", b"[1]\n", b"\xff\n", b"\n", b'{"error": 1}\n'])
async def test_garbage_is_not_an_answer(data: bytes) -> None:
    with pytest.raises(EngineError, match="not an answer"):
        _ = [d async for d in wire.from_lines(_pieces(data, 5))]


async def test_line_without_end_is_refused() -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield bytes(1 << 20)

    with pytest.raises(EngineError, match="not an answer"):
        _ = [d async for d in wire.from_lines(endless())]


async def test_error_keeps_its_class_code_and_advice() -> None:
    sent = EngineTimeout("Too slow.", action="Use a smaller model.")
    data = wire.to_line({"error": wire.error_to(sent)})
    with pytest.raises(EngineTimeout, match=r"Too slow\. Use a smaller model\.") as error:
        _ = [d async for d in wire.from_lines(_pieces(data, 100))]
    assert error.value.code == "engine_timeout"
