# SPDX-License-Identifier: MIT
"""What the shell's own commands print, into files and pipes."""

import hashlib
import json
import re

from kozo.harness.person import PROMPT, Person

NAMES = [f"{n:04d}-a-name-as-long-as-it-takes-to-fill-pipes" for n in range(600)]


def many_files(boot):
    """A directory whose listing is longer than a pipe holds."""
    for name in NAMES:
        boot.write(f"etc/many/{name}", b"")


def listing():
    return "".join(f"- {0:10d} {name}\n" for name in NAMES)


def stop(vm, person):
    vm.send("\x03")
    vm.wait_for(r"\^C\n")
    vm.wait_for(PROMPT)
    assert person.line("jobs") == ""


def test_commands_write_to_files_and_pipes(boot):
    with boot.start() as vm:
        person = Person(vm)
        for line in ("echo hi > /ram/q", "echo a  b >> /ram/q", "run cat /etc/motd >> /ram/q",
                     "echo new >> /ram/n", "ls / >/ram/list", "help > /ram/help",
                     "ls --help > /ram/page", "mem --json > /ram/mem"):
            assert person.line(line) == "", line
        assert person.line("cat /ram/q") == "hi\na b\n" + boot.read("etc/motd")
        assert person.line("cat /ram/n") == "new\n"
        assert person.line("cat /ram/list") == person.line("ls /")
        assert person.line("cat /ram/page") == person.line("help ls")
        assert json.loads(person.line("cat /ram/mem"))["threads_free"] > 0
        text = person.line("help")
        assert person.line("cat /ram/help") == text
        counts = (text.count("\n"), len(text.split()), len(text))
        assert person.line("help | wc").split() == [str(n) for n in counts]
        assert person.line("help | cat | grep 'print files'") == \
            person.line("help | grep 'print files' | cat") != ""
        for word, wanted in (("shell", ["shell", "calls"]), ("grep", ["[1]", "grep"])):
            rows = person.line(f"ps | grep {word}").splitlines()
            assert [r.split()[:2] for r in rows] == [wanted]
        assert person.line("jobs | wc").split() == ["1", "2", "7"]
        assert person.line("echo a > /ram/q; echo b | cat >> /ram/q; cat /ram/q") == "a\nb\n"


def test_errors_and_questions_go_to_the_console(boot):
    with boot.start() as vm:
        person = Person(vm)
        assert person.line("ls /nosuch > /ram/x") == "error: /nosuch: no such name\n"
        failed = "input: who wrote it died, or failed before its end\n"
        assert person.line("ls /nosuch | wc") == f"error: /nosuch: no such name\nwc: {failed}"
        assert person.line("ls / > /etc/x") == "error: /etc/x: read-only\n"
        assert person.line("nosuch > /ram/none") == \
            "error: nosuch: no such program; `ls /bin` lists them\n"
        assert person.line("cat /ram/x") == ""
        assert person.line("cat /ram/none") == "error: /ram/none: no such name\n"
        for line in ("kill fsd > /ram/x", "kill fsd | crash exit 0"):
            vm.send(line + "\r")
            vm.wait_for(r'^\[\?\] shell asks policy for "process:kill/fsd"$')
            vm.wait_for(r"allow\? y or n")
            vm.send("n\r")
            vm.wait_for(r"^error: fsd: denied: ")
            vm.wait_for(PROMPT)
        assert person.line("cat /ram/x") == ""
        assert re.search(r"^\[1\] spin ended with status 0$",
                         person.line("spin 1 & ; top 2 > /ram/top"), re.MULTILINE)
        assert "ended" not in person.line("grep spin /ram/top")


def test_pipes_that_are_full_or_broken(boot):
    many_files(boot)
    long = bytes(n * n % 251 for n in range(3_000_000))
    boot.write("etc/long", long)
    boot.set("service fsd", "args", "share_kib=4096")
    with boot.start() as vm:
        person = Person(vm)
        text = listing()
        counts = [str(len(NAMES)), str(3 * len(NAMES)), str(len(text))]
        for turn in range(3):
            if turn == 0:
                assert person.line("cp /etc/long /ram/a; sha256sum /ram/a; rm /ram/a") == \
                    f"{hashlib.sha256(long).hexdigest()}  /ram/a\n"
            if turn == 1:       # the first one maps its first pages, and cp makes those it lends
                before = json.loads(person.line("mem --json"))
            assert person.line("ls /etc/many | cat | wc").split() == counts
            # The reader ends first, before it has read what was put: the writer is told, and
            # nothing hangs.
            assert person.line("ls /etc/many | crash exit 0") == \
                "error: ls: output: the other side is gone\n"
            told = person.line("ls /etc/many | crash page")
            assert told.startswith("KOZO FAULT program crash: ") and told.endswith(
                "  ended with status 62\nerror: ls: output: the other side is gone\n"), told
            # Nobody reads: Ctrl-C ends both.
            vm.send("ls /etc/many | spin\r")
            vm.wait_for(r"\| spin\n")
            stop(vm, person)
        # Ctrl-C while the command rests: what it printed so far is no end for the reader.
        vm.send("top | grep up\r")
        vm.wait_for(r"^up \d+ s, .*\n")
        stop(vm, person)
        vm.send("top | wc\r")
        begin = vm.wait_for(r"\| wc\n")
        vm.send("\x03")
        end = vm.wait_for(PROMPT)
        assert end.string[begin.end():end.start()] == "^C\n"
        # Who is stopped while it copies says no more than that, and leaves nothing half done.
        vm.send("cp /etc/long /ram/a; cp /etc/long /ram/a\r\x03")
        begin = vm.wait_for(r"; cp /etc/long /ram/a\n")
        end = vm.wait_for(PROMPT)
        assert end.string[begin.end():end.start()] == "^C\n"
        assert person.line("ls /ram") == ""
        after = json.loads(person.line("mem --json"))
        for name in ("memory_free", "capabilities", "threads_free"):
            assert before[name] == after[name], (name, before, after)


def test_what_does_not_fit_is_told(boot):
    """What was written before stays, as after any other error behind >."""
    many_files(boot)
    boot.set("service fsd", "args", "share_kib=16")
    with boot.start() as vm:
        person = Person(vm)
        refused = r"\[fsd\] denied: who=shell .*\nerror: /ram/big: a limit or quota is reached\n"
        text = person.line("ls /etc/many > /ram/big")
        assert re.fullmatch(refused, text), text
        kept = person.line("cat /ram/big").rstrip("\n")
        assert listing().startswith(kept) and len(kept) > 15000
        assert re.fullmatch(refused, person.line("ls /etc/many >> /ram/big"))
        assert person.line("rm /ram/big; echo well > /ram/big; cat /ram/big") == "well\n"


def test_statuses_of_redirected_commands(boot):
    for commands, status in (("ls /nosuch > /ram/x", 1), ("ls /nosuch | crash exit 0", 1),
                             ("ls /nosuch | crash exit 7", 7), ("ls /nosuch; ls / | wc", 0),
                             ("ls / | none", 61), ("ls / > /etc/x", 1)):
        with boot.start(append=f'kozo.run="{commands}; poweroff"') as vm:
            vm.wait_for("^KOZO READY$")
            vm.expect_exit(status)
