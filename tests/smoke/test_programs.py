# SPDX-License-Identifier: MIT
"""Programs that the shell starts: what they are given, how they end, and that nothing is left."""

import hashlib
import json
import re

from kozo import decode
from kozo.harness.person import PROMPT, Person

FAULTS = {
    "page": "page fault, read of 0x8 (a null pointer), at ip 0x4",
    "write": "(in the read-only data of crash, which is not writable)",
    "jump": "(in the data of crash, which is not executable)",
    "overrun": " bytes below the stack of crash: stack overflow)",
    "divide": "division error", "debug": "debug trap", "breakpoint": "breakpoint",
    "overflow": "overflow trap", "opcode": "invalid opcode",
    "no-fpu": "floating point in a thread without it", "protection": "general protection fault",
    "syscall": "system call for a handler, number 100",
}
# The function that faults, where it is not the kind's name; none: what is no function.
FUNCTIONS = {"page": "read_null", "write": "write_constant", "jump": None, "overrun": "deeper",
             "no-fpu": "no_fpu", "syscall": "unknown_call"}


def reports(text):
    """[(headline, registers, [function or None of each frame], job)] of the complete fault reports
    of programs."""
    whole = re.compile(r"KOZO FAULT program ([^\n]*)\n"
                       r"((?:(?:\[shell\])? +(?:[a-z0-9]+ +[0-9a-f]{16} ?){4}\n){4})"
                       r"((?:(?:\[shell\])?  +#\d+ 0x[0-9a-f]{16} [^\n]*\n)+)"
                       r"(?:\[shell\])?  +first thread, serial \d+, job (\d+)\n"
                       r"(?:\[shell\])?  +ended with status 62\n")
    found = []
    for m in whole.finditer(text):
        registers = dict(re.findall(r"([a-z0-9]+) +([0-9a-f]{16})", m[2]))
        frames = re.findall(r"#(\d+) 0x[0-9a-f]{16} (?:\?|(\w+)\+0x[0-9a-f]+)$", m[3], re.MULTILINE)
        assert [int(n) for n, _ in frames] == list(range(len(frames))), text
        found.append((m[1], registers, [name or None for _, name in frames], int(m[4])))
    return found


def listed(boot, commands, status=0):
    with boot.start(append=f'kozo.run="{commands}"') as vm:
        vm.wait_for("^KOZO READY$")
        vm.expect_exit(status)
        return vm.text.split("KOZO READY\n", 1)[1]


def test_each_program_does_its_work(boot):
    data = b"one two\nthree\n\x00\x1b[2J\xff end"
    boot.write("etc/data", data)
    with boot.start() as vm:
        person = Person(vm)
        assert person.line("run wc /etc/data /etc/motd").splitlines()[0].split() == \
            ["2", "5", str(len(data)), "/etc/data"]
        assert "total" in person.line("run wc /etc/data /etc/motd")
        assert hashlib.sha256(data).hexdigest() + "  /etc/data" in \
            person.line("run sha256sum /etc/data")
        dump = person.line("run hexdump /etc/data")
        assert "00000000  6f 6e 65 20 74 77 6f 0a" in dump, dump
        assert f"{len(data):08x}\n" in dump, dump
        assert person.line("run grep KOZO /etc/motd") == "Welcome to KOZO.\n"
        assert person.line("run grep 'at c' < /etc/motd").startswith("Authority that can")
        text = person.line("run cat /etc/data")
        assert "one two\nthree\n??[2J? end" in text, text
        assert "\x1b" not in text
        assert person.line("run spin 1") == ""


def test_sums_and_lines_at_every_edge(boot):
    """Around a block of the hash, a message and a page; a line as long as may be; as many lines as
    bytes."""
    sizes = (0, 1, 55, 56, 63, 64, 65, 447, 448, 449, 4095, 4096, 4097, 1 << 20)
    sums = {}
    for n in sizes:
        data = bytes((7 * i + n) % 251 for i in range(n))
        boot.write(f"etc/s{n}", data)
        sums[n] = hashlib.sha256(data).hexdigest()
    boot.write("etc/long", b"x" * 16382 + b"y\n" + b"last y")
    boot.write("etc/longer", b"x" * 16384)
    boot.write("etc/lines", b"\n" * (1 << 20) + b"the end")
    with boot.start() as vm:
        person = Person(vm)
        for n in sizes:
            assert person.line(f"sha256sum /etc/s{n}") == f"{sums[n]}  /etc/s{n}\n", n
            assert person.line(f"cat /etc/s{n} | sha256sum") == f"{sums[n]}  -\n", n
        assert person.line("hexdump /etc/s0; wc /etc/s0; grep x /etc/s0") == \
            f"00000000\n{0:7} {0:7} {0:7} /etc/s0\n"
        assert person.line("grep y /etc/long | wc").split() == ["2", "3", "16391"]
        assert person.line("grep y /etc/longer") == \
            "grep: /etc/longer: a line of more than 16383 bytes\n"
        assert person.line("grep end /etc/lines") == "the end\n"


def test_words_that_mean_nothing_are_refused(boot):
    """A right that the object has not is no right, however much its bit is another's."""
    with boot.start() as vm:
        person = Person(vm)
        for words in ("fs:/etc/motd kill", "fs:/etc/motd read,", "fs:/etc/motd ,read",
                      "fs:/etc/motd ''", "process:kill/hello remove",
                      "fs:/etc/motd read why 1 more"):
            assert person.line(f"run --with policy asker {words}") == \
                "usage: asker OBJECT [RIGHT,... [REASON [SECONDS]]]\n", words
        for words in ("x", "-1", "1.5", "1 2", "18446744073710"):
            assert person.line(f"spin {words}") == "usage: spin [MILLIONS]\n", words
        assert person.line("spin 0; echo none") == "none\n"
        for words in ("", "exit", "exit -1", "exit 2147483648", "page page", "PAGE"):
            assert person.line(f"crash {words}".strip()).startswith("usage: crash KIND"), words
        vm.send("crash PAGE; poweroff\r")
        vm.expect_exit(2)


def test_what_is_told_of_long_names_is_told_in_full(boot):
    name, path = "n" * 500, "fs:/" + "a" * 251
    text = listed(boot, f"run wc {name}; run --with policy asker {path}", 1)
    assert f"\nwc: {name}: no file was given for it: name one in full, as /etc/motd\n" in \
        "\n" + text, text
    denied = re.search(f"^denied: {path}: .*nobody is at the terminal; start .*\n", text,
                       re.MULTILINE)
    assert denied, text


def test_a_program_gets_what_is_named_and_no_more(boot):
    text = listed(boot, "run cat etc/motd; run wc; run cat /etc/none; run asker fs:/etc/motd; "
                        "run --with nothing cat /etc/motd; run none", 61)
    assert text.count("no file was given for it: name one in full, as /etc/motd") == 1, text
    assert "usage: wc [FILE...]" in text, text
    assert "error: /etc/none: no such name" in text, text
    assert "asker: fs:/etc/motd: no capability to ask with; start it with --with policy" in text, \
        text
    assert "error: nothing: the shell has no such capability" in text, text
    assert "error: none: no such program; `ls /bin` lists them" in text, text
    assert "Welcome" not in text, text


def test_only_what_is_meant_as_a_file_is_given(boot):
    """By the program's page; of one without a page what is named in full without quotes."""
    boot.write("etc/a b", b"/nosuch\n")
    boot.write("etc/paths", b"/nosuch/x\n/etc\n")
    with boot.start() as vm:
        person = Person(vm)
        assert person.line("grep /nosuch /etc/paths '/etc/a b'") == \
            "/etc/paths:/nosuch/x\n/etc/a b:/nosuch\n"
        assert person.line("/bin/grep / < /etc/paths") == "/nosuch/x\n/etc\n"
        assert person.line("run cat '/etc/a b'") == "/nosuch\n"
        assert person.line("sleep /nosuch") == "usage: sleep SECONDS\n"
        for line in ("wc /etc/motd /etc", "wc < /etc", "trickle /etc"):
            assert person.line(line) == "error: /etc: is a directory\n", line
        assert person.line("trickle /nosuch | wc") == "error: /nosuch: no such name\n"
        text = person.line("trickle '/nosuch' | crash exit 0")
        assert text.startswith("trickle: the other side is gone"), text


def test_every_fault_is_told_in_words(boot):
    """As a service's is: place, registers, who called whom by name, and what the shell did."""
    with boot.start() as vm:
        person = Person(vm)
        for kind, words in FAULTS.items():
            text = person.line(f"run crash {kind}")
            (headline, registers, frames, job), = reports(text)
            assert headline.startswith("crash: ") and words in headline and job == 1, (kind, text)
            assert len(registers) == 16 and text.endswith("  ended with status 62\n"), (kind, text)
            assert frames[0] == FUNCTIONS.get(kind, kind), (kind, text)
            if kind == "overrun":
                assert frames == ["deeper"] * 16, text
            elif kind == "jump":
                assert frames[1:3] == ["jump_to_data", "main"], text
            else:
                assert frames[1] == "main", (kind, text)
            if kind == "syscall":
                assert int(registers["rax"], 16) == 100, text
        assert "usage: crash KIND" in person.line("run crash slowly")
        vm.send("run crash page; poweroff\r")
        vm.expect_exit(62)
    found, = reports(listed(boot, "run crash divide; poweroff", 62))
    assert found[0].startswith("crash: division error, at ip 0x4"), found
    assert found[2][:2] == ["divide", "main"], found


def test_statuses_are_those_of_the_programs(boot):
    listed(boot, "run crash exit 7", 7)
    listed(boot, "run crash exit 300; poweroff", 60)
    listed(boot, "run grep nothing /etc/motd; poweroff", 1)
    listed(boot, "run crash exit 7 | run cat > /ram/x; poweroff", 0)


def test_pipes_end_and_break(boot):
    big = b"0123456789abcde\n" * 20000
    boot.write("etc/big", big)
    with boot.start() as vm:
        person = Person(vm)
        assert person.line("cat /etc/motd | wc").split() == ["2", "9", "51"]
        assert person.line("run cat /etc/big | cat | sha256sum").split()[0] == \
            hashlib.sha256(big).hexdigest()
        assert person.line("cat < /etc/big | wc").split() == ["20000", "20000", str(len(big))]
        # The reader ends first: the writer's output fails, and nothing hangs.
        assert "cat: output: the other side is gone" in person.line("cat /etc/big | crash exit 0")
        # Also when the pipe is far from full: the next write says so, at whatever end of the
        # reader.
        for reader in ("crash exit 0", "crash page", "wc --no-such", "none"):
            text = person.line(f"trickle | {reader}")
            if reader == "none":
                assert "error: none: no such program" in text and "trickle:" not in text, text
                continue
            gone = re.search(r"^trickle: the other side is gone at line (\d+)$", text, re.MULTILINE)
            assert gone and int(gone.group(1)) < 200, (reader, text)
        # The writer exits: the reader reads the end. It dies: the reader is told so.
        assert person.line("crash exit 3 | wc").split() == ["0", "0", "0"]
        text = person.line("crash page | wc")
        assert "wc: input: who wrote it died, or failed before its end\n" in text, text
        (headline, _, frames, _), = reports(text)
        assert headline.startswith("crash: page fault, "), text
        assert frames[:2] == ["read_null", "main"], text
        assert not re.search(r"^ +0 +0 +0", text, re.MULTILINE), text
        text = person.line("crash opcode | crash divide")
        assert sorted(r[2][0] for r in reports(text)) == ["divide", "opcode"], text
        vm.send("trickle | sha256sum &\r")
        number = vm.wait_for(r"^\[(\d+)\] trickle \| sha256sum\n").group(1)
        vm.wait_for(PROMPT)
        person.line(f"kill {number}")
        assert person.line("jobs") == ""
        assert "error: | wc: nothing before |" in person.line("| wc")
        assert "more than 3 stages" in person.line("cat | cat | cat | cat")


def test_half_a_stream_passes_for_no_whole_one(boot):
    """A writer says one whole line and half of a second, and faults: no count, hash, length or last
    line of it."""
    with boot.start() as vm:
        person = Person(vm)
        dump = ("00000000  61 20 77 68 6f 6c 65 20  6c 69 6e 65 0a 68 61 6c  |a whole line.hal|\n"
                f"00000010 {' 66 20 61':49}  |f a|\n")
        for reader, told in (("wc", ""), ("sha256sum", ""), ("grep 'a'", "a whole line\n"),
                             ("hexdump", dump), ("cat", "a whole line\nhalf a\n"),
                             ("cat | wc", ""), ("cat | sha256sum", "")):
            text = person.line(f"halfway | {reader} > /ram/h")
            failed = text.count(": input: who wrote it died, or failed before its end\n")
            assert failed == reader.count("|") + 1 and len(reports(text)) == 1, (reader, text)
            assert person.line("cat /ram/h") == told, reader
        text = person.line("wc /etc/motd etc/motd")
        assert "      2       9      51 /etc/motd\n" in text, text
        assert "wc: etc/motd: no file was given for it" in text, text
        assert "total" not in text and text.count(" etc/motd\n") == 0, text
        vm.send("halfway | wc; poweroff\r")
        vm.expect_exit(1)


def test_a_second_reader_of_the_console_does_not_end_the_shell(boot):
    with boot.start() as vm:
        person = Person(vm)
        vm.send("run --with console grabber &\r")
        vm.wait_for(r"^grabber: 3 times\n")
        vm.wait_for(PROMPT)
        assert "still here\n" in person.line("echo still here")
        if "] grabber ended with status 0\n" not in vm.text:
            vm.wait_for(r"\] grabber ended with status 0\n")
        services = {s["service"]: s for s in json.loads(person.line("ps --json"))}
        assert services["shell"]["restarts"] == 0


def test_files_are_changed(boot):
    """The shell's own commands, and a program's output to a file."""
    with boot.start() as vm:
        person = Person(vm)
        for line in ("mkdir /ram/d", "write /ram/d/a one two",
                     "write --append /ram/d/a 'three; four'",
                     "cp /ram/d/a /ram/b", "cp /etc/motd /ram/d", "mv /ram/b /ram/c",
                     "cat /ram/d/a | wc > /ram/count", "write /ram/empty"):
            assert person.line(line) == "", line
        assert person.line("cat /ram/d/a /ram/c") == "one two\nthree; four\n" * 2
        assert person.line("run wc < /ram/empty").split() == ["0", "0", "0"]
        assert person.line("cat /ram/count").split() == ["2", "4", "20"]
        assert person.line("run grep KOZO /ram/d/motd") == "Welcome to KOZO.\n"
        assert "/ram/b: no such name" in person.line("cat /ram/b")
        assert "error: /ram/d: directory is not empty" in person.line("rm /ram/d")
        assert person.line("rm /ram/d/a /ram/d/motd /ram/d /ram/c /ram/empty /ram/count") == ""
        assert person.line("ls /ram") == ""
        assert "read-only" in person.line("write /etc/motd gone")
        assert "error: /etc/x: read-only" in person.line("cat /etc/motd | wc > /etc/x")
        assert "/ram/../etc/motd: malformed name" in person.line("cat /ram/../etc/motd")


def test_control_c_ends_programs(boot):
    with boot.start() as vm:
        person = Person(vm)
        vm.send("run spin; echo not reached\r")
        vm.wait_for("not reached")
        vm.send("\x03")
        vm.wait_for(r"\^C\n")
        vm.wait_for(PROMPT)
        assert person.line("echo reached") == "reached\n"
        vm.send("spin | wc\r")
        vm.wait_for("spin")
        vm.send("\x03")
        vm.wait_for(r"\^C\n")
        vm.wait_for(PROMPT)
        assert "\nnot reached" not in vm.text
        assert person.line("jobs") == ""


def test_programs_in_the_background(boot):
    with boot.start() as vm:
        person = Person(vm)
        number = re.match(r"\[(\d+)\] spin\n", person.line("run spin &")).group(1)
        assert person.line("jobs") == f"[{number}] spin\n"
        assert person.line("run wc /etc/motd").split()[0] == "2"
        assert person.line(f"kill {number}") == f"[{number}] spin ended with status 63\n"
        assert person.line("jobs") == ""
        assert person.line("cat /etc/motd | sleep 100 | wc &") == "[1] cat | sleep | wc\n"
        assert person.line("kill 1; jobs") == "[1] cat | sleep | wc ended with status 63\n"
        assert "no such job" in person.line(f"kill {number}")
        # its end is told by itself, above the line that is being typed
        vm.send("run crash exit 5 &\r")
        vm.wait_for(r"^\[1\] crash\n")
        vm.wait_for(r"^\[1\] crash ended with status 5\n")
        vm.wait_for(PROMPT)
        vm.send("run /bin/crash write &\r")
        begin = vm.wait_for(r"^\[1\] /bin/crash\n")
        end = vm.wait_for(r"^\[1\] /bin/crash ended with status 62\n")
        # without the prompt, taken away for each line
        text = end.string[begin.end():end.end()].replace("kozo> \n      \n", "")
        (headline, _, frames, job), = reports(text)
        assert headline.startswith("/bin/crash: page fault, write to 0x4"), text
        assert job == int(number), text
        assert frames[:2] == ["write_constant", "main"], text
        assert re.search(r" main\+0x\w+ at services/programs/crash\.c:\d+$",
                         decode.text(text, boot.tree), re.MULTILINE)
        for _ in range(8):
            assert re.match(r"\[\d+\] spin\n$", person.line("spin &"))
        assert person.line("run wc /etc/motd") == \
            "error: run: no room: 8 programs at a time; `jobs` lists them\n"
        assert len(person.line("jobs").splitlines()) == 8


def test_what_has_ended_is_gone_without_a_key(boot):
    """At the idle prompt, and within a list: pipe, place, lease and the right to ask are free
    again."""
    with boot.start() as vm:
        person = Person(vm)
        vm.send("crash write | cat > /ram/o &\r")
        vm.wait_for(r"^\[1\] crash \| cat\n")
        vm.wait_for(r"^KOZO FAULT program crash: ")
        vm.wait_for(r"^cat: input: who wrote it died, or failed before its end\n")
        vm.wait_for(r"^\[1\] crash \| cat ended with status 1\n")
        vm.wait_for(PROMPT)
        # typed on, the line above does not tear it
        vm.send("trickle | crash exit 7 &\recho half")
        # of the last, which ended first
        vm.wait_for(r"^\[1\] trickle \| crash ended with status 7\n")
        vm.wait_for(r"^kozo> echo half$")
        vm.send(" way\r")
        vm.wait_for(r"^half way\n")
        vm.wait_for(PROMPT)
        vm.send("sleep 0 & ;" * 8 + " wc /etc/motd\r")
        vm.wait_for(r"^\[8\] sleep\n")
        # Their ends come before the next command's or after it; then all places are free again.
        vm.wait_for_all(r"^ +2 +9 +51 /etc/motd\n",
                        *(rf"^\[{n}\] sleep ended with status 0\n" for n in range(1, 9)))
        vm.wait_for(PROMPT)
        for turn in range(2):
            vm.send("run --with policy asker fs:/etc/motd &\r")
            vm.wait_for(r"allow\? y or n")
            vm.send("y\r")
            vm.wait_for("result=granted")
            vm.wait_for("result=released")
            vm.wait_for(r"^\[1\] asker ended with status 0\n")
        assert "fs:/etc/motd" not in person.line("policy list")
        vm.send("sleep 0.2 &\rcrash exit 4 &\rpoweroff 3\r")
        vm.expect_exit(3)


def test_programs_have_a_clock(boot):
    """As long as it sleeps time passes; and it sleeps no longer than it takes to be ended."""
    text = listed(boot, "uptime; run sleep 0.7; uptime; run sleep; run sleep 1.2345; run sleep x; "
                        "run sleep 0", 0)
    first, second = re.findall(r"^up (\d+\.\d+) s$", text, re.MULTILINE)
    assert float(second) - float(first) >= 0.7, text
    assert text.count("usage: sleep SECONDS") == 3, text


def test_a_hundred_runs_leave_nothing(boot):
    lines = ["run wc /etc/motd; cat /etc/motd | wc; run crash page",
             "run crash exit 3; run cat /no; spin 1 | crash opcode"]
    with boot.start() as vm:
        person = Person(vm)
        for line in lines:
            person.line(line)
        before = json.loads(person.line("mem --json"))
        for _ in range(18):
            for line in lines:
                person.line(line)
        after = json.loads(person.line("mem --json"))
    for name in ("memory_free", "capabilities", "threads_free"):
        assert before[name] == after[name], (name, before, after)


def test_powers_are_asked_for_and_taken_back(boot):
    """asker, kill, restart and policy, with a person who answers; the shell goes on when others
    begin anew."""
    with boot.start() as vm:
        person = Person(vm)

        def asks(line, answer):
            vm.send(line + "\r")
            vm.wait_for(r"allow\? y or n")
            vm.send(answer + "\r")
            begin = vm.wait_for(r"result=(granted|denied)")
            end = vm.wait_for(PROMPT)
            return end.string[begin.start():end.start()]

        text = asks("run --with policy asker fs:/etc/motd read 'to see'", "y")
        assert "granted: fs:/etc/motd: Endpoint, user rights 0x1" in text, text
        assert "used: read 51 of 51 bytes\n" in text and "Welcome to KOZO.\n" in text, text
        text = asks("run --with policy asker fs:/etc/motd read 'to keep it' 1", "y")
        assert text.count("used: read 51 of 51 bytes\n") == 2 and "\nkept for 1 s\n" in text, text
        for seconds in ("3601", "1x", "''"):
            assert "seconds are a number up to 3600" in \
                person.line(f"run --with policy asker fs:/etc/motd read now {seconds}")
        assert "denied: fs:/etc/motd: " in asks("run --with policy asker fs:/etc/motd", "n")
        assert "granted: process:kill/fsd: Endpoint, user rights 0x10" in \
            asks("run --with policy asker process:kill/fsd kill", "y")
        # nobody is asked
        for name, why in (("process:kill", "over one service at a time"),
                          ("process:kill/nobody", "called nobody"),
                          ("process:kill/init", "called init")):
            assert why in person.line(f"run --with policy asker {name} kill"), name

        assert "error: fsd: denied: " in asks("kill fsd", "n")
        for name in ("fsd", "policy", "console"):
            text = asks(f"restart {name}", "y")
            lost = ": what is in /ram is lost" if name == "fsd" else ""
            assert f'[?]   reason: "restart {name}{lost}"\n' in vm.text
            told = re.search(r"^\[console\] restarted: what was typed and not entered yet is lost$",
                             text, re.MULTILINE)
            assert (told is not None) == (name == "console"), text
            assert f"[init] service {name}: begins life 2" in text and "error:" not in text, text
        for life in range(3, 7):     # more than its restart_limit: what is asked for does not count
            assert f"[init] service policy: begins life {life}" in asks("restart policy", "y")
        assert "Welcome to KOZO.\n" in person.line("cat /etc/motd")
        services = {s["service"]: s for s in json.loads(person.line("ps --json"))}
        restarts = [services[s]["restarts"] for s in ("fsd", "policy", "console", "shell")]
        assert restarts == [1, 5, 1, 0], services

        audit = person.line("policy audit")
        denied = re.search(r"^ +(\d+) shell/program +denied .* read fs:/etc/motd$", audit,
                           re.MULTILINE)
        assert re.search(r"^ +\d+ shell +used .* kill process:kill/fsd$", audit, re.MULTILINE), \
            audit
        text = person.line(f"policy explain {denied.group(1)}")
        assert "asked    asked for by hand\n" in text, text
        assert "the person at the console said no" in text, text
        assert "error: 9999: no such decision" in person.line("policy explain 9999")
        assert "error: 9999: no such lease" in person.line("policy revoke 9999")


def test_a_program_asks_in_a_name_of_its_own(boot):
    """What the person says to it does not count for the person's own commands; and it gets no
    better capability."""
    with boot.start() as vm:
        vm.wait_for(PROMPT)
        for n in range(6):
            vm.send("run --with policy asker fs:/etc/motd\r")
            if n < 5:
                vm.wait_for(r"^\[\?\] asker \(a program run by shell\) "
                            'asks policy for "fs:/etc/motd"$')
                vm.wait_for(r"allow\? y or n")
                vm.send("n\r")
            vm.wait_for(r"who=shell/program .* result=denied")
            vm.wait_for(PROMPT)
        left = re.search(r'too often" hint="ask again in (\d+) s"$', vm.text, re.MULTILINE).group(1)
        assert 1 <= int(left) <= 60
        vm.send("kill fsd\r")
        vm.wait_for(r'^\[\?\] shell asks policy for "process:kill/fsd"$')
        vm.wait_for(r"allow\? y or n")
        vm.send("y\r")
        vm.wait_for(r"who=shell .* result=granted")
        vm.wait_for(PROMPT)
        vm.send("run --with policy,log petitioner replace &\r")
        vm.wait_for(r"replaced: no$")


def test_without_a_person_power_is_denied_at_once(boot):
    text = listed(boot, "kill fsd; run --with policy asker fs:/etc/motd; poweroff", 1)
    assert "[shell] error: fsd: denied: " in text and "denied: fs:/etc/motd: " in text, text
    assert "granted" not in text.split("service hello", 1)[1], text
