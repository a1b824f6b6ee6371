# SPDX-License-Identifier: MIT
"""Driving a guest: console both ways, monitor, exit status, kept logs."""

import re
import sys
import tempfile
from pathlib import Path

from kozo.harness.person import Person
from kozo.harness.vm import GuestError

sys.path.insert(0, str(Path(__file__).parent))
import guests  # noqa: E402


def _error_of(call, *arguments):
    try:
        call(*arguments)
    except GuestError as e:
        return e
    raise AssertionError("no GuestError")


def _matched_next(vm, pattern):
    return vm.wait_for(pattern).group()


def test_console_goes_both_ways():
    with guests.boot("ECHO") as vm:
        vm.wait_for("^tiny guest$")
        vm.send("abc")
        vm.wait_for("abc")
        vm.send("q")
        vm.expect_exit(0)


def test_what_comes_in_any_order_is_waited_for_together():
    with guests.boot("ECHO") as vm:
        vm.wait_for("^tiny guest$")
        vm.send("one two three four")
        vm.wait_for("one")
        vm.wait_for_all("three", "t")
        assert _matched_next(vm, "t|f") == "f"
        vm.send("one q")
        error = _error_of(vm.wait_for_all, "one", "three")
        assert error.kind == "fail" and "before: three" in str(error), error


def test_a_line_of_which_a_part_has_come_is_waited_for():
    with guests.boot("ECHO") as vm:
        vm.send("n=3")
        vm.wait_for("n=(?=3)")               # and the 3 is there
        assert vm._search(re.compile(r"\d+$", re.MULTILINE)) is None
        assert vm._search(re.compile(r"[^\n]*$", re.MULTILINE)) is None
        vm.send("6\r\n")
        assert vm.wait_for(r"\d+$").group() == "36"
        vm.send("prompt> whole")             # what can grow no more needs no line end
        vm.wait_for("^prompt> whole$")
        vm.send("7q")
        vm.expect_exit(0)
        assert vm.wait_for(r"\d+q?$").group() == "7q"


class _Redrawn:
    """A terminal on which a line of the log comes while `echo x` is typed."""

    def __init__(self, vm):
        self.vm = vm
        self.wait_for = vm.wait_for

    def send(self, text):
        self.vm.send(text + 12 * " " + "\r[log] a line\r\nkozo> echo x\r\n\r\nx\r\nkozo> ")


def test_a_line_that_is_drawn_again_is_no_line_entered():
    with guests.boot("ECHO") as vm:
        vm.send("kozo> ")
        assert Person(_Redrawn(vm)).line("echo x") == "\nx\n"
        vm.send("q")
        vm.expect_exit(0)


def test_guest_status():
    with guests.boot("STATUS_7") as vm:
        vm.expect_exit(7)
    with guests.boot("STATUS_7") as vm:
        assert _error_of(vm.expect_exit, 0).kind == "fail"


def test_waiting_in_vain_tells_why():
    with guests.boot("HANG", limit=2.0) as vm:
        assert _error_of(vm.wait_for, "never").kind == "hang"
    with guests.boot("PANIC") as vm:
        assert _error_of(vm.wait_for, "never").kind == "panic"
    with guests.boot("PASS") as vm:
        assert _error_of(vm.wait_for, "never").kind == "fail"


def test_a_panic_that_does_not_end_is_ended():
    with guests.boot("PANIC_HANG", limit=50.0) as vm:
        vm.panic_grace = 0.5
        assert _error_of(vm.wait_for, "never").kind == "panic"
        assert vm.timed_out and vm.seconds < 40


def test_a_program_that_prints_the_words_of_a_panic_lives_on():
    with guests.boot("ECHO") as vm:
        vm.panic_grace = 1.0
        vm.send("[x] KOZO PANIC\r\nKOZO PANIC\r\nz")
        vm.wait_for("^KOZO PANIC\nz")
        assert not vm.ended(2.5)
        vm.send("q")
        vm.expect_exit(0)
    with guests.boot("ECHO") as vm:
        vm.panic_grace = 1.0
        vm.send("[x] KOZO PANIC\r\n")
        vm.wait_for("KOZO PANIC\n")
        assert not vm.ended(2.5)
        vm.send("q")
        vm.expect_exit(0)


def test_monitor():
    with guests.boot("ECHO") as vm, tempfile.TemporaryDirectory() as folder:
        vm.wait_for("tiny guest")
        assert vm.qmp("query-status")["status"] == "running"
        core = Path(folder) / "core"
        vm.dump_memory(core)
        assert core.read_bytes()[:4] == b"\x7fELF"
        assert _error_of(vm.qmp, "no-such-command").kind == "qemu"


def test_logs_are_kept():
    with guests.boot("FAIL") as vm, tempfile.TemporaryDirectory() as folder:
        vm.wait()
        vm.keep(Path(folder) / "logs")
        assert "tiny guest" in (Path(folder) / "logs" / "console.log").read_text()
        assert "not ok 2 - two" in (Path(folder) / "logs" / "tap.log").read_text()
        assert "qemu-system-x86_64" in (Path(folder) / "logs" / "command").read_text()
