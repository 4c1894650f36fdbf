from __future__ import annotations

from pathlib import Path

import pytest

from sdk.machine import cpu_name, has_bfloat16, peak_rss_mib


@pytest.mark.parametrize(
    ("flags", "expected"),
    [("fpu avx2 amx_tile amx_bf16", True), ("fpu avx2 avx512_bf16", False), ("", False)],
)
def test_bfloat16_is_a_flag_of_the_processor(tmp_path: Path, flags: str, expected: bool) -> None:
    info = tmp_path / "cpuinfo"
    info.write_text(f"processor\t: 0\nflags\t\t: {flags}\n")
    assert has_bfloat16(info) is expected


def test_without_a_description_there_is_none(tmp_path: Path) -> None:
    assert has_bfloat16(tmp_path / "missing") is False


def test_facts_of_this_machine() -> None:
    assert cpu_name()
    peak = peak_rss_mib()
    assert peak is None or peak > 1
