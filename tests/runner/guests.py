# SPDX-License-Identifier: MIT
"""Builds and boots the tiny guests of guest.S."""

import subprocess
import tempfile
import threading
from pathlib import Path

from kozo import qemu
from kozo.harness import verdict
from kozo.harness.vm import Vm

_SOURCE = Path(__file__).with_name("guest.S")
_owner = tempfile.TemporaryDirectory(prefix="kozo-runner-")
_lock = threading.Lock()


def image(variant):
    """The guest `variant`, assembled and linked."""
    out = Path(_owner.name) / variant
    with _lock:
        if not out.exists():
            subprocess.run(["clang-19", "--target=i386-none-elf", "-c", f"-D{variant}",
                            "-o", f"{out}.o", str(_SOURCE)], check=True)
            subprocess.run(["ld.lld-19", "-m", "elf_i386", "-Ttext=0x100000", "-e", "start",
                            "-o", str(out), f"{out}.o"], check=True)
    return out


def boot(variant, limit=60.0, **machine):
    """A Vm of this guest."""
    return Vm(qemu.Machine(image(variant), **machine), limit)


def results(variant, limit=60.0):
    """What the runner makes of this guest."""
    with boot(variant, limit) as vm:
        status = vm.wait()
        tap = verdict.read_tap(vm.tap_lines)
        problem = verdict.guest_problem(vm, status, tap)
        return verdict.results("smoke", "tiny", tap, problem, vm.text, "kept.log", vm.seconds)


def summary(found):
    """(name, status, kind) of each result, for comparing."""
    return [(r.name, r.status, r.kind) for r in found]
