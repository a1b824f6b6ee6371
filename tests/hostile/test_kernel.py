# SPDX-License-Identifier: MIT
"""The kernel's own memory, interrupts that nobody sent, init's own fault,
seen and done from outside the guest."""

import re
import tempfile

from kozo.bench import symbols
from kozo.harness import gdb
from kozo.harness.scripted import on

PAGE = 4096
KERNEL = 0xffff_8000_0000_0000
# addr: physical flags; QEMU prints X where a page is *not* executable.
_PAGE = re.compile(r"^([0-9a-f]{16}): [0-9a-f]{16} ([X-])[G-]([P-])[D-][A-][C-][T-]([U-])([W-])",
                   re.MULTILINE)


def pages(vm):
    """{address: (executable, user, writable, bytes)} of all that is mapped in the space in use."""
    said = vm.qmp("human-monitor-command", **{"command-line": "info tlb"}).replace("\r", "")
    return {int(at, 16): (x == "-", u == "U", w == "W", PAGE if p == "-" else 512 * PAGE)
            for at, x, p, u, w in _PAGE.findall(said)}


def lying_in(found, begin, end):
    return {at: p for at, p in found.items() if begin <= at < end}


def check_pages(found, at):
    """W^X everywhere, the kernel's half the kernel's,
    text and constants read-only, guards unmapped."""
    both = [hex(a) for a, (x, _, w, _) in found.items() if x and w]
    assert not both, f"writable and executable: {both[:8]}"
    mixed = [hex(a) for a, (_, u, _, _) in found.items() if u != (a < KERNEL)]
    assert not mixed, f"the user's in the kernel's half, or the other way round: {mixed[:8]}"
    code = [a for a, (x, _, _, _) in found.items() if x and a >= KERNEL]
    assert code and all(at["x86_text_start"] <= a < at["x86_text_end"] for a in code), \
        f"code of the kernel's outside its text: {[hex(a) for a in code][:8]}"
    for begin in (at["x86_text_start"], KERNEL + at["x86_text_start"] - at["BASE"]):
        size = at["x86_constant_end"] - at["x86_text_start"]
        for a in range(begin, begin + size, PAGE):
            page = next((p for start, p in found.items() if start <= a < start + p[3]), None)
            assert page and not page[2], f"writable, or absent: {a:#x}"
    for name, address in at.items():
        if name.startswith("x86_guard_"):
            assert address not in found and address + PAGE in found, \
                f"{name} is mapped, or its stack is not"
    assert not lying_in(found, at["x86_boot_start"], at["x86_boot_end"]), \
        "what only boot needs is still there"


@on(cpu=("qemu64", "max"))
def test_no_page_is_writable_and_executable(boot):
    """In the spaces of the services that happen to run, after boot: looked at time and again."""
    at = symbols.addresses(boot.tree.kernel)
    spaces = set()
    with boot.start() as vm:
        vm.wait_for("^KOZO READY$")
        for _ in range(5):
            vm.qmp("stop")
            found = pages(vm)
            vm.qmp("cont")
            assert len(found) > 100, "the map was not understood"
            check_pages(found, at)
            spaces.add(tuple(sorted(lying_in(found, 0, KERNEL))))
            vm.send("\n")
    assert spaces


@on(cpu=("qemu64", "max"))
def test_no_page_of_a_program_is_writable_and_executable(boot):
    at = symbols.addresses(boot.tree.kernel)
    with tempfile.TemporaryDirectory(prefix="kozo-gdb-") as folder:
        extra = ("-S", *gdb.arguments(f"{folder}/gdb"))
        with boot.start(append='kozo.run="poweroff"', extra=extra) as vm, \
             gdb.connect(f"{folder}/gdb") as client:
            for call in ("sys_cap_verify", "sys_reply_recv", "sys_call", "sys_ioport_out"):
                client.run_to(at[call])
                found = pages(vm)
                user = lying_in(found, 0, KERNEL)
                assert any(x for x, *_ in user.values()) and \
                    any(w for _, _, w, _ in user.values()), f"{call}: no program's space"
                check_pages(found, at)
            client.let_go()
            vm.expect_exit(0)


def registers_say(vm, name):
    said = vm.qmp("human-monitor-command", **{"command-line": "info registers"})
    return int(re.search(rf"\b{name}=([0-9a-f]+)", said)[1], 16)


WP, SMEP, SMAP, UMIP, NXE = 1 << 16, 1 << 20, 1 << 21, 1 << 11, 1 << 11


@on(cpu=("qemu64", "max"))
def test_what_the_processor_has_is_on_and_told(boot):
    """The line that says so at boot is what the registers hold while programs run."""
    with boot.start() as vm:
        said = vm.wait_for(r"^cpu: (.*)\n")[1]
        vm.wait_for("^KOZO READY$")
        vm.qmp("stop")
        cr0, cr4, efer = (registers_say(vm, r) for r in ("CR0", "CR4", "EFER"))
    assert cr0 & WP and efer & NXE and "NX WP" in said, said
    for bit, name in ((SMEP, "SMEP"), (SMAP, "SMAP"), (UMIP, "UMIP")):
        there = boot.machine["cpu"] == "max"
        assert bool(cr4 & bit) == there, f"{name}: cr4 = {cr4:#x}"
        assert (f"no {name}" not in said) == there, said


# ---- interrupts without a cause ----------------------------------------------------------------

EOI, COMMAND = 0xb0, 0x300          # registers of the local APIC
TO_ITSELF = 0x4_4000
# Not the timer's, which is at 32, and not those of lines, which are devices' own: what is left
# is nobody's.
NOBODYS = [*range(33, 48), *range(72, 80)]


@on(cpu=("qemu64", "max"))
def test_vectors_that_nobody_sends(boot):
    """Each is taken at some instruction of a program that watches all its registers; nothing comes
    of it.

    As for a spurious interrupt, the controller counts none as in service.
    """
    at = symbols.addresses(boot.tree.kernel)
    with tempfile.TemporaryDirectory(prefix="kozo-gdb-") as folder:
        extra = ("-S", *gdb.arguments(f"{folder}/gdb"))
        with boot.start(append="kozo.init=bin/registers", extra=extra) as vm, \
             gdb.connect(f"{folder}/gdb") as client:
            for vector in NOBODYS:
                client.run_to(at["kernel_syscall"])
                client.call(at["x86_apic_write"], COMMAND, TO_ITSELF | vector)
                client.run_to(at[f"x86_vector_{vector}"])
                client.run_to(at["x86_trap"])
                client.call(at["x86_apic_write"], EOI, 0)
            client.let_go()
            vm.expect_exit(0)
        assert not [line for _, line in vm.tap_lines if line.startswith("not ok")], vm.tap_text()
        assert any(line == "# KOZO END" for _, line in vm.tap_lines), vm.tap_text()


@on(cpu=("qemu64", "max"))
def test_the_old_interrupt_controllers_are_unmasked_behind_its_back(boot):
    """All 16 lines open, the timer among them: whatever comes, programs go on."""
    with boot.start(append="kozo.init=bin/hostile-storms") as vm:
        vm.wait_for("^clock: ")
        for port in (0x21, 0xa1):
            vm.qmp("human-monitor-command", **{"command-line": f"o /b {port:#x} 0"})
        vm.expect_exit(0)
        assert not [line for _, line in vm.tap_lines if line.startswith("not ok")], vm.tap_text()
        assert any(line == "# KOZO END" for _, line in vm.tap_lines), vm.tap_text()


# ---- the end of init ---------------------------------------------------------------------------

def _running(client, at):
    """The first bytes of the control block of the running thread; its name stands there."""
    block = client.word_at(at["kernel"])
    return bytes.fromhex(client.ask(b"m%x,480" % block).decode())


@on(cpu=("qemu64", "max"))
def test_init_faults_when_the_system_is_up(boot):
    """It is made to run at address 0 where it takes a request of the shell's:
    the kernel says whose end that is."""
    at = symbols.addresses(boot.tree.kernel)
    message = symbols.addresses(boot.tree.root / "bin" / "init")["watch_message"]
    with tempfile.TemporaryDirectory(prefix="kozo-gdb-") as folder, \
         boot.start(extra=gdb.arguments(f"{folder}/gdb")) as vm:
        vm.wait_for("^KOZO READY$")
        vm.qmp("stop")
        with gdb.connect(f"{folder}/gdb") as client:
            vm.send("ps\n")
            client.run_to(message)
            while b"init\0" not in _running(client, at):
                client.step()                           # another program's code at this address
                client.run_to(message)
            client.set_register(gdb.RIP, 0)
            client.let_go()
            vm.expect_exit("panic")
        said = vm.text
    assert re.search(r"^kernel panic: the first program stopped: page fault at 0, address 0 "
                     r"\(kernel/ipc/fault\.c:\d+\)$", said, re.MULTILINE), said
    assert re.search("^current thread: init, serial 1, ", said, re.MULTILINE), said
    assert said.rstrip().endswith("KOZO PANIC"), said
