"""Has the asserts of the shared suites explained as those of test files are; times no example."""

import hypothesis
import pytest

for name in ("asr", "llm", "tts", "isolation"):
    pytest.register_assert_rewrite(f"tests.engines.contract.{name}")

# Tests never time things: how long an example takes is the machine's affair.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")
