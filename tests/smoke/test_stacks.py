# SPDX-License-Identifier: MIT
"""How deep the stacks of all threads of the running system have been: looked at from outside, and
told at the prompt."""

import json
import re

from kozo import stacks
from kozo.grinding import EXACT
from kozo.harness import manifest
from kozo.harness.person import Person
from kozo.harness.scripted import on

ROOM = 512      # bytes that each stack must have left, after start, demonstration and some commands
LATE = r"\[(?:one|two)\] late (\d+)"


def listed(text):
    """Name -> service or program, of what `ps --json` says, between and in whose lines others may
    be that `late` begins."""
    text = re.sub(rf"\n({LATE}\n)+", "", text)
    return {s.get("service") or s["program"]: s for s in json.loads(text[text.index("[{"):])}


def stacks_of(services):
    """(service or program, number of the thread) -> (bytes, never used)."""
    return {(name, t["number"]): (t["stack"], t["stack_unused"])
            for name, s in services.items() for t in s["threads"]}


def told(text):
    """The same of what `ps --json` says."""
    return stacks_of(listed(text))


def painted(prompt, program):
    """It has come so far as to paint its stack."""
    return all(ROOM <= unused < size
               for (name, _), (size, unused) in prompt.items() if name == program)


@on(cpu=("qemu64", "max"))
def test_every_stack_has_room(boot):
    with boot.start() as vm:
        person = Person(vm)
        for command in ("ls /", "mem", "caps init", "cat /etc/motd", "run spin &"):
            person.line(command)
        prompt = told(person.line("ps --json"))
        while not painted(prompt, "spin"):  # it is less urgent than who starts it
            prompt = told(person.line("ps --json"))
        lines = person.line("ps")
        found, kernel = stacks.of(vm, boot.tree.kernel, 256 << 20)
    names = {s.name for s in found}
    assert {"init", "policy", "fsd", "console", "shell", "spin"} <= names, found
    full = [s for s in found if s.unused < ROOM]
    assert not full, full
    # It is measured: nobody has used nothing, or all but whole pages.
    assert all(0 < s.size - s.unused < s.size for s in found), found
    assert [s.name for s in kernel] == list(stacks.KERNEL_STACKS)
    assert all(s.unused >= s.size / 2 for s in kernel) and kernel[0].unused < kernel[0].size, kernel
    assert [s.unused for s in kernel[1:]] == [s.size for s in kernel[1:]], \
        "nothing came that they are for"
    # The prompt knows of the same stacks; those that were at work since may have gone deeper.
    outside = sorted((s.name, s.size) for s in found)
    inside = sorted((name, size) for (name, _), (size, _) in prompt.items())
    assert inside == outside, (inside, outside)
    still = {s.name: s.unused for s in found if s.name in ("policy", "fsd") and s.size == 32768}
    assert still == {name: prompt[name, 0][1] for name in still}, (still, prompt)
    assert len(still) == 2, (still, prompt)
    for row in ("init", "policy", "  thread 1", "fsd", r"\[1\] spin"):
        assert re.search(rf"^{row} .* \d+/\d+$", lines, re.MULTILINE), lines


def test_a_service_that_used_3000_bytes_more_shows_3000_fewer(boot):
    for name, used in (("little", "3000 4000"), ("much", "6000 7000")):
        boot.add(manifest.service(name, "bin/deep", untyped="64K", threads=2, args=used))
    with boot.start() as vm:
        person = Person(vm)
        prompt = told(person.line("ps --json"))
        found, _ = stacks.of(vm, boot.tree.kernel, 256 << 20)
    for number in (0, 1):
        assert prompt["little", number][1] - prompt["much", number][1] == 3000, prompt
    # Nothing but zeros was stored there: that, too, is use. From outside it is the same.
    for name in ("little", "much"):
        assert sorted((s.size, s.unused) for s in found if s.name == name) == \
            sorted(prompt[name, number] for number in (0, 1)), (found, prompt)


def test_a_service_may_lie_about_its_stacks_and_take_them_away(boot):
    boot.add(manifest.service("liar", "bin/deep", memory="1M", untyped="256K", threads=2,
                              priority=50, args="lie"))
    with boot.start(extra=EXACT) as vm:
        person = Person(vm)
        seen, lives, looks = set(), set(), 0
        while looks < 60 or (14 * 4096, 14 * 4096) not in seen or len(seen) < 2:
            looks += 1
            services = listed(person.line("ps --json"))
            lives.add((services["liar"]["restarts"], len(services["liar"]["threads"]) > 0))
            seen.add(stacks_of(services).get(("liar", 1)))
        vm.send("poweroff\r")
        vm.expect_exit(0)
    # Who is looked at is free to end its threads and make others: nothing of them is kept.
    assert lives == {(0, True)}, lives
    # It was looked at when it told the truth and when not: the thread has 14 pages, and has not
    # run.
    assert (14 * 4096, 14 * 4096) in seen and len(seen) > 1, seen


def test_copies_of_threads_and_notes_are_no_threads(boot):
    """Time is counted in instructions here: so many init spends, and so long it lets nobody else
    run."""
    for name, threads, made in (("one", 2, 1), ("two", 4, 2)):
        boot.add(manifest.service(name, "bin/deep", memory="1M", untyped="256K", threads=threads,
                                  priority=10, args=f"copies {made}"))
    with boot.start(extra=EXACT) as vm:
        person = Person(vm)
        before, after = (listed(person.line("ps --json")) for _ in range(2))
        lines = person.line("ps")
        while re.search(LATE, lines):   # in one of its rows, perhaps
            lines = person.line("ps")
        vm.send("poweroff\r")
        vm.expect_exit(0)
        late = [int(n) for n in re.findall(LATE, vm.text)]
    for service, made in (("one", 1), ("two", 2)):
        for look in (before, after):
            numbers = [t["number"] for t in look[service]["threads"]]
            assert numbers == list(range(made + 1)), look[service]
            assert look[service]["threads_left_out"] == 0, look[service]
        # The first further thread's note is a lie, and the next one's is found among all those
        # copies.
        found = [(t["stack"], t["stack_unused"]) for t in after[service]["threads"][1:]]
        assert found == [(None, None), (13 * 4096, 13 * 4096)][:made], after[service]
        rows = re.search(rf"(?m)^{service} .*\n((?:  thread .*\n)*)", lines + "\n")[1].splitlines()
        assert [row.split()[1] for row in rows] == [str(n) for n in range(1, made + 1)], lines
        assert [row.split()[-1] for row in rows] == ["?", "53248/53248"][:made], lines
    assert after["init"]["cpu_ns"] - before["init"]["cpu_ns"] < 3_000_000, (before, after)
    # Nobody had to wait for longer than init looks at one page.
    assert late and max(late) < 12_000, late


def test_more_threads_than_rows_take_no_other_service_away(boot):
    """Who has many threads is cut short, and told so; whose section comes later is there all the
    same."""
    for name, memory, untyped, threads, made in (("many", "16M", "8M", 100, 95),
                                                 ("last", "1M", "256K", 2, 1)):
        boot.add(manifest.service(name, "bin/deep", memory=memory, untyped=untyped,
                                  threads=threads, priority=50, args=f"copies {made} quiet"))
    with boot.start() as vm:
        person = Person(vm)
        services = listed(person.line("ps --json"))
        lines = person.line("ps")
        vm.send("poweroff\r")
        vm.expect_exit(0)
    many, last = services["many"], services["last"]
    numbers = [t["number"] for t in many["threads"]]
    assert numbers == list(range(len(numbers))) and len(numbers) > 40, many
    assert many["threads_left_out"] == 96 - len(many["threads"]) > 0, many
    assert last["state"] == "waits" and len(last["threads"]) == last["threads_left_out"] == 1, last
    left_out = many["threads_left_out"]
    assert re.search(rf"(?m)^  thread \?   and {left_out} more: no room to list them$", lines), \
        lines
    assert re.search(r"(?m)^last +waits ", lines), lines
