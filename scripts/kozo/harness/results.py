# SPDX-License-Identifier: MIT
"""What became of a test."""

from dataclasses import dataclass, replace

PASS = "pass"
FAIL = "fail"      # a check inside the test did not hold
ERROR = "error"    # the test never came to a verdict
SKIP = "skip"


@dataclass(frozen=True)
class Result:
    """One test case's end.

    `group` is the boot or file it belongs to, `variant` what else tells it from its twins (CPU
    model, machine, repeat number). `kind` names an error: hang, panic, fault, triple-fault, qemu,
    no-plan, no-end, never-reached, crash, build, exception. `message` is one line; `body` has
    file:line and the end of the log; `log` is where the whole is kept.
    """
    suite: str
    group: str
    name: str
    status: str
    variant: str = ""
    kind: str = ""
    message: str = ""
    body: str = ""
    seconds: float = 0.0
    log: str = ""

    @property
    def id(self):
        """The name a user sees, and that -k matches."""
        return f"{self.suite}/{self.group}.{self.name}"

    @property
    def bad(self):
        return self.status in (FAIL, ERROR)

    def with_variant(self, more):
        """This result in a narrower variant."""
        return replace(self, variant=" ".join(v for v in (self.variant, more) if v))


def closing_line(results):
    """The last line of a run: errors are failures."""
    failed = sum(r.bad for r in results)
    skipped = sum(r.status == SKIP for r in results)
    passed = len(results) - failed - skipped
    line = f"{passed} passed, {failed} failed"
    return f"{line}, {skipped} skipped" if skipped else line
