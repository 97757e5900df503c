"""Has the asserts of the shared suites explained as those of test files are."""

import pytest

for name in ("asr", "llm", "isolation"):
    pytest.register_assert_rewrite(f"tests.engines.contract.{name}")
