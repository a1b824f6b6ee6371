# SPDX-License-Identifier: MIT
"""Reading TAP as guests and the unit tests speak it.

    1..N                        the plan, first
    # case NAME                 all cases to come, so that those never reached have names
    ok I - NAME
    ok I - NAME # SKIP why
    not ok I - NAME
    # file:line: message        diagnostics of the result before them
    Bail out! why
    # KOZO END                  the last line of a complete run
"""

import re
from dataclasses import dataclass, field

END_MARKER = "# KOZO END"

_PLAN = re.compile(r"1\.\.(\d+)\s*(?:#\s*skip\b\s*(.*))?$", re.IGNORECASE)
_POINT = re.compile(r"(not )?ok\b\s*(\d+)?\s*(?:-\s*)?(.*)$")
_DIRECTIVE = re.compile(r"\s#\s*SKIP\S*\s*(.*)$", re.IGNORECASE)
_CASE = re.compile(r"#\s*case\s+(\S.*)$")


@dataclass
class Point:
    """One reported case."""
    name: str
    ok: bool
    skip: str | None = None
    diagnostics: list = field(default_factory=list)
    seconds: float = 0.0


class Tap:
    """A run read line by line. `feed` takes whole lines and when each came, in seconds."""

    def __init__(self, start=0.0):
        self.plan = None
        self.cases = []
        self.points = []
        self.ended = False
        self.bail = None
        self.oddities = []
        self._last = start

    def feed(self, line, now=0.0):
        """Take one line, without its line end."""
        line = line.rstrip()
        if line == END_MARKER:
            self.ended = True
        elif line.startswith("#"):
            self._comment(line)
        elif line.startswith("Bail out!"):
            self.bail = line[len("Bail out!"):].strip() or "no reason given"
        elif found := _PLAN.match(line):
            self._take_plan(found)
        elif found := _POINT.match(line):
            self._take_point(found, now)
        elif line and not line.startswith(("TAP version", "pragma", " ")):
            self.oddities.append(line)

    def _comment(self, line):
        found = _CASE.match(line)
        if found and not self.points:
            self.cases.append(found.group(1).strip())
        elif self.points:
            self.points[-1].diagnostics.append(line[1:].strip())

    def _take_plan(self, found):
        if self.plan is not None:
            self.oddities.append(f"a second plan: {found.group(0)}")
            return
        self.plan = int(found.group(1))

    def _take_point(self, found, now):
        bad, number, rest = found.groups()
        directive = _DIRECTIVE.search(" " + rest)
        name = (" " + rest)[:directive.start()].strip() if directive else rest
        if number and int(number) != len(self.points) + 1:
            self.oddities.append(f"number {number} where {len(self.points) + 1} was due: {name}")
        skip = directive.group(1) if directive else None
        point = Point(name.strip() or f"case {len(self.points) + 1}", bad is None, skip)
        point.seconds = max(0.0, now - self._last)
        self._last = now
        self.points.append(point)

    @property
    def complete(self):
        """Plan given and met, end marker seen."""
        return self.plan is not None and self.plan == len(self.points) and self.ended

    def never_reached(self):
        """Names of the cases announced but not reported; numbered when they have no name."""
        if self.cases:
            left = list(self.cases)
            for point in self.points:
                if point.name in left:
                    left.remove(point.name)
            return left
        count = self.plan or 0
        return [f"case {i}" for i in range(len(self.points) + 1, count + 1)]
