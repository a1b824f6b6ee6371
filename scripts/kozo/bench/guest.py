# SPDX-License-Identifier: MIT
"""Boots the benchmark program and reads what it reports."""

import re
import subprocess
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from kozo import bench
from kozo.errors import KozoError
from kozo.harness import staging, verdict
from kozo.harness.vm import Vm

PROGRAMS = ("tests/bench", "tests/child", "services/fsd")
SECONDS = 120.0
SERIAL2 = ("-serial", "null")   # the device whose interrupts are counted

_LINE = re.compile(r"# bench (\w+) (\d+) (\d+) (\d+) (\d+)$")


class GuestFailed(KozoError):
    """The benchmark program did not come to its end, or a check inside it did not hold."""


@dataclass(frozen=True)
class Sample:
    """A row as the guest reported it."""
    name: str
    median: int
    least: int
    most: int
    samples: int


def targets():
    """What has to be built."""
    return list(PROGRAMS)


@contextmanager
def archive(tree):
    """An archive with the benchmark's programs, stripped."""
    with tempfile.TemporaryDirectory(prefix="kozo-bench-") as folder:
        programs = Path(folder) / "root" / "bin"
        programs.mkdir(parents=True)
        for name in PROGRAMS:
            subprocess.run(["llvm-strip-19", "--strip-all", "-o", programs / Path(name).name,
                            tree.root / name], check=True)
        out = Path(folder) / "bench.cpio"
        staging.pack(programs.parent, out)
        yield out


def command_line(names, more=""):
    """The kernel's command line that asks for the rows `names`."""
    return f"kozo.init=bin/bench kozo.bench={','.join(names)} {more}".strip()


def read(lines):
    """The samples in the lines of the TAP port."""
    found = (_LINE.match(text) for _, text in lines)
    return [Sample(m[1], *(int(m[i]) for i in range(2, 6))) for m in found if m]


def finish(vm):
    """Wait for the guest's end; its samples. Raises GuestFailed."""
    status = vm.wait()
    tap = verdict.read_tap(vm.tap_lines)
    problem = verdict.guest_problem(vm, status, tap)
    bad = [line for _, line in vm.tap_lines if line.startswith("not ok")]
    if problem or bad:
        why = problem[1] if problem else "; ".join(bad)
        raise GuestFailed(f"the benchmark program failed: {why}\n{vm.tap_text()}{vm.text}")
    return read(vm.tap_lines)


def run(tree, names, counted=True, seconds=SECONDS, memory=bench.MEMORY):
    """Boot it and measure the rows `names`; without `counted` in real time."""
    if not names:
        return []
    with archive(tree) as initrd:
        mode = "" if counted else "kozo.wall"
        machine = bench.machine(tree.kernel, initrd, command_line(names, mode),
                                bench.ICOUNT if counted else (), memory)
        with Vm(machine, seconds, SERIAL2, core=False) as vm:
            return finish(vm)
