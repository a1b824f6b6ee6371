# SPDX-License-Identifier: MIT
"""What a person types, or pastes: all of a command runs, or nothing of it; and Ctrl-C gets through."""

from kozo.harness.person import PROMPT, Person


def files(person):
    """Sizes and names of what is in /ram; `write` ends a line."""
    return [tuple(line.split()[1:]) for line in person.line("ls /ram").splitlines()]


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
