# SPDX-License-Identifier: MIT
"""The console and the shell, as a person at the serial port meets them, and by kozo.run=."""

import re

PROMPT = r"kozo> "


def at_prompt(vm):
    vm.wait_for("^KOZO READY$")
    vm.wait_for(PROMPT)


def listed(boot, commands, status=0):
    """Boot with kozo.run=; what is printed after READY."""
    with boot.start(append=f'kozo.run="{commands}"') as vm:
        vm.wait_for("^KOZO READY$")
        vm.expect_exit(status)
        return vm.text.split("KOZO READY\n", 1)[1]


# ---- the console ----------------------------------------------------------------------------

def test_a_prompt_comes_after_ready(boot):
    with boot.start() as vm:
        at_prompt(vm)
        assert re.search(r"^KOZO READY$", vm.text, re.MULTILINE), "not alone on its line"
        assert vm.text.count("KOZO READY") == 1


def test_a_line_is_edited(boot):
    with boot.start() as vm:
        at_prompt(vm)
        vm.send("ecko x\x7f\x7f\x7f\x7fho two\x01\x1b[C\x1b[C\x05 three\r")
        vm.wait_for(r"^two three$")
        vm.send("junk\x15echo home\x1b[H\x0b" "echo killed junk\x17\r")
        vm.wait_for(r"^killed ?$")


def test_history_brings_lines_back(boot):
    with boot.start() as vm:
        at_prompt(vm)
        vm.send("echo first\r")
        vm.wait_for(r"^first$")
        vm.send("echo second\r")
        vm.wait_for(r"^second$")
        vm.send("\x1b[A\x1b[A\x1b[B\x1b[A\r")
        vm.wait_for(r"^first$")


def test_control_c_gives_up_a_line(boot):
    with boot.start() as vm:
        at_prompt(vm)
        vm.send("poweroff\x03")
        vm.wait_for(r"\^C\n")
        vm.wait_for(PROMPT)
        vm.send("echo still here\r")
        vm.wait_for(r"^still here$")


def test_control_c_stops_a_command(boot):
    boot.write("etc/long", b"0123456789abcdef\n" * 200000)
    with boot.start() as vm:
        at_prompt(vm)
        vm.send("cat /etc/long\r")
        vm.wait_for(r"^0123456789abcdef$")
        vm.send("\x03")
        vm.wait_for(r"\^C\n")
        vm.wait_for(PROMPT)
        vm.send("echo again\r")
        vm.wait_for(r"^again$")


def test_control_d_says_how_to_end(boot):
    with boot.start() as vm:
        at_prompt(vm)
        vm.send("\x04")
        vm.wait_for(r"^`poweroff` ends the machine$")
        vm.wait_for(PROMPT)


def test_keys_typed_before_the_prompt_are_kept(boot):
    with boot.start() as vm:
        vm.wait_for("policy")
        vm.send("echo early\r")
        vm.wait_for(r"^early$")


def test_lines_of_the_log_do_not_tear_what_is_typed(boot):
    boot.write("etc/kozo.conf", boot.read("etc/kozo.conf") + "[service late]\nbinary = bin/rogue\n"
               "sha256 = auto\nmemory = 512K\nargs = / crash-much-later\ncapabilities = log\n")
    with boot.start() as vm:
        at_prompt(vm)
        vm.send("echo whole")
        vm.wait_for("^KOZO FAULT service late: page fault.*$")
        vm.wait_for("^kozo> echo whole$")
        vm.send(" line\r")
        vm.wait_for("^whole line$")


def test_a_console_that_ends_gives_the_terminal_back(boot):
    conf = boot.read("etc/kozo.conf")
    boot.write("etc/kozo.conf", conf.replace("binary       = bin/console", "binary = bin/rogue\nargs = / crash-late"))
    with boot.start(append='kozo.run="poweroff"') as vm:
        vm.wait_for("^KOZO FAULT service console: page fault")
        vm.wait_for("^KOZO FAILED: services, expected none that fails, got console: page fault")
        vm.expect_exit("failed")


def test_lines_of_the_kernel_come_above_the_prompt(boot):
    with boot.start() as vm:
        at_prompt(vm)
        vm.send("echo half")
        vm.wait_for("echo half")
        vm.qmp("inject-nmi")
        vm.wait_for(r"^nmi: \d+ so far, ignored$")
        vm.wait_for(r"^kozo> echo half$")


def test_without_a_console_all_is_as_before(boot):
    parts = re.split(r"(?m)^(?=\[)", boot.read("etc/kozo.conf"))
    boot.write("etc/kozo.conf", "".join(p for p in parts if not re.match(r"\[service (console|shell)\]", p)))
    with boot.start(append='kozo.run="dance; poweroff"') as vm:
        vm.wait_for("^KOZO READY$")
        vm.wait_for(r"^\[init\] error: dance: no such command")
        vm.expect_exit(1)


# ---- commands -------------------------------------------------------------------------------

def test_a_person_reads_a_file_and_powers_off(boot):
    with boot.start() as vm:
        at_prompt(vm)
        vm.send("help\r")
        vm.wait_for(r"^cat FILE\.\.\. +print files$")
        vm.send("cat /etc/motd\r")
        vm.wait_for(r"^Welcome to KOZO\.$")
        vm.send("poweroff 7\r")
        vm.expect_exit(7)


def test_a_list_prints_and_ends(boot):
    text = listed(boot, "ls /; cat /etc/motd; poweroff")
    assert re.search(r"^d +\d+ etc/$", text, re.MULTILINE), text
    assert re.search(r"^d +\d+ bin/$", text, re.MULTILINE), text
    for line in boot.read("etc/motd").splitlines():
        assert f"{line}\n" in text, line
    assert "kozo>" not in text


def test_the_end_of_a_list_has_the_status_of_the_last_command(boot):
    text = listed(boot, "cat /etc/motd; cat /no/such", 1)
    assert "[shell] error: /no/such: no such name\n" in text, text


def test_a_status_is_that_of_the_command_before(boot):
    listed(boot, "cat /no/such; poweroff", 1)
    listed(boot, "cat /no/such; echo; poweroff", 0)


def test_wrong_use_is_told(boot):
    text = listed(boot, "cat; poweroff 64; ls a b; help nothing; cat ../x; cat /etc; echo done", 0)
    for error in ("cat: usage: cat FILE...", "64: a status is a number from 0 to 63", "ls: usage: ls [PATH]",
                  "nothing: no such command; `help` lists them", "../x: ", "/etc: not the type of file"):
        assert f"[shell] error: {error}" in text, (error, text)
    assert text.endswith("done\n"), text


def test_help_explains_one(boot):
    text = listed(boot, "help poweroff; help wc")
    assert "\npoweroff [STATUS]\n\nEnd the machine.\n" in text, text
    assert "\nrun wc [FILE...]\n\nCount lines, words and bytes.\n" in text, text


def test_ps_tells_whom_each_waits_for(boot):
    text = listed(boot, "ps")
    assert re.search(r"^fsd +serves +fsd +\d+ +16384 +60 +1$", text, re.MULTILINE), text
    assert re.search(r"^shell +calls +init +\d+ +4096 ", text, re.MULTILINE), text
    assert re.search(r"^hello +ended ", text, re.MULTILINE), text


def test_caps_are_the_kernels(boot):
    text = listed(boot, "caps shell; caps nobody", 1)
    given = re.findall(r"^shell +\d+ (\S+) +Endpoint +-w", text, re.MULTILINE)
    assert given == ["log", "console", "fs", "system", "policy"], text
    assert "error: nobody: no such service" in text


def test_mem_uptime_and_log(boot):
    text = listed(boot, "mem; uptime; log")
    free = int(re.search(r"^ +(\d+) KiB of memory free$", text, re.MULTILINE).group(1))
    assert 128 * 1024 < free < 256 * 1024, free
    assert re.search(r"^up \d+\.\d{3} s$", text, re.MULTILINE), text
    assert re.search(r"^boot: \d+ MiB of RAM ", text, re.MULTILINE), text


def test_reboot_resets(boot):
    with boot.start() as vm:
        at_prompt(vm)
        vm.send("reboot\r")
        assert vm.wait() == 0, "with -no-reboot QEMU ends at a reset"


def test_contents_cannot_drive_the_terminal(boot):
    boot.write("etc/odd", b"a\x1b[2Jb\x00c\x07\n")
    assert "a?[2Jb?c?\n" in listed(boot, "cat /etc/odd")
