# SPDX-License-Identifier: MIT
"""The memory filesystem in the whole system, and a new life of fsd under those who use it."""

import re

PROMPT = r"kozo> "
ALLOW = r"\[\?\] allow\? "


def type_line(vm, line):
    vm.wait_for(PROMPT)
    vm.send(f"{line}\r")


def test_a_new_life_of_fsd_begins_empty_and_serves(boot):
    with boot.start() as vm:
        vm.wait_for("^KOZO READY$")
        type_line(vm, "mkdir /ram/d; write /ram/d/a first; mv /ram/d /ram/e; cat /ram/e/a")
        vm.wait_for("^first$")
        type_line(vm, "mv /ram/e /ram/e/f; cat /ram/../etc/motd; write /etc/motd x; rm /ram/e")
        vm.wait_for("^error: .*a directory cannot move into itself$")
        vm.wait_for("^error: .*malformed name$")
        vm.wait_for("^error: .*read-only$")
        vm.wait_for("^error: .*directory is not empty$")
        type_line(vm, "restart fsd")
        vm.wait_for(ALLOW)
        vm.send("yes\r")
        vm.wait_for(r"^\[init\] service fsd: .*restarted")
        type_line(vm, "cat /ram/e/a; ls /ram; cat /etc/motd; write /ram/b again; cat /ram/b")
        vm.wait_for("^error: .*no such name$")
        vm.wait_for(r"^Welcome to KOZO\.$")
        vm.wait_for("^again$")
        type_line(vm, "poweroff 0")
        vm.expect_exit(0)
        assert not re.search("KOZO FAULT|KOZO PANIC", vm.text), "fsd ended otherwise than asked"
