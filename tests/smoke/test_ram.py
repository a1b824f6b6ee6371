# SPDX-License-Identifier: MIT
"""The memory filesystem in the whole system, and a new life of fsd under those who use it."""

import json
import re

from kozo.harness import manifest
from kozo.harness.person import enter

PROMPT = r"kozo> "
ALLOW = r"\[\?\] allow\? "
LIMIT = "a limit or quota is reached"


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


def scribe(boot, name, args):
    """A service beside the person that works below /ram too: tests/smoke/guest/scribe.c."""
    boot.add(manifest.service(name, "bin/scribe", priority=120, args=args, capabilities="log fs",
                              restart="always"))


def answer(vm, line):
    """What a line prints, without its echo and what the log brings."""
    return re.sub(r"(?m)^\[.*\n", "", enter(vm, line))


def agree(vm, line):
    vm.send(f"{line}\r")
    vm.wait_for(ALLOW)
    vm.send("yes\r")
    vm.wait_for(PROMPT)


def test_a_share_is_one_client_s_and_comes_back(boot):
    """Of 16 blocks and 4 files a client: the person fills theirs, two services have theirs all the
    same."""
    boot.write("etc/big", b"x" * 100000)
    boot.write("etc/all", b"x" * 61440)     # 15 blocks, and one that lists them
    boot.write("etc/half", b"y" * 40960)    # 10 blocks, and one that lists them
    boot.set("service fsd", "args", "share_kib=64 share_files=4")
    scribe(boot, "early", "wait ram/full write ram/s 80 usage wait ram/freed usage")
    scribe(boot, "late", "usage write ram/l 40 hold ram/l wait ram/gone use usage")
    with boot.start() as vm:
        vm.wait_for(r"^\[late\] has 0 of 64 KiB, 0 of 4 files$")
        vm.wait_for(r"^\[late\] holds ram/l: no error$")
        vm.send("\r")
        vm.wait_for(PROMPT)

        # All of the person's blocks, then nothing more. What found no room is not there in part.
        vm.send("cp /etc/big /ram/a\r")
        vm.wait_for(f"^error: /ram/a: {LIMIT}$")
        assert re.search(r'^\[fsd\] denied: who=shell object="fs:/ram/.cp-0" '
                         'asked="more than its share', vm.text, re.M), vm.text
        vm.wait_for(PROMPT)
        assert answer(vm, "cat /ram/a /ram/.cp-0").count("no such name") == 2
        assert answer(vm, "cp /etc/all /ram/a") == ""
        assert answer(vm, "write /ram/b x; cat /ram/b") == \
            f"error: /ram/b: {LIMIT}\nerror: /ram/b: no such name\n"
        kib, files = (line.split() for line in answer(vm, "df").splitlines()[1:])
        assert kib[:4] == ["KiB", "64", "64", "0"] and int(kib[4]) > 0, kib
        assert files[:4] == ["files", "1", "4", "3"], files
        assert answer(vm, "cp /etc/motd /ram/a") == f"error: /ram/a: {LIMIT}\n"
        assert answer(vm, "cat /ram/a | wc").split() == ["0", "1", "61440"]
        assert answer(vm, "write /ram/b; write /ram/full") == ""      # no bytes, no block
        vm.wait_for(rf"^\[early\] wrote 59 KiB of ram/s: {LIMIT}$")
        vm.wait_for(r"^\[early\] has 64 of 64 KiB, 1 of 4 files$")

        # Removed by the person, and given back to the service whose file it was.
        assert answer(vm, "rm /ram/s; write /ram/freed") == ""
        vm.wait_for(r"^\[early\] has 0 of 64 KiB, 0 of 4 files$")

        # a, b, full and freed are the person's four files; b is empty.
        assert answer(vm, "write /ram/more") == f"error: /ram/more: {LIMIT}\n"
        assert answer(vm, "write /ram/b x; cat /ram/b") == f"error: /ram/b: {LIMIT}\n"
        assert answer(vm, "write /ram/a well; cat /ram/a; write /ram/a") == "well\n"
        assert answer(vm, "write /ram/b hello; cat /ram/b") == "hello\n"
        # a fifth until it is whole
        assert answer(vm, "cp /etc/motd /ram/a") == f"error: /ram/a: {LIMIT}\n"
        assert answer(vm, "rm /ram/freed; cp /etc/half /ram/a") == ""               # 1 + 11 blocks
        assert answer(vm, "mv /ram/a /ram/b; cp /etc/half /ram/c") == f"error: /ram/c: {LIMIT}\n"
        # what was replaced is given back
        assert answer(vm, "write /ram/c x; mv /ram/c /ram/b") == ""
        assert answer(vm, "rm /ram/b; cp /etc/half /ram/c; write --append /ram/c end") == ""
        assert answer(vm, "cat /ram/c | wc").split() == ["1", "1", "40964"]

        # A service that dies leaves its files and what they cost; removed they cost nothing, also
        # while they are held.
        agree(vm, "restart late")
        vm.wait_for(r"^\[late\] has 44 of 64 KiB, 1 of 4 files$")
        vm.wait_for(r"^\[late\] holds ram/l: no error$")
        vm.send("\r")
        vm.wait_for(PROMPT)
        assert answer(vm, "rm /ram/full /ram/l; write /ram/gone") == ""
        vm.wait_for(r"^\[late\] uses what it holds: stale handle: what it named is gone")
        vm.wait_for(r"^\[late\] has 0 of 64 KiB, 0 of 4 files$")
        vm.send("poweroff 0\r")
        vm.expect_exit(0)


def test_a_line_that_finds_room_in_part_is_not_there_in_part(boot):
    """Of several messages, the first fits into the block that is there,
    which is all of the share."""
    boot.write("etc/part", b"x" * 3600)
    boot.set("service fsd", "args", "share_kib=4 share_files=4")
    lines = ("cp /etc/part /ram/a", "cat /ram/a | wc",
             f"write --append /ram/a {500 * 'z'}", "cat /ram/a | wc",
             f"write --append /ram/a {200 * 'y'}", "cat /ram/a | wc")
    with boot.start(append=f'kozo.run="{"; ".join(lines)}"') as vm:
        vm.expect_exit(0)
    assert f"error: /ram/a: {LIMIT}" in vm.text, vm.text
    counts = [tuple(map(int, row)) for row in re.findall(r"(?m)^ *(\d+) +(\d+) +(\d+) *$", vm.text)]
    assert counts == [(0, 1, 3600), (0, 1, 3600), (1, 1, 3801)], vm.text


def test_df_tells_what_is_used_and_left(boot):
    boot.write("etc/half", b"y" * 40960)    # 10 blocks, and one that lists them
    lines = ("df --json", "write /ram/a x", "mkdir /ram/d", "cp /etc/half /ram/d/b", "df --json",
             "df", "rm /ram/a /ram/d/b /ram/d", "df --json", "df /ram")
    with boot.start(append=f'kozo.run="{"; ".join(lines)}"') as vm:
        vm.expect_exit(1)
    before, used, after = (json.loads(o) for o in re.findall(r"^{.*}$", vm.text, re.MULTILINE))
    assert before["bytes"] == before["files"] == 0 and after == before, (before, after)
    assert before["bytes_free"] == before["bytes_limit"] < before["bytes_free_for_all"], before
    assert used["bytes"] == 12 * 4096 and used["files"] == 3, used
    for of, taken in (("bytes", 12 * 4096), ("files", 3)):
        assert used[f"{of}_limit"] == before[f"{of}_limit"], used
        for left in ("free", "free_for_all"):
            assert used[f"{of}_{left}"] == before[f"{of}_{left}"] - taken, (left, used)
    row = " +".join(str(used[n] // 1024)
                    for n in ("bytes", "bytes_limit", "bytes_free", "bytes_free_for_all"))
    assert re.search(rf"^/ram +USED +OF +FREE +FREE FOR ALL\nKiB +{row}\nfiles +3 ", vm.text,
                     re.MULTILINE), vm.text
    assert "error: /ram: usage: df [--json]" in vm.text, vm.text
