# SPDX-License-Identifier: MIT
"""What a person sees of programs that run: ps, top, caps and why, as of services."""

import json
import re

from kozo.harness import manifest
from kozo.harness.person import Person

CONF = "etc/kozo.conf"


def listed(boot, commands, status=0):
    """Boot with kozo.run=; what is printed after READY."""
    with boot.start(append=f'kozo.run="{commands}"') as vm:
        vm.wait_for("^KOZO READY$")
        vm.expect_exit(status)
        return vm.text.split("KOZO READY\n", 1)[1]


def objects(text):
    """The lists of objects that a text has, decoded."""
    return [json.loads(found)
            for found in re.findall(r"^\[\{.*?\}\]$", text, re.MULTILINE | re.DOTALL)]


def has(text, *rows):
    """It has lines that match each of `rows`."""
    for row in rows:
        assert re.search(f"^{row}$", text, re.MULTILINE), (row, text)


def cpu_of(rows, name):
    return sum(r["cpu_ns"] for r in rows if name in (r.get("service"), r.get("program")))


def test_ps_and_top_tell_of_programs_as_of_services(boot):
    """Looked at until each has had its turn: where a machine stands still,
    the time of one look is whoever's it was."""
    busy = r"(?:100|[5-9]\d)\.\d %"
    spins = rf"^up \d+ s, \d+\.\d % idle\n +{busy} \[1\] spin +ready +\d+ KiB\n"
    with boot.start() as vm:
        person = Person(vm)
        for line in ("spin &", "sleep 100 | wc &", "cat /etc/motd | sleep 100 &"):
            person.line(line)
        top = ""
        while not (re.match(spins, top) and "[2] wc  " in top) or "cat" in top:
            top = person.line("top 1")
        table = person.line("ps")
        rows = json.loads(person.line("ps --json"))
        while cpu_of(rows, "shell") >= cpu_of(rows, "spin"):
            person.line("sleep 1")
            rows = json.loads(person.line("ps --json"))
    has(top, r" +\d+\.\d % init +\S+ +-", r".*\[2\] wc +waits +\d+ KiB")
    assert not re.search(f"{busy} shell", top), "what programs use is theirs"
    has(table, r"\[1\] spin +ready +\d+ +\d+ +256 +100 +- +\d+/32768",
        r"\[2\] sleep +waits +sleep +\d+ +\d+ +256 +100 +- +\S+",
        r"\[2\] wc +waits +pipe of \[2\] sleep +\d+ +\d+ +256 +100 +- +\S+",
        r"\[3\] sleep +waits +sleep +\d+ +\d+ +256 +100 +- +\S+")      # and cat has ended
    programs = {r["program"]: r for r in rows if "program" in r}
    assert [r["job"] for r in rows if "program" in r] == [1, 2, 2, 3]
    spin, wc = programs["spin"], programs["wc"]
    assert wc["threads"][0]["waits_for"] == "[2] sleep" and wc["state"] == "waits", programs
    assert spin["cpu_ns"] > 10**8 and 65536 < spin["memory_used"] < 262144 == spin["memory"]
    shell, = (r for r in rows if r.get("service") == "shell")
    assert len(shell["threads"]) == 2, shell     # its own


def test_programs_that_wait_in_a_circle_are_told(boot):
    """Two by their pipe, each for the other to ring; one by a call to a service that called it."""
    boot.write("etc/big", b"x" * 50000)
    boot.set("service shell", "provides", "door")
    boot.edit(CONF, "capabilities = log console fs system policy",
              "capabilities = log console knot fs system policy")
    boot.add(manifest.service("knot", "bin/knot", provides="knot", args="door",
                              capabilities="log door"))
    with boot.start() as vm:
        person = Person(vm)
        for line in ("cat /etc/big | tangle pipe &", "run --with serve,knot tangle knot &",
                     "sleep 100 &"):
            person.line(line)
        text = ""
        while text.count("deadlock: ") < 4 or "[3] sleep    waits " not in text:
            text = person.line("ps")     # until each of them has come so far
        rows = json.loads(person.line("ps --json"))
    has(text, r"knot +deadlock +reply of \[2\] tangle +.*",
        r"\[1\] cat +deadlock +pipe of \[1\] tangle +.*",
        r"\[1\] tangle +deadlock +pipe of \[1\] cat +.*",
        r"\[2\] tangle +deadlock +endpoint of knot +.*", r"\[3\] sleep +waits +sleep +.*")
    told = re.findall(r"^deadlock: (.*) waits for (.*)$", text, re.MULTILINE)
    assert sorted(told) == [("[1] cat", "[1] tangle"), ("[1] tangle", "[1] cat"),
                            ("[2] tangle", "knot"), ("knot", "[2] tangle")], told
    assert {r.get("service") or (r["job"], r["program"]) for r in rows if r["deadlock"]} == {
        "knot", (1, "cat"), (1, "tangle"), (2, "tangle")}, rows


def test_caps_and_why_tell_of_programs(boot):
    boot.write("etc/big", b"x" * 50000)      # for a pipe that nobody reads: cat cannot end
    text = listed(boot, "run --with policy sleep 100 & ; cat /etc/big | sleep 200 & ; "
                        "echo A; caps 1; echo B; caps sleep; "
                        "echo C; why 1 policy; why 2 arg1.file; "
                        "echo D; caps shell --tree; echo E; caps cat --tree; "
                        "echo F; caps 2 --json; kill 1; why 1 policy; caps 9; why 2 nosuch", 1)
    one, both, why, shell, cat, rest = re.split(r"^[A-F]\n", text, flags=re.MULTILINE)[1:]
    held = r"\[1\] sleep +\d+ stdout\.console +Endpoint +-w--- 02 \S+\n" \
           r"\[1\] sleep +\d+ stderr\.console .*\n" \
           r"\[1\] sleep +(\d+) policy +Endpoint +-wg-- 01 \S+\n"
    found = re.fullmatch(f"SERVICE +SLOT .*\n{held}", one)
    assert found, text
    assert re.fullmatch(f"SERVICE +SLOT .*\n{held}(?:\\[2\\] sleep .*\n){{4}}", both), text
    # From the kernel: what policy lent hangs below policy's port, what the shell made below the
    # shell's own; found from both ends.
    assert re.search(rf"policy, slot \d+: serve\n +Endpoint +-wg-- 01 \S+  policy, slot \d+\n"
                     rf" +Endpoint +-wg-- 01 \S+  shell, slot \d+\n"
                     rf" +Endpoint +-wg-- 01 \S+  \[1\] sleep, slot {found[1]}: policy\n", why), why
    assert re.search(r"fsd, slot \d+: serve\n(?: .*\n)+ +Endpoint +-wg-- 01 \S+  "
                     r"\[2\] cat, slot \d+: arg1\.file\n", why), why
    assert re.search(rf"^shell +\d+ +Endpoint +-wg-- 01 \S+\n"
                     rf"  Endpoint .* \[1\] sleep, slot {found[1]}: policy\n",
                     shell, re.MULTILINE), shell
    assert not re.search(r"in no slot", cat) and cat.count("[2] cat") == 4, cat
    rows, = objects(rest)
    assert [(r["program"], r["job"], r["name"]) for r in rows if r["program"] == "cat"] == [
        ("cat", 2, name)
        for name in ("stdout.wake", "stdout.wait", "stderr.console", "arg1.file")], rows
    for error in ("1: no such service or program; `ps` lists them",
                  "9: no such service or program; `ps` lists them",
                  "nosuch: it holds no such capability; `caps` with its name lists them"):
        assert f"error: {error}\n" in rest, (error, rest)
