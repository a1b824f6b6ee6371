# SPDX-License-Identifier: MIT
"""the test runner itself, fed with tiny guests: functions test_*() in tests/runner/test_*.py
"""

from kozo import paths
from kozo.harness import plain

ORDER = 0
NEEDS_BUILD = False


def collect(context):
    return plain.jobs(context, "runner", paths.TESTS / "runner", "test_")
