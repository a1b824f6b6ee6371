# SPDX-License-Identifier: MIT
"""What a person types, or pastes: all of a command runs, or nothing of it; and Ctrl-C gets
through."""

import re

from kozo.harness.person import PROMPT, Person

ALLOW = r"\[\?\] allow\? y or n, then Enter \(\d+ s\): "
DROPPED = r"\[console\] lines dropped of what was typed ahead: (\d+)"


def files(person):
    """Sizes and names of what is in /ram; `write` ends a line."""
    return [tuple(line.split()[1:]) for line in person.line("ls /ram").splitlines()]


def test_what_is_pasted_ahead_and_finds_no_room_is_dropped_in_lines(boot):
    lines = 60
    with boot.start() as vm:
        person = Person(vm)
        vm.send("sleep 8\r" + "".join(f"write /ram/file{n:03d} x\r" for n in range(lines)))
        dropped = int(vm.wait_for(rf"(?:^|kozo> +){DROPPED}$").group(1))
        # What comes late finds room, or is counted with others.
        while len(made := files(person)) + dropped < lines:
            dropped = sum(map(int, re.findall(DROPPED, vm.text)))
        assert 0 < dropped < lines and len(made) + dropped == lines, (made, dropped)
        assert made == sorted({("2", f"file{n:03d}") for n in range(lines)} & set(made)), made
        told = len(re.findall(DROPPED, vm.text))
        vm.send("sleep 100\r" + lines * "write /ram/file999 x\r")
        vm.send("\x03echo after it\r")       # gives up what runs, and what was typed ahead of it
        vm.wait_for(r"^after it$")
        vm.wait_for(PROMPT)
        assert "file999" not in person.line("ls /ram")
        assert len(re.findall(DROPPED, vm.text)) == told


def test_no_command_runs_of_which_a_part_is_missing(boot):
    refused = r"^\[console\] refused: over 255 characters, or not ASCII: {}\. Change it, or Ctrl-C$"
    with boot.start() as vm:
        person = Person(vm)
        vm.send("write /ram/long " + 300 * "a" + "\r")
        vm.wait_for(refused.format(300 + len("write /ram/long ") - 255))
        vm.send("\r")
        vm.wait_for(refused.format(61))      # it is still there
        vm.send("\x7f\x7f\r")
        vm.wait_for(PROMPT)
        assert files(person) == [(str(255 - 2 - len("write /ram/long ") + 1), "long")]
        person.line("write /ram/a x")
        vm.send("rm /ram/a\u00e4\r")
        vm.wait_for(refused.format(1))
        vm.send("\x03")
        vm.wait_for(r"\^C\n")
        vm.wait_for(PROMPT)
        assert ("2", "a") in files(person)
        vm.send("rm /ram/a\x1b\recho and then\r")
        vm.wait_for(r"^and then$")
        vm.wait_for(PROMPT)
        assert ("2", "a") not in files(person)


def test_control_c_at_a_question_ends_what_runs(boot):
    asks = "run --with policy petitioner " + " ".join(4 * ["ask fs:/etc/motd 1"])
    with boot.start() as vm:
        person = Person(vm)
        vm.send("restart hello; echo REST-RAN\r")
        vm.wait_for(ALLOW)
        vm.send("\x03")
        vm.wait_for(r"\^C\n")
        vm.wait_for(PROMPT)
        assert person.line("echo next") == "next\n"
        assert "result=denied" in vm.text and not re.search("^REST-RAN$", vm.text, re.MULTILINE)
        vm.send(asks + "; echo REST-RAN\r")
        vm.wait_for(ALLOW)
        vm.send("\x03")                      # one is enough for who asks again and again
        vm.wait_for(r"\^C\n")
        vm.wait_for(PROMPT)
        assert person.line("jobs") == ""
        vm.send(asks + "; echo REST-RAN\r")
        vm.wait_for(r"^\[\?\] petitioner \(a program run by shell\) asks policy for")
        vm.send("\x03")                      # before keys count it is no answer
        vm.wait_for(r"\^C\n")
        vm.wait_for(PROMPT)
        assert person.line("jobs") == ""
        assert not re.search(r"shell\S* +granted", audit := person.line("policy audit")), audit
        assert not re.search("^REST-RAN$", vm.text, re.MULTILINE)


def test_what_is_pasted_at_a_question_does_not_answer_it(boot):
    with boot.start() as vm:
        person = Person(vm)
        vm.send("restart hello\r")
        vm.wait_for(ALLOW)
        vm.send("ls /etc\ry\ryes\r")
        vm.wait_for(ALLOW + "ls/etc")
        vm.wait_for(ALLOW)
        vm.send("n\recho behind it\r")
        vm.wait_for(r"^error: hello: denied: ")
        vm.wait_for(r"^(kozo> )?behind it$")
        vm.wait_for(PROMPT)
        assert "result=granted" not in vm.text.split("[?] shell asks", 1)[1]
        assert person.line("echo well") == "well\n"


def test_a_line_of_which_a_question_took_a_part_is_not_entered(boot):
    """Keys that come before they count for a question,
    in the midst of a line and of an empty one."""
    refused = r"^\[console\] refused: typed at a question, or not taken: {}\. Change it, or Ctrl-C$"
    boot.set("init", "consent_seconds", 6)
    boot.edit("etc/kozo.conf", "system policy policy-admin",
              "system policy policy-admin kernel-log")
    asks = "run --with policy,log,kernel-log petitioner nmi ask fs:/etc/motd 1 &"
    question = r"^\[\?\] .*asks policy for"

    def in_the_background():
        vm.send(asks + "\r")
        vm.wait_for_all(re.escape(asks) + rf"\n(?s:.*?)^{PROMPT}", "waits for an NMI$")

    def let_it_ask():
        told = "so far, ignored"     # of the first, and whenever there are twice as many
        before = vm.text.count(told)
        while vm.text.count(told) == before:
            vm.qmp("inject-nmi")

    with boot.start() as vm:
        person = Person(vm)
        in_the_background()
        vm.send("write /ram/x keep")
        vm.wait_for("write /ram/x keep")
        let_it_ask()
        vm.wait_for(question)
        vm.send(" MIDDLE")
        vm.wait_for(ALLOW)
        vm.send("n\r")
        vm.wait_for(r"write /ram/x keep")
        vm.send(" tail\r")
        vm.wait_for(refused.format(len(" MIDDLE")))
        vm.send("\x03")
        vm.wait_for(r"\^C\n")
        vm.wait_for(PROMPT)
        person.line("kill 1")
        in_the_background()
        let_it_ask()
        vm.wait_for(question)                # at an empty line: an answer that comes too early ...
        vm.send("n")
        vm.wait_for(ALLOW)
        vm.send("n\r")
        vm.wait_for(PROMPT)
        assert person.line("echo well") == "well\n"  # ... is no part of the next one
        person.line("kill 1")
        in_the_background()
        let_it_ask()
        vm.wait_for(question)
        vm.send("write /ram/y")
        vm.wait_for(r"^\[\?\] no answer in time: denied$")
        vm.send("echo ran\r")                # behind what the question took
        vm.wait_for(refused.format(len("write /ram/y")))
        vm.send("\x03")
        vm.wait_for(PROMPT)
        assert files(person) == []
        assert not re.search("^ran$", vm.text, re.MULTILINE)
