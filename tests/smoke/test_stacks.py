# SPDX-License-Identifier: MIT
"""How deep the stacks of all threads of the running system have been: looked at from outside, and told at the prompt."""

import json
import re

from kozo import stacks
from kozo.harness.scripted import on

ROOM = 512      # bytes that each stack must have left, after start, demonstration and some commands
CONF = "etc/kozo.conf"


def at_prompt(vm, command):
    """What the shell says to it."""
    begin = vm.wait_for("^kozo> ")
    vm.send(command + "\r")
    end = vm.wait_for("(?=\nkozo> )")
    return end.string[begin.end():end.start()]


def told(text):
    """(service, number of the thread) -> (bytes, never used), of what `ps --json` says."""
    return {(s["service"], t["number"]): (t["stack"], t["stack_unused"])
            for s in json.loads(text[text.index("[{"):]) for t in s["threads"]}


@on(cpu=("qemu64", "max"))
def test_every_stack_has_room(boot):
    with boot.start() as vm:
        vm.wait_for("^KOZO READY$")
        for command in ("ls /", "mem", "caps init", "cat /etc/motd", "run spin &"):
            at_prompt(vm, command)
        prompt = told(at_prompt(vm, "ps --json"))
        lines = at_prompt(vm, "ps")
        vm.wait_for("^kozo> ")
        found, kernel = stacks.of(vm, boot.tree.kernel, 256 << 20)
    names = {s.name for s in found}
    assert {"init", "policy", "fsd", "console", "shell", "spin"} <= names, found
    full = [s for s in found if s.unused < ROOM]
    assert not full, full
    # It is measured: nobody has used nothing, or all but whole pages.
    assert all(0 < s.size - s.unused < s.size for s in found), found
    assert [s.name for s in kernel] == list(stacks.KERNEL_STACKS)
    assert all(s.unused >= s.size / 2 for s in kernel) and kernel[0].unused < kernel[0].size, kernel
    assert [s.unused for s in kernel[1:]] == [s.size for s in kernel[1:]], "nothing came that they are for"
    # The prompt knows of the same stacks; those that were at work since may have gone deeper.
    outside = sorted((s.name, s.size) for s in found)
    inside = sorted(("spin" if name == "shell" and number == 1 else name, size)
                    for (name, number), (size, _) in prompt.items())
    assert inside == outside, (inside, outside)
    still = {s.name: s.unused for s in found if s.name in ("policy", "fsd") and s.size == 32768}
    assert still == {name: prompt[name, 0][1] for name in still} and len(still) == 2, (still, prompt)
    for row in ("init", "policy", "  thread 1", "fsd", r"\[1\] spin"):
        assert re.search(rf"^{row} .* \d+/\d+$", lines, re.MULTILINE), lines


def test_a_service_that_used_3000_bytes_more_shows_3000_fewer(boot):
    for name, used in (("little", "3000 4000"), ("much", "6000 7000")):
        boot.write(CONF, f"{boot.read(CONF)}\n[service {name}]\nbinary = bin/deep\nsha256 = auto\nmemory = 512K\n"
                         f"untyped = 64K\nthreads = 2\nargs = {used}\ncapabilities = log\n")
    with boot.start() as vm:
        vm.wait_for("^KOZO READY$")
        prompt = told(at_prompt(vm, "ps --json"))
        vm.wait_for("^kozo> ")
        found, _ = stacks.of(vm, boot.tree.kernel, 256 << 20)
    for number in (0, 1):
        assert prompt["little", number][1] - prompt["much", number][1] == 3000, prompt
    # Nothing but zeros was stored there: that, too, is use. From outside it is the same.
    for name in ("little", "much"):
        assert sorted((s.size, s.unused) for s in found if s.name == name) == \
            sorted(prompt[name, number] for number in (0, 1)), (found, prompt)


def test_a_service_may_lie_about_its_stacks_and_take_them_away(boot):
    boot.write(CONF, f"{boot.read(CONF)}\n[service liar]\nbinary = bin/deep\nsha256 = auto\nmemory = 1M\nuntyped = 256K\n"
                     "threads = 2\npriority = 50\nargs = lie\ncapabilities = log\n")
    with boot.start() as vm:
        vm.wait_for("^KOZO READY$")
        seen = set()
        for _ in range(60):
            seen.add(told(at_prompt(vm, "ps --json")).get(("liar", 1)))
        vm.wait_for("^kozo> ")
        vm.send("poweroff\r")
        vm.expect_exit(0)
    # It was looked at when it told the truth and when not: the thread has 14 pages, and has not run.
    assert (14 * 4096, 14 * 4096) in seen and len(seen) > 1, seen
