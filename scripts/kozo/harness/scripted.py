# SPDX-License-Identifier: MIT
"""Tests written in Python that boot guests: functions test_*(boot) in tests/smoke/test_*.py.

    from kozo.harness.scripted import on

    @on(cpu=("qemu64", "max"), machine=("pc", "q35"))
    def test_motd_is_printed(boot):
        boot.edit("etc/motd", "hello", "bonjour")
        with boot.start(append="...") as vm:
            vm.wait_for("^bonjour")
            vm.expect_exit(0)

`boot` holds the files of the archive to be (staging.Staging: read, write, edit, remove; add and set
for its manifest) and starts guests. A failed assert is a failure; a guest that panics, hangs or
ends early is an error.
"""

import contextlib
import importlib.util
import itertools
import sys
import time
import traceback
from dataclasses import replace

from kozo import qemu
from kozo.errors import KozoError
from kozo.harness import corefile
from kozo.harness.results import ERROR, FAIL, PASS, SKIP, Result
from kozo.harness.staging import Staging
from kozo.harness.verdict import log_of, tail
from kozo.harness.vm import GuestError, Vm


class Skip(Exception):
    """Raised by a test that cannot run here; its text says why."""


def on(**choices):
    """Run the test once for each combination: cpu=, memory=, machine=, bios=, each a tuple."""
    def mark(function):
        function.variants = [dict(zip(choices, values))
                             for values in itertools.product(*choices.values())]
        return function
    return mark


def limit(seconds):
    """Give each guest of the test `seconds` in place of the usual limit."""
    def mark(function):
        function.limit = seconds
        return function
    return mark


class Boot(Staging):
    """What a scripted test gets: the archive to be, and guests of it."""

    def __init__(self, tree, machine=None, seconds=60.0):
        super().__init__(tree)
        self.tree = tree
        self.machine = machine or {}
        self.seconds = seconds
        self.guests = []

    def start(self, append="", initrd=None, hashes=True, seconds=None, extra=(),
              kernel=None, **machine):
        """Boot the kernel (or `kernel`) with this archive (or `initrd`); returns the Vm.

        `machine` overrides cpu, memory, machine, bios; `extra` are more QEMU arguments; with
        hashes=False the manifest's `sha256 = auto` lines stay as they are.
        """
        what = qemu.Machine(kernel=kernel or self.tree.kernel, initrd=initrd or self.pack(hashes),
                            append=append, **{**self.machine, **machine})
        vm = Vm(what, seconds or self.seconds, extra)
        self.guests.append(vm)
        return vm

    def close(self):
        for vm in self.guests:
            vm.close()
        super().close()

    def keep(self, folder):
        """Keep the logs of all guests below `folder`."""
        for number, vm in enumerate(self.guests, 1):
            last = number == len(self.guests)     # panics before it were wanted
            vm.keep(folder if len(self.guests) == 1 else folder / str(number), core=last)


def load(path):
    """The module in the file `path`."""
    name = f"kozo_tests_{path.parent.name}_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def functions(module, prefix="test_"):
    """(case name, function) pairs in source order."""
    found = [(n, f) for n, f in vars(module).items()
             if n.startswith(prefix) and callable(f) and f.__module__ == module.__name__]
    return [(n[len(prefix):], f) for n, f in found]


def where(error):
    """file:line of the test's own line that failed, and the line's text."""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if "/tests/" in frame.filename and frame.name != "refuse":
            short = frame.filename[frame.filename.rindex("/tests/") + 1:]
            return f"{short}:{frame.lineno}: {frame.line}"
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{last.filename}:{last.lineno}: {last.line}"


def judge(function, *arguments):
    """Run a test; (status, kind, message, body)."""
    try:
        function(*arguments)
    except Skip as e:
        return SKIP, "", str(e), ""
    except AssertionError as e:
        return FAIL, "", str(e) or "assertion failed", where(e)
    except GuestError as e:
        status = FAIL if e.kind == "fail" else ERROR
        return status, e.kind, f"{e.kind}: {e}" if status == ERROR else str(e), where(e)
    except KozoError as e:
        return ERROR, "exception", str(e), f"{where(e)}\n{tail(getattr(e, 'log', ''))}".strip()
    except Exception as e:  # a broken test is an error, whatever it raises
        return ERROR, "exception", f"{type(e).__name__}: {e}", traceback.format_exc()
    return PASS, "", "", ""


def variant_words(choice):
    """A combination of `on`, as the words of a variant; what is usual goes without saying."""
    usual = {"cpu": qemu.CPU, "memory": qemu.MEMORY, "machine": qemu.MACHINE}
    return " ".join(str(v) for k, v in choice.items() if v and usual.get(k) != v)


def run_guest_test(result, function, tree, choice, seconds, log_folder):
    """Run one scripted smoke test; `result` names it."""
    start = time.monotonic()
    boot = Boot(tree, choice, getattr(function, "limit", seconds))
    with contextlib.closing(boot):
        status, kind, message, body = judge(function, boot)
        for vm in boot.guests:
            vm.close()
        log = ""
        if status in (FAIL, ERROR) and boot.guests:
            boot.keep(log_folder)
            log = str(log_folder)
            cores = "".join(f"\nmemory: {f}" for f in sorted(log_folder.rglob(corefile.NAME)))
            message += cores if kind == "panic" else ""
            body = f"{body}{cores}\n\n{tail(log_of(boot.guests[-1], tree))}".strip()
    return replace(result, status=status, kind=kind, message=message, body=body,
                   seconds=time.monotonic() - start, log=log)


def blank(suite, group, name, variant=""):
    """A result still to be filled in."""
    return Result(suite, group, name, ERROR, variant)
