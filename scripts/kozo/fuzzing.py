# SPDX-License-Identifier: MIT
"""The reference model and the fuzz targets as programs: building them, running them.

A target is tests/fuzz/NAME.c, built as tests/fuzz/fuzz-NAME. It begins from tests/fuzz/corpus/NAME:
seeds, whose names say what they are (tests/fuzz/seeds.py), and what fuzzing found, named by hash.
Words it may use are in tests/fuzz/NAME.dict. The model is built twice: with sanitizers, and without
for long runs.
"""

import os
import re
import subprocess
import threading
from dataclasses import dataclass

from kozo import builder, paths
from kozo.errors import UsageProblem

CORPUS = paths.TESTS / "fuzz" / "corpus"
NAME_DIGITS = 16  # of the hash in the name of an input
SCRIPTS = paths.TESTS / "model" / "scripts"

_OPTIONS = {"ASAN_OPTIONS": "abort_on_error=0:detect_leaks=0",
            "UBSAN_OPTIONS": "print_stacktrace=1",
            "ASAN_SYMBOLIZER_PATH": "/usr/bin/llvm-symbolizer-19"}

_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600}


def targets():
    """The names of all targets."""
    return sorted(f.stem for f in (paths.TESTS / "fuzz").glob("*.c"))


def kept(target):
    """The folder with the target's corpus, if there is one, as a list."""
    folder = CORPUS / target
    return [folder] if folder.is_dir() else []


def is_found(file):
    """Whether fuzzing found this input of the corpus; else it is a seed."""
    return re.fullmatch(rf"[0-9a-f]{{{NAME_DIGITS}}}", file.name) is not None


def words(target):
    """The option that names the target's dictionary, if it has one, as a list."""
    file = paths.TESTS / "fuzz" / f"{target}.dict"
    return [f"-dict={file}"] if file.exists() else []


def environment():
    """This process's environment, with what sanitizers are told."""
    return {**os.environ, **_OPTIONS}


def seconds(text):
    """`10m`, `90s`, `90` or `1h` in seconds."""
    parts = re.fullmatch(r"(\d+)([smh]?)", text)
    if not parts or int(parts[1]) == 0:
        raise UsageProblem(f"--time: {text} is no time; say 90s, 10m or 2h")
    return int(parts[1]) * _UNITS[parts[2]]


class Programs:
    """The programs of one build folder, built when the first is asked for."""

    def __init__(self, tree, names):
        self._tree, self._names = tree, names
        self._lock, self._built = threading.Lock(), False

    def path(self, name):
        """Where a program is: `model`, `model-fast` or a target. Raises BuildFailed."""
        with self._lock:
            if not self._built:
                builder.build(self._tree, targets=[self._relative(n) for n in self._names])
                self._built = True
        return self._tree.root / self._relative(name)

    @staticmethod
    def _relative(name):
        return f"tests/model/{name}" if name.startswith("model") else f"tests/fuzz/fuzz-{name}"


@dataclass(frozen=True)
class Ended:
    """A program that has ended; status None at its time limit."""
    status: int | None
    output: str


def run(command, limit=None):
    """Run a program to its end, or its limit in seconds."""
    with subprocess.Popen([str(c) for c in command], stdin=subprocess.DEVNULL, text=True,
                          errors="replace", stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          env=environment()) as process:
        try:
            output, _ = process.communicate(timeout=limit)
            return Ended(process.returncode, output)
        except subprocess.TimeoutExpired:
            process.kill()
            output, _ = process.communicate()
            return Ended(None, output)
        except BaseException:
            process.kill()
            raise


def artifact(output):
    """The file with the input that failed, as libFuzzer names it; None when there is none."""
    found = re.search(r"Test unit written to (\S+)", output)
    return found[1] if found else None


def complaint(output):
    """The line that says what is wrong."""
    for pattern in (r"^model: .*", r".*not true: .*", r".*runtime error: .*", r".*ERROR: .*"):
        found = re.search(pattern, output, re.MULTILINE)
        if found:
            return found[0].strip()
    lines = [line for line in output.splitlines() if line.strip()]
    return lines[-1] if lines else "no output"
