# SPDX-License-Identifier: MIT
"""What a person types who does not know the system yet, and that each answer says what to do."""

import json
import re

from kozo.harness.person import PROMPT, Person

# What is typed, and all that is printed.
ANSWERS = {
    "ls -l": "error: -l: no such option; usage: ls [PATH]",
    "ps -ef": "error: -ef: no such option; usage: ps [--json]",
    "cat --number /etc/motd": "error: --number: no such option; usage: cat FILE...",
    "top -1": "error: -1: no such option; usage: top [TIMES]",
    "caps --tree --json": "error: caps: usage: caps [SERVICE|PROGRAM] [--tree|--json]",
    "write --add /ram/x y": "error: --add: no such option; usage: write [--append] FILE [WORD...]",
    "run --wiht policy asker":
        "error: --wiht: no such option; usage: run [--with NAME,...] PROGRAM [ARG...]",
    "run": "error: run: usage: run [--with NAME,...] PROGRAM [ARG...]",
    "run ls": "error: ls: a command of the shell: without `run`",
    "ls < /etc/motd": "error: ls: a command of the shell reads no input: `<` is for programs",
    "cat /etc/motd | ls": "error: ls: a command of the shell reads no pipe: it can only begin one",
    "ps &": "error: ps: a command of the shell is waited for: `&` is for programs",
    "echo a > /ram/p >> /ram/q": "error: echo a > /ram/p >> /ram/q: more than one >",
    "cat /etc/motd | nosuch": "error: nosuch: no such program; `ls /bin` lists them",
    "cat < /nosuch": "error: /nosuch: no such name",
    "cat < /etc": "error: /etc: is a directory",
    "cat /etc": "error: /etc: is a directory",
    "cp /etc /ram": "error: /etc: is a directory",
    "write /ram x": "error: /ram: is a directory",
    "write /ram/d": "error: /ram/d: is a directory",
    "echo x > /ram/d": "error: /ram/d: is a directory",
    "write --append": "error: write: usage: write [--append] FILE [WORD...]",
    "cp /ram/a /ram/a": "error: /ram/a: is the same file",
    "cp /ram/a /ram": "error: /ram: is the same file",
    "rm /": "error: /: cannot be removed",
    "rm /ram": "error: /ram: read-only",
    "rm /ram/d": "error: /ram/d: directory is not empty",
    "mkdir /ram/d": "error: /ram/d: name exists already",
    "mv /ram/d /ram/d/e": "error: /ram/d: a directory cannot move into itself",
    "mv /ram/a /etc": "error: /ram/a: cannot move from one filesystem to another",
    "kill 0": "error: 0: no such job; `jobs` lists them",
    "kill 4294967297": "error: 4294967297: no such job; `jobs` lists them",
    "kill init": "error: init: all others are its own; `poweroff` ends the machine",
    "kill nosuch": "error: nosuch: no such service; `ps` lists them",
    "restart nosuch": "error: nosuch: no such service; `ps` lists them",
    "kill hello": "error: hello: it has ended already; `restart` begins its next life",
    "policy explain 999999":
        "error: 999999: no such decision, or no more; `policy audit` lists them",
    "policy revoke 999999": "error: 999999: no such lease; `policy list` lists them",
    "policy explain all": "error: policy: usage: policy list|audit|drain|explain N|revoke N",
    "why fsd nosuch": "error: nosuch: it holds no such capability; `caps` with its name lists them",
    "caps hello": "error: hello: it has ended and holds nothing; `restart` begins its next life",
    "caps hello --tree":
        "error: hello: it has ended and holds nothing; `restart` begins its next life",
    "caps hello --json": "[]",
    "why hello log": "error: hello: it has ended and holds nothing; `restart` begins its next life",
    "caps init": "error: init: what it holds is not listed; `caps` lists what it gave to others",
    "why init 1": "error: init: what it holds is not listed; `caps` lists what it gave to others",
    "caps nosuch": "error: nosuch: no such service or program; `ps` lists them",
    "poweroff 300": "error: 300: a status is a number from 0 to 63",
    "run --with": "error: --with: no name after it; usage: run [--with NAME,...] PROGRAM [ARG...]",
    "run --with policy":
        "error: run: no program after --with NAME; usage: run [--with NAME,...] PROGRAM [ARG...]",
    "log --all": "error: --all: no such option; usage: log",
    "echo a & echo b":
        "error: echo a & echo b: something after &; it ends a command, and `;` parts two",
    "echo 'no end": "error: echo 'no end: a ' without its end",
    'echo no" end': 'error: echo no" end: a " without its end',
    "Help": "error: Help: no such command; `help` lists them",
    "cd /ram": "error: cd: no such command: there is no current directory, paths begin at `/`",
    "exit": "error: exit: no such command; `poweroff` ends the machine",
    "man ls": "error: man: no such command; `help NAME` explains one",
    "echo --help -h -x": "--help -h -x",
    "echo 'a  b'  \"c;d\" e'f'": "a  b c;d ef",
    ";": "", ";;": "", "   ": "", "echo": "",
}


def test_the_first_prompt_says_where_to_go(boot):
    with boot.start() as vm:
        vm.wait_for("^KOZO READY$")
        vm.wait_for(r"^`help` lists the commands, Tab completes them, "
                    r"`poweroff` ends the machine\.$")
        person = Person(vm)
        listed = person.line("help")
        names = [row.split()[0] for row in listed.split("\n\n")[0].splitlines() if row[0] != " "]
        assert {"help", "ls", "poweroff", "policy"} <= set(names), listed
        assert max(len(line) for line in listed.splitlines()) <= 79, listed
        programs = re.search(r"^Programs, with or without `run`:\n(.*)$", listed, re.MULTILINE)
        programs = programs.group(1).split(", ")
        for name in sorted(set(names) | set(programs)):
            page = person.line(f"help {name}")
            assert f"{name}" in page.splitlines()[0] and page.count("\n") > 2, page
            if name != "echo":
                assert person.line(f"{name} --help") == page, name


def test_what_is_wrong_is_said_in_one_line(boot):
    with boot.start() as vm:
        person = Person(vm)
        assert person.line("mkdir /ram/d; write /ram/d/f x; write /ram/a -x --y") == ""
        assert person.line("cat /ram/a") == "-x --y\n"
        for line, answer in ANSWERS.items():
            wanted = f"{answer}\n" if answer or line.strip() == "echo" else ""
            assert person.line(line) == wanted, line


def test_keys_in_odd_places_do_no_harm(boot):
    with boot.start() as vm:
        person = Person(vm)
        # no `run` needed
        assert person.line("wc /etc/motd").split() == ["2", "9", "51", "/etc/motd"]
        vm.send("\t\x15")
        vm.wait_for(r"^sleep $")
        vm.wait_for(PROMPT)
        refused = r"^\[console\] refused: over 255 characters, or not ASCII: \d+\. " \
                  "Change it, or Ctrl-C$"
        vm.send("echo \u00e4zz\r")
        vm.wait_for(refused)
        vm.send("\x15echo zz\t\t c\x01\t\x05\r")
        vm.wait_for(r"^zz c$")
        vm.send("echo '\t' \"\t\x15echo \x1b[A\x1b[B\x1b[99~\x1bOZ ok\r")
        vm.wait_for(r"^ok$")
        vm.send("echo " + "x" * 400 + "\r")
        vm.wait_for(refused)
        vm.send("\x03")
        vm.wait_for(r"\^C$")
        vm.send("\x1b[A\x1b[A\x1b[A\x03")
        vm.wait_for(r"\^C$")
        vm.send("echo a\x04\x04b\x02\x04\x04\r")
        vm.wait_for(r"^a$")
        vm.send("policy ex\t9999\r")
        vm.wait_for(r"^error: 9999: no such decision, or no more; ")
        vm.send("policy \t\x15")
        vm.wait_for(r"^list \naudit \ndrain \nexplain \nrevoke \n")
        vm.send("run --with policy,sys\techo\r")
        vm.wait_for(r"^kozo> run --with policy,system echo\n")
        vm.send("cat /etc/nosu\t\t\r")
        vm.wait_for(r"^error: /etc/nosu: no such name$")
        vm.send("echo " + "w " * 20 + "\r")
        vm.wait_for(r"^error: echo w.*: more than 16 words$")


def test_json_is_json_whatever_runs(boot):
    with boot.start() as vm:
        person = Person(vm)
        for _ in range(8):
            person.line("spin &")
        for line in ("ps --json", "caps --json", "caps shell --json", "caps hello --json",
                     "mem --json"):
            json.loads(person.line(line))
        assert len(person.line("jobs").splitlines()) == 8
        assert "shell" in person.line("caps shell --tree")
