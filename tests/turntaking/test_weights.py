"""The voice detector's weights are what they should be, or the operator is told."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from inzwa_rtc.errors import ConfigError
from inzwa_rtc.turntaking import weights
from inzwa_rtc.turntaking.silero import Silero
from inzwa_rtc.turntaking.weights import installed, read

FILE = installed().read_bytes()
BEGIN = 4 + 4 + len("silero-16k") + 12 + 4 * 19  # of the first tensor
NAME = b"_model.decoder.rnn.bias_ih"


def test_the_installed_file_is_read_without_running_its_package() -> None:
    assert read(FILE).basis.shape == (258, 256)


@given(st.integers(0, len(FILE) - 1))
@settings(max_examples=50, deadline=None)
@example(0)
@example(BEGIN)
def test_a_file_that_is_cut_short_is_refused(size: int) -> None:
    with pytest.raises(ConfigError, match="cannot be used") as told:
        read(FILE[:size])
    assert told.value.action


def test_a_file_with_something_behind_it_is_refused() -> None:
    with pytest.raises(ConfigError):
        read(FILE + bytes(100))


def changed(at: int, *numbers: int) -> bytes:
    return FILE[:at] + struct.pack(f"<{len(numbers)}i", *numbers) + FILE[at + 4 * len(numbers) :]


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"GGUF" + FILE[4:], "begin"),
        (changed(4, -1), "early"),
        (changed(4, 2**31 - 1), "early"),
        (FILE.replace(b"silero-16k", b"silero-08k"), "kind"),
        (changed(BEGIN - 4, 2), "shape"),
        (changed(BEGIN, 2**31 - 1), "kind"),
        (changed(BEGIN, -1), "kind"),
        (changed(BEGIN + 4, 2**31 - 1), "early"),
        (changed(BEGIN + 8, 7), "kind"),
        (changed(BEGIN + 12, -256), "empty"),
        (changed(BEGIN + 12, 2**31 - 1, 2**31 - 1, 2**31 - 1), "early"),
        (FILE.replace(NAME, NAME[:-2] + b"hh"), "twice"),
        (FILE.replace(NAME, NAME[:-2] + b"xx"), "missing"),
    ],
)
def test_a_file_that_claims_what_it_is_not_is_refused(data: bytes, why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        read(data)


def test_numbers_that_are_none_are_refused() -> None:
    at = FILE.index(NAME) + len(NAME)
    broken = FILE[:at] + np.array([np.nan], "<f4").tobytes() + FILE[at + 4 :]
    with pytest.raises(ConfigError, match="bias_ih"):
        read(broken)


def test_a_table_that_is_not_symmetric_is_refused() -> None:
    good = read(FILE)
    good.basis[3, 200] += 1
    with pytest.raises(ConfigError, match="symmetric"):
        Silero(good)


def test_where_the_package_is_missing_it_is_said_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(weights, "PACKAGE", "no_such_package")
    with pytest.raises(ConfigError, match="no_such_package is not installed") as told:
        installed()
    assert "pip install" in told.value.action
