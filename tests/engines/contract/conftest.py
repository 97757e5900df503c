"""Has the asserts of the shared suites explained as those of test files are."""

import pytest

pytest.register_assert_rewrite("tests.engines.contract.asr")
