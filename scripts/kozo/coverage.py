# SPDX-License-Identifier: MIT
"""Branches of the portable core that the unit tests take, and the list of those that they do not.

clang counts in the source (tests/unit/unit-cover). A branch is a condition with two outcomes, those
inside `&&` and `||`, of each `case`, and in a macro where it is used. What stays untaken stands in
tests/coverage.txt, with the reason:

    FILE FUNCTION: OUTCOMES: TEXT
        reason

OUTCOMES are those never seen (true, false; several where TEXT has several conditions), TEXT the
condition or the macro with its arguments as the source has it, in one line.
"""

import json
import os
import re
import subprocess
from collections import defaultdict
from dataclasses import dataclass

from kozo import builder, paths
from kozo.errors import BuildFailed, KozoError

LIST = paths.TESTS / "coverage.txt"
PROGRAM = "tests/unit/unit-cover"
LEAST = 95.0    # percent
CORE = re.compile(r"kernel/(?!arch/x86_64/)")

_ENTRY = re.compile(r"(\S+) (\S+): ((?:true|false)(?: (?:true|false))*): (.+)")
PATTERNS = 16   # that the program takes at once
_EXPANSION = 1  # kind of a region, as llvm-cov exports it


@dataclass(frozen=True, order=True)
class Place:
    """A condition as it stands in the source; `macro` if it came out of one there."""
    file: str
    line: int
    column: int
    end_line: int
    end_column: int
    macro: bool
    inner: tuple    # where in the macro


@dataclass(frozen=True, order=True)
class Gap:
    """What was never seen of a condition."""
    file: str
    function: str
    outcomes: str
    text: str

    def __str__(self):
        return f"{self.file} {self.function}: {self.outcomes}: {self.text}"


# ---- running ---------------------------------------------------------------------------------

def _counting_to(raw):
    """The environment of a program that writes its counters to `raw`."""
    return {**os.environ, "LLVM_PROFILE_FILE": str(raw)}


def _tool(*command, env=None):
    done = subprocess.run([str(c) for c in command], text=True, capture_output=True, check=False,
                          env=env)
    if done.returncode != 0:
        raise KozoError(f"{command[0]} failed: {done.stderr.strip()}")
    return done.stdout


def _modules(program):
    """The test modules that count. Plans run services: what those happen to do is no test
    of the core."""
    names = _tool(program, "--list", env=_counting_to(os.devnull)).split()
    return sorted({name.partition(".")[0] for name in names} - {"plans"})


def _run(program, modules, raw):
    chosen = [w for m in modules for w in ("-k", f"{m}.*")]
    ran = subprocess.run([str(program), *chosen], stdin=subprocess.DEVNULL, text=True,
                         capture_output=True, env=_counting_to(raw), check=False)
    if ran.returncode != 0:
        failed = [line for line in ran.stdout.splitlines() if line.startswith("not ok")]
        raise BuildFailed("the unit tests fail", "\n".join(failed) + ran.stderr)


def measure(tree):
    """Build the tests with counters, run them, and return what llvm-cov tells."""
    builder.build(tree, targets=[PROGRAM])
    folder, program = tree.root / "coverage", tree.root / PROGRAM
    folder.mkdir(exist_ok=True)
    modules, raws = _modules(program), []
    for first in range(0, len(modules), PATTERNS):
        raws.append(folder / f"unit-{first}.profraw")
        _run(program, modules[first:first + PATTERNS], raws[-1])
    profile = folder / "unit.profdata"
    _tool("llvm-profdata-19", "merge", "-sparse", *raws, "-o", profile)
    return json.loads(_tool("llvm-cov-19", "export", program, f"-instr-profile={profile}"))


# ---- reading ---------------------------------------------------------------------------------

def _outermost(function, parents, branch):
    """The place in the source where a branch stands, through all macros it came out of."""
    at, inner = branch[6], tuple(branch[:4])
    where, macro = tuple(branch[:4]), False
    while at in parents:
        where, at, macro = *parents[at], True
    return Place(function["filenames"][at], *where, macro, inner if macro else ())


def _branches(exported):
    """Place -> [function, times true, times false], summed over the copies of inline functions."""
    found = {}
    for function in exported["data"][0]["functions"]:
        parents = {r[6]: (tuple(r[:4]), r[5]) for r in function["regions"] if r[7] == _EXPANSION}
        name = function["name"].rpartition(":")[2]
        copies = defaultdict(int)
        for branch in function["branches"]:
            place = _outermost(function, parents, branch)
            copies[place] += 1
            sums = found.setdefault((place, copies[place]), [name, 0, 0])
            sums[1] += branch[4]
            sums[2] += branch[5]
    return {k: v for k, v in found.items() if CORE.match(k[0].file)}


def _text(source, place):
    """A condition as it stands in the source, or a macro with its arguments, in one line."""
    lines = source[place.line - 1:]
    # The place of a macro in a system header has no extent.
    system = (place.line, place.column) == (place.end_line, place.end_column)
    if not place.macro and not system:
        lines = lines[:place.end_line - place.line + 1]
        lines[-1] = lines[-1][:place.end_column - 1]
        lines[0] = lines[0][place.column - 1:]
        return " ".join(" ".join(lines).split())
    text, depth = " ".join([lines[0][place.column - 1:], *lines[1:20]]), 0
    for i, c in enumerate(text):
        depth += (c == "(") - (c == ")")
        if c == ")" and depth <= 0:
            return " ".join(text[:i + 1].split())
    return text.split()[0]


@dataclass
class Coverage:
    """Per file how many outcomes there are and were taken; and the gaps."""
    files: dict
    gaps: list

    @property
    def percent(self):
        total = sum(t for t, _ in self.files.values())
        return 100.0 * sum(n for _, n in self.files.values()) / max(1, total)


def read(exported):
    """What the export says of the core."""
    files, missed, sources = defaultdict(lambda: [0, 0]), defaultdict(list), {}
    for (place, _), (function, true, false) in sorted(_branches(exported).items()):
        if place.file not in sources:
            sources[place.file] = (paths.SOURCE / place.file).read_text().splitlines()
        count = files[place.file]
        count[0] += 2
        count[1] += (true > 0) + (false > 0)
        where = (place.file, function, place.line, place.column, _text(sources[place.file], place))
        missed[where] += ["true"] * (true == 0) + ["false"] * (false == 0)
    gaps = [Gap(file, function, " ".join(sorted(outcomes, reverse=True)), text)
            for (file, function, _, _, text), outcomes in missed.items() if outcomes]
    return Coverage({f: tuple(n) for f, n in sorted(files.items())}, gaps)


# ---- the list --------------------------------------------------------------------------------

def listed(text):
    """Gap -> reason, as the list has them; one that stands there twice counts for two."""
    entries, last = [], None
    for n, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        if line.startswith("    ") and last is not None:
            last[1] = f"{last[1]} {line.strip()}".strip()
        elif found := _ENTRY.fullmatch(line):
            last = [Gap(*found.groups()), ""]
            entries.append(last)
        else:
            raise KozoError(f"{LIST.name}:{n}: `{line}` is neither a gap nor a reason")
    return [(gap, reason) for gap, reason in entries]


def problems(gaps, entries):
    """What is wrong between the gaps there are and those that are listed."""
    left, found = list(gaps), []
    for gap, reason in entries:
        if gap in left:
            left.remove(gap)
        else:
            found.append(f"stale, it is taken or gone: {gap}")
        if not reason:
            found.append(f"no reason: {gap}")
    return found + [f"not listed: {gap}" for gap in left]
