# SPDX-License-Identifier: MIT
"""the source tree and what was built from it: functions check_*(tree) in tests/checks/check_*.py
"""

from kozo import paths
from kozo.harness import plain

ORDER = 20
NEEDS_BUILD = True


def collect(context):
    return plain.jobs(context, "checks", paths.TESTS / "checks", "check_", (context.tree,))
