# SPDX-License-Identifier: MIT
"""The QEMU command line, its version, and what its exit status means.

A guest ends QEMU through the debug-exit port: value v gives exit status 2v+1, so that no status a
failing QEMU or a vanished guest can have means success.
"""

import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from kozo import errors

PROGRAM = "qemu-system-x86_64"
CPU = "qemu64"
MEMORY = "256M"
MACHINE = "pc"
OLDEST = (7, 2)
MISSING = f"{PROGRAM} is missing: install Debian's qemu-system-x86, or run ./kozo setup"

EXIT_OK = 0x10
EXIT_FAILED = 0x11
EXIT_PANIC = 0x12
EXIT_RESET = 0x13
EXIT_STATUS_BASE = 0x20     # plus the guest's own status, 1 to 63
EXIT_STATUS_MAX = 63


@dataclass(frozen=True)
class Machine:
    """What is booted, and on what."""
    kernel: Path
    initrd: Path | None = None
    append: str = ""
    cpu: str = CPU
    memory: str = MEMORY
    machine: str = MACHINE
    bios: str | None = None
    extra: tuple = field(default=())


def command(m):
    """The QEMU line for `m`, still without console: no devices but those the machine has, a reset
    ends it, and the debug-exit port is there."""
    line = [PROGRAM, "-accel", "tcg", "-machine", m.machine, "-cpu", m.cpu, "-m", m.memory,
            "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
            "-device", "isa-debug-exit,iobase=0xf4,iosize=0x04",
            "-kernel", str(Path(m.kernel).absolute())]
    if m.initrd:
        line += ["-initrd", str(Path(m.initrd).absolute())]
    if m.append:
        line += ["-append", m.append]
    if m.bios:
        line += ["-bios", m.bios]
    return line + list(m.extra)


def exit_status(value):
    """QEMU's exit status when the guest writes `value` to the debug-exit port."""
    return 2 * value + 1


@dataclass(frozen=True)
class Outcome:
    """How a boot ended: in words (empty when there is nothing to say),
    and as ./kozo's exit code."""
    text: str
    code: int


def outcome(status):
    """What QEMU's exit `status` says about the guest."""
    if status == exit_status(EXIT_OK):
        return Outcome("", errors.OK)
    if status == exit_status(EXIT_FAILED):
        return Outcome("the guest reported failure", errors.FAILED)
    if status == exit_status(EXIT_PANIC):
        return Outcome("the kernel panicked (its report is above)", errors.PANIC)
    if status == exit_status(EXIT_RESET):
        return Outcome("the guest reset the machine (`reboot`), at which QEMU ends: "
                       "it is `poweroff` that ends with a status", errors.FAILED)
    if status == 0:
        return Outcome("QEMU ended without a word from the guest: it was quit, reset "
                       "or powered off, or the guest triple-faulted", errors.FAILED)
    guest = (status - 1) // 2 - EXIT_STATUS_BASE
    if status % 2 == 1 and 1 <= guest <= EXIT_STATUS_MAX:
        return Outcome(f"the guest powered off with status {guest}", errors.FAILED)
    if status < 0:
        return Outcome(f"QEMU was ended by signal {-status}", errors.FAILED)
    return Outcome(f"QEMU failed with status {status} (its message is above)", errors.FAILED)


def _parse_version(text):
    found = re.search(r"version (\d+)\.(\d+)", text)
    return (int(found.group(1)), int(found.group(2))) if found else None


def check_version(program=PROGRAM):
    """Raise EnvironmentProblem unless QEMU is there and new enough."""
    try:
        asked = subprocess.run([program, "--version"], stdin=subprocess.DEVNULL, text=True,
                               capture_output=True, timeout=30, check=False)
    except FileNotFoundError as e:
        raise errors.EnvironmentProblem(MISSING) from e
    except (OSError, subprocess.TimeoutExpired) as e:
        raise errors.EnvironmentProblem(f"{program} --version does not work: {e}") from e
    version = _parse_version(asked.stdout)
    if version is None:
        raise errors.EnvironmentProblem(
            f"{program} --version does not tell a version: {asked.stdout!r}")
    if version < OLDEST:
        raise errors.EnvironmentProblem(
            f"{program} is version {version[0]}.{version[1]}, "
            f"and KOZO needs {OLDEST[0]}.{OLDEST[1]} or newer: "
            "upgrade qemu-system-x86 (Debian 12 has 7.2)")


def stop(process):
    """End a QEMU that still runs: politely, so that it restores the terminal, then for good."""
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
