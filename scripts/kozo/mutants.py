# SPDX-License-Identifier: MIT
"""Mutants of the portable core: patches that each break it on purpose.

The unit tests must notice each of them.

A mutant is tests/mutants/ROOM-NAME.patch: a head of `Field: value` lines, an empty line, a unified
diff. The fields are

    Breaks       what is wrong with it, in a line
    Stands for   invariants (I1-I10) and mistakes (M1-M20) it is an example of:
                 tests/mutants/README.md
    Tests        globs of the tests that are likely to notice, which run first
    Short        `yes`: part of a plain ./kozo test

A mutant is not built from nothing: the files it changes are copied, patched and compiled, and what
includes a patched header; the other objects are those of tests/unit/unit-fast.
"""

import json
import os
import re
import resource
import shlex
import shutil
import subprocess
import threading
from dataclasses import dataclass, field

from kozo import builder, paths
from kozo.errors import KozoError

FOLDER = paths.TESTS / "mutants"
PROGRAM = "tests/unit/unit-fast"
INCLUDED = ("kernel", "sys/abi")
CORE = re.compile(r"(kernel/(?!arch/)|sys/abi/).*\.[ch]$")  # what a mutant may change

_HUNK = re.compile(r"@@ -(\d+)(?:,\d+)? \+\d+(?:,\d+)? @@")
_FIELDS = ("Breaks", "Stands for", "Tests", "Short")


class Broken(KozoError):
    """A mutant that cannot be tried: it does not parse, apply or compile."""


class Unsound(KozoError):
    """The sources do not pass as they are; `told` when somebody has heard of it already."""

    def __init__(self, text, told):
        super().__init__(text)
        self.told = told


# ---- patches ---------------------------------------------------------------------------------

@dataclass
class Hunk:
    """Lines to find and lines to put in their place; `line` is where the first was, from 0."""
    line: int
    old: list = field(default_factory=list)
    new: list = field(default_factory=list)


@dataclass(frozen=True)
class Mutant:
    """One patch, parsed."""
    name: str
    fields: dict
    hunks: dict     # file of the source -> its hunks

    @property
    def room(self):
        return self.name.partition("-")[0]

    @property
    def case(self):
        return self.name.partition("-")[2].replace("-", "_")

    @property
    def stands_for(self):
        return self.fields["Stands for"].replace(",", " ").split()

    @property
    def tests(self):
        return self.fields.get("Tests", "").split()

    @property
    def is_short(self):
        return self.fields.get("Short") == "yes"


def _head(name, text):
    fields = {}
    for line in text.splitlines():
        key, colon, value = line.partition(": ")
        if not colon or key not in _FIELDS or key in fields:
            raise Broken(f"{name}: `{line}` is no line of its head")
        fields[key] = value.strip()
    if not fields.get("Breaks") or not fields.get("Stands for"):
        raise Broken(f"{name}: its head does not say what it breaks and what it stands for")
    return fields


def _hunks(name, text):
    found, hunks = {}, None
    for line in text.splitlines():
        if line.startswith("--- "):
            continue
        if line.startswith("+++ b/"):
            hunks = found.setdefault(line[6:].strip(), [])
        elif start := _HUNK.match(line):
            hunks.append(Hunk(int(start[1]) - 1))
        elif line[:1] in " -+" and hunks:
            if line[:1] != "+":
                hunks[-1].old.append(line[1:])
            if line[:1] != "-":
                hunks[-1].new.append(line[1:])
        else:
            raise Broken(f"{name}: `{line}` is no line of a unified diff")
    if not found or not all(CORE.match(f) for f in found):
        raise Broken(f"{name}: changes {', '.join(found) or 'nothing'}, not the portable core")
    return found


def parse(name, text):
    """A mutant from its file. Raises Broken."""
    head, _, diff = text.partition("\n\n")
    return Mutant(name, _head(name, head), _hunks(name, diff))


def load():
    """All mutants, in the order of their names."""
    return [parse(f.stem, f.read_text()) for f in sorted(FOLDER.glob("*.patch"))]


def _place(lines, hunk):
    """Where the old lines of a hunk are: where they were, or the only other place;
    None if nowhere."""
    size = len(hunk.old)
    places = [i for i in range(len(lines) - size + 1) if lines[i:i + size] == hunk.old]
    if hunk.line in places:
        return hunk.line
    return places[0] if len(places) == 1 else None


def patched(text, hunks, name):
    """`text` with the hunks applied. Raises Broken."""
    lines, moved = text.splitlines(), 0
    for hunk in hunks:
        at = _place(lines, Hunk(hunk.line + moved, hunk.old, hunk.new))
        if at is None:
            raise Broken(f"{name}: no longer applies: line {hunk.line + 1} is not as it was")
        lines[at:at + len(hunk.old)] = hunk.new
        moved += len(hunk.new) - len(hunk.old)
    return "\n".join(lines) + "\n"


# ---- building --------------------------------------------------------------------------------

class Base:
    """The sources as they are: their compile commands, objects and what each object was made of."""

    def __init__(self, tree):
        self._tree = tree
        self._lock, self._ready, self._problem = threading.Lock(), False, None
        self._commands, self._deps = {}, {}
        self.cpu_seconds = 10

    def prepare(self):
        """Build the tests and run them as they are, once. Raises Unsound if they do not pass."""
        with self._lock:
            told = self._ready
            if not self._ready:
                self._problem = self._prepare()
                self._ready = True
        if self._problem:
            raise Unsound(self._problem, told)

    def _prepare(self):
        builder.build(self._tree, targets=[PROGRAM])
        commands = json.loads((self._tree.root / "compile_commands.json").read_text())
        self._commands = {c["output"]: c for c in commands
                          if c["output"].startswith(PROGRAM + ".p/")}
        self._deps = self._read_deps()
        ended = run_tests(self.program, (), 100)
        self.cpu_seconds = max(10, 5 * int(ended.cpu + 1))
        if not ended.killer:
            return None
        return f"the sources do not pass without a mutant: {ended.killer}: {ended.how}"

    @property
    def program(self):
        return self._tree.root / PROGRAM

    def _read_deps(self):
        """Object -> the files of the source that it was made of."""
        shown = subprocess.run(["ninja", "-C", str(self._tree.root), "-t", "deps"], text=True,
                               capture_output=True, check=True).stdout
        deps, files = {}, []
        for line in shown.splitlines():
            if line.startswith("    "):
                path = os.path.realpath(self._tree.root / line.strip())
                files.append(os.path.relpath(path, paths.SOURCE))
            elif ": #deps" in line:
                files = deps.setdefault(line.partition(": #deps")[0], [])
        return {target: set(deps.get(target, ())) for target in self._commands}

    def compile(self, mutant):
        """Build the tests with a mutant; returns the program. Raises Broken."""
        folder = self._tree.root / "mutants" / mutant.name
        shutil.rmtree(folder, ignore_errors=True)
        if any(file.endswith(".h") for file in mutant.hunks):
            self._copy_headers(folder)
        for file, hunks in mutant.hunks.items():
            text = patched((paths.SOURCE / file).read_text(), hunks, mutant.name)
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            (folder / file).write_text(text)
        objects = [self._object(mutant, folder, target) for target in self._commands]
        program = folder / "unit"
        self._run(mutant, ["clang-19", "-fuse-ld=lld", *objects, "-o", str(program)])
        return program

    @staticmethod
    def _copy_headers(folder):
        """All of them: kernel/kernel.h, too, looks for others in its own folder first."""
        def others(where, names):
            return [n for n in names
                    if not n.endswith(".h") and not os.path.isdir(os.path.join(where, n))]
        for part in INCLUDED:
            shutil.copytree(paths.SOURCE / part, folder / part, ignore=others)

    def _object(self, mutant, folder, target):
        """The object of a mutant in place of `target`."""
        if not self._deps[target] & set(mutant.hunks):
            return target
        source = self._commands[target]["file"]
        name = os.path.relpath(os.path.realpath(self._tree.root / source), paths.SOURCE)
        copy = folder / name
        if not copy.exists():   # beside the header that it may find in its own folder
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(paths.SOURCE / name, copy)
        out = str(folder / (name.replace("/", "_") + ".o"))
        words = self._without_dependencies(shlex.split(self._commands[target]["command"]))
        includes = [f"-I{folder / d}" for d in INCLUDED]
        words = [str(copy) if w == source else out if w == target else w for w in words]
        self._run(mutant, [words[0], *includes, *words[1:], "-w"])
        return out

    @staticmethod
    def _without_dependencies(words):
        """A compile command without -MD, -MQ X, -MF X."""
        return [w for before, w in zip([""] + words, words)
                if w not in ("-MD", "-MQ", "-MF") and before not in ("-MQ", "-MF")]

    def _run(self, mutant, command):
        done = subprocess.run(command, cwd=self._tree.root, stdin=subprocess.DEVNULL, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, errors="replace",
                              env=builder.tool_environment(), check=False)
        if done.returncode != 0:
            raise Broken(f"{mutant.name}: does not compile\n{done.stdout.strip()}")


# ---- running ---------------------------------------------------------------------------------

@dataclass(frozen=True)
class Ended:
    """A run of the tests: what noticed the mutant (empty: nothing did), how,
    and the CPU time spent."""
    killer: str
    how: str
    cpu: float


def _why(stream):
    """What is said below a test that failed: of a panic its own words, else the first line."""
    told = []
    for line in stream:
        if not line.startswith("#") or line.startswith("# KOZO END"):
            break
        told.append(line.strip("# \n"))
    panics = [line.partition("kernel panic: ")[2] for line in told if "kernel panic: " in line]
    return (panics or told or ["it failed"])[0]


def _first_failure(stream):
    """Read TAP up to the first failure: (test, why), why empty if it did not tell;
    None: all is well."""
    cases, done, ended, plan = [], 0, False, -1
    for line in stream:
        line = line.rstrip("\n")
        if line.startswith("not ok "):
            return line.partition(" - ")[2], _why(stream)
        if line.startswith("# case "):
            cases.append(line[7:])
        elif line.startswith("1.."):
            plan = int(line[3:])
        elif line.startswith("ok "):
            done += 1
        elif line.startswith("Bail out!"):
            break
        ended = ended or line == "# KOZO END"
    if ended and done == plan:
        return None
    return (cases[done] if done < len(cases) else "the end"), ""


def run_tests(program, globs, cpu_seconds):
    """Run the tests that match, all if there are no globs, up to the first that fails."""
    chosen = [w for g in globs for w in ("-k", g)]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with subprocess.Popen([str(program), *chosen], stdin=subprocess.DEVNULL, text=True,
                          errors="replace", stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL) as process:
        try:
            resource.prlimit(process.pid, resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds))
            failure = _first_failure(process.stdout)
            if failure and failure[1]:
                process.kill()  # it told why; there is no need for the rest
            process.stdout.read()
            status = process.wait()
        except BaseException:
            process.kill()
            raise
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    if failure is None:
        return Ended("" if status == 0 else "the end", f"status {status}", cpu)
    name, why = failure
    return Ended(name, why or _end_of(status), cpu)


def _end_of(status):
    """Why a run stopped in the middle of a test."""
    if status in (1, -9, -24):
        return "still running at its time limit"
    return f"killed by signal {-status}" if status < 0 else f"ended with status {status}"


def attempt(base, mutant):
    """Build and run a mutant; returns Ended. Raises Broken."""
    program = base.compile(mutant)
    ended = Ended("", "", 0)
    if mutant.tests:
        ended = run_tests(program, mutant.tests, base.cpu_seconds)
    if not ended.killer:
        ended = run_tests(program, (), base.cpu_seconds)
    if ended.killer:
        shutil.rmtree(program.parent)   # a survivor stays, to be looked at
    return ended
