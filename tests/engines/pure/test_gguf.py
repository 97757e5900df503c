"""GGUF files are looked at before llama.cpp parses them: what they are, and what is wrong."""

from __future__ import annotations

import struct
from dataclasses import replace
from pathlib import Path

import gguf
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inzwa_rtc.engines.llm.llama.gguf import Gguf, check_adapter, read_model
from inzwa_rtc.errors import EngineUnavailable
from models.tiny import gguf_llama

LLAMA = Gguf("llama")
PAIR = b"GGUF\x03\0\0\0" + bytes(8) + (1).to_bytes(8, "little") + struct.pack("<Q1s", 1, b"k")


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("gguf")
    gguf_llama.make(folder / "model.gguf", like="Q8_0")
    gguf_llama.make_lora(folder / "lora.gguf")
    gguf_llama.make_lora(folder / "gemma.gguf", architecture="gemma3")
    return folder


def test_a_model_tells_what_it_is(models: Path) -> None:
    found = read_model(models / "model.gguf")
    assert replace(found, controls=(), template="") == Gguf("llama", quantization="Q8_0")


def test_a_model_may_tell_nothing(tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(b"GGUF\x03\0\0\0" + bytes(16))
    found = read_model(path)
    assert found == Gguf(None)
    assert found.is_quick, "nothing is known that could be warned of"


@pytest.mark.parametrize(
    ("file_type", "name", "is_quick"),
    [
        (gguf.LlamaFileType.MOSTLY_Q4_K_M, "Q4_K_M", True),
        (gguf.LlamaFileType.MOSTLY_Q5_0, "Q5_0", True),
        (gguf.LlamaFileType.MOSTLY_Q5_K_S | gguf.LlamaFileType.GUESSED, "Q5_K_S", True),
        (gguf.LlamaFileType.MOSTLY_Q8_0, "Q8_0", False),
        (gguf.LlamaFileType.MOSTLY_Q2_K, "Q2_K", False),
        (gguf.LlamaFileType.MOSTLY_IQ4_XS, "IQ4_XS", False),
        (gguf.LlamaFileType.ALL_F32, "F32", False),
        (999, "type 999", False),
    ],
)
def test_four_and_five_bits_are_the_quick_ones(
    tmp_path: Path, file_type: int, name: str, is_quick: bool
) -> None:
    path = tmp_path / "model.gguf"
    writer = gguf.GGUFWriter(str(path), "llama")
    writer.add_file_type(int(file_type))
    writer.add_array("numbers", [1.5, 2.5])
    writer.add_array("words", ["a", "bc"])
    writer.add_string("text", "t" * 5000)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()
    found = read_model(path)
    assert (found.quantization, found.is_quick) == (name, is_quick)


def test_every_type_that_llama_cpp_names_is_told_by_that_name() -> None:
    from inzwa_rtc.engines.llm.llama.gguf import _QUANTIZATIONS

    for number, name in _QUANTIZATIONS.items():
        assert gguf.LlamaFileType(number).name.startswith((f"MOSTLY_{name}", f"ALL_{name}"))


def test_an_adapter_named_as_the_model_is_refused(models: Path) -> None:
    with pytest.raises(EngineUnavailable, match="of the kind `adapter`") as refused:
        read_model(models / "lora.gguf")
    assert "llm.adapters" in refused.value.action


def test_an_adapter_is_one_for_this_kind_of_model(models: Path) -> None:
    check_adapter(models / "lora.gguf", LLAMA)
    check_adapter(models / "lora.gguf", Gguf(None))
    with pytest.raises(EngineUnavailable, match="`gemma3` model, and the model is a `llama`"):
        check_adapter(models / "gemma.gguf", LLAMA)


def test_a_model_named_as_an_adapter_is_refused(models: Path) -> None:
    with pytest.raises(EngineUnavailable, match="no LoRA adapter") as refused:
        check_adapter(models / "model.gguf", LLAMA)
    assert "convert_lora_to_gguf.py" in refused.value.action


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "too short"),
        (b"PK\x03\x04" + bytes(40), "does not begin with GGUF"),
        (b"GGUF" + (9).to_bytes(4, "little") + bytes(16), "version is 9"),
        (b"GGUF\x03\0\0\0" + (2**60).to_bytes(8, "little") + bytes(8), "more tensors"),
        (b"GGUF\x03\0\0\0" + bytes(8) + (9).to_bytes(8, "little"), "too short"),
        (PAIR, "too short"),
        (PAIR + struct.pack("<I", 77), "unknown type"),
        (PAIR + struct.pack("<IQ", 8, 2**60), "cut off"),
        (PAIR + struct.pack("<IIQ", 9, 0, 2**60), "larger than any"),
        (PAIR + struct.pack("<IIQ", 9, 4, 9_000_000), "cut off"),
        (PAIR + struct.pack("<IIQ", 9, 8, 9_000_000), "too short"),
        (PAIR + struct.pack("<IIQ", 9, 9, 1), "larger than any"),
        (PAIR[:-9] + struct.pack("<Q", 2**60), "longer than any"),
    ],
)
def test_a_file_that_is_no_model_is_refused_before_it_is_parsed(
    tmp_path: Path, content: bytes, reason: str
) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(content)
    with pytest.raises(EngineUnavailable, match=reason):
        read_model(path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(cut=st.integers(0, 4000), place=st.integers(0, 3999), byte=st.integers(0, 255))
def test_a_damaged_file_is_read_or_refused_by_name(
    models: Path, tmp_path: Path, cut: int, place: int, byte: int
) -> None:
    content = bytearray((models / "lora.gguf").read_bytes()[:cut])
    if place < len(content):
        content[place] = byte
    path = tmp_path / "damaged.gguf"
    path.write_bytes(content)
    try:
        check_adapter(path, LLAMA)
    except EngineUnavailable as error:
        assert error.action
