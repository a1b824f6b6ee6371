# SPDX-License-Identifier: MIT
"""What a failing kernel says, whatever state it is in, and what is left to look at."""

import re
import shutil
import subprocess
import tempfile
import xml.etree.ElementTree as ET
from contextlib import contextmanager
from pathlib import Path

from kozo import decode
from kozo.bench import symbols
from kozo.harness import gdb, junit, verdict
from kozo.harness.runner import Context
from kozo.harness.scripted import on
from kozo.paths import SOURCE, BuildTree

FRAME = r"^  #%s 0x[0-9a-f]{16} (\S+)\+0x[0-9a-f]+$"


@contextmanager
def watched(boot, append=""):
    """A guest that is stopped before its first instruction, and what it can be changed with."""
    with tempfile.TemporaryDirectory(prefix="kozo-gdb-") as folder:
        extra = ("-S", *gdb.arguments(f"{folder}/gdb"))
        with boot.start(append=append, extra=extra) as vm, gdb.connect(f"{folder}/gdb") as client:
            yield vm, client


def frames(vm):
    """The functions of the backtrace, the innermost first, without those that may be old."""
    return re.findall(FRAME % r"\d+", vm.text, re.MULTILINE)


def ends(vm):
    """A complete report: panic line, thread, backtrace, stacks, mark, in this order,
    and the exit status."""
    vm.expect_exit("panic")
    parts = [r"^kernel panic: (.*) \((kernel/\S+:\d+)\)$", r"^cpu 0: cr0 ", r"^current thread: ",
             r"^backtrace:$", r"^stacks, bytes never used: kernel ", r"^KOZO PANIC$"]
    at = [re.search(p, vm.text, re.MULTILINE) for p in parts]
    assert all(at), vm.text
    assert [m.start() for m in at] == sorted(m.start() for m in at), vm.text
    assert vm.text.rstrip().endswith("KOZO PANIC"), vm.text
    return at[0][1]


# ---- what is said ------------------------------------------------------------------------------

@on(cpu=("qemu64", "max"))
def test_a_panic_names_thread_and_callers(boot):
    with boot.start(append="kozo.init=bin/doomed doom=page") as vm:
        ends(vm)
        assert re.search("^current thread: doomed, serial 1, ", vm.text, re.MULTILINE), vm.text
        assert frames(vm) == ["fault_stop", "kernel_fault", "x86_trap", "x86_trap_entry"], vm.text


def test_a_panic_while_booting_names_callers(boot):
    with boot.start(append="kozo.init=bin/nothing") as vm:
        ends(vm)
        assert frames(vm) == ["image_find", "boot_start", "x86_start", "boot_long"], vm.text


def test_a_panic_names_the_service_that_ran(boot):
    """A jump to 0 in a call of policy's: the thread is told by its name, and who called last."""
    at = symbols.addresses(boot.tree.kernel)
    with watched(boot, 'kozo.run="poweroff"') as (vm, client):
        while True:
            client.run_to(at["sys_call"])
            thread = bytes.fromhex(client.ask(b"m%x,480" % client.word_at(at["kernel"])).decode())
            if b"policy\0" in thread:
                break
            client.step()
        client.set_register(gdb.RIP, 0)
        client.let_go()
        why = ends(vm)
        assert re.match(r"page fault in the kernel: vector 14, error 1?0, address 0, ip 0$",
                        why), why
        assert re.search("^current thread: policy, serial [0-9]+, ", vm.text, re.MULTILINE), vm.text
        assert re.search(r"^  #0 0x0{16} is no code of the kernel's$", vm.text,
                         re.MULTILINE), vm.text
        assert frames(vm) == ["kernel_syscall", "x86_syscall_slow"], vm.text


def test_decode_adds_files_lines_and_inlined_functions(boot):
    with boot.start(append="kozo.init=bin/doomed doom=page") as vm:
        vm.expect_exit("panic")
        text = decode.text(vm.text, boot.tree)
    found = dict(re.findall(r"^  #\d+ 0x\S+ (\w+)\+0x\w+(?: in \w+)? at (\S+)$", text,
                            re.MULTILINE))
    assert re.fullmatch(r"kernel/ipc/fault\.c(:\d+)?", found["fault_stop"]), text
    assert re.fullmatch(r"kernel/main\.c:\d+", found["kernel_fault"]), text
    assert re.fullmatch(r"kernel/arch/x86_64/trap\.c:\d+", found["x86_trap"]), text
    assert re.fullmatch(r"kernel/arch/x86_64/trap\.S:\d+", found["x86_trap_entry"]), text
    assert re.search(r"^ +inlined into x86_trap at kernel/arch/x86_64/trap\.c:\d+$", text,
                     re.MULTILINE), text
    # the thread that was running: its program is doomed
    assert re.search(r"^  rip \S+ .* in touch_nothing at tests/smoke/guest/doomed\.c:\d+$", text,
                     re.MULTILINE), text
    for line in vm.text.splitlines():       # what is printed is the log, and more
        assert line.rstrip() in text, line
    log = boot.root.parent / "boot.log"
    log.write_bytes(vm.console)
    done = subprocess.run([SOURCE / "kozo", "decode", "--build-dir", boot.tree.root, log],
                          text=True, capture_output=True, check=True)
    assert done.stdout.rstrip() == text.rstrip() and done.stderr == "", done.stderr


def test_decode_adds_files_and_lines_to_a_services_fault(boot):
    """As init reports one: the instruction itself, then return addresses, whose calls lie before
    them."""
    main = symbols.addresses(boot.tree.root / "bin" / "hello")["main"]
    text = decode.text(f"""KOZO FAULT service hello: page fault
  ip 0x{main:016x} main+0x0, sp 0x7fff
  #0 0x{main:016x} main+0x0
  #1 0x{main + 1:016x} main+0x1
""", boot.tree)
    assert len(re.findall(r" at services/hello/main\.c:\d+$", text, re.MULTILINE)) == 3, text
    stopped = decode.text(
        f"thread 7 (hello) stopped: page fault at {main:x}, address 0, code 4; why", boot.tree)
    assert re.search(r"; why in main at services/hello/main\.c:\d+$", stopped), stopped


def test_decode_says_when_it_can_do_nothing(boot):
    def decoded(*arguments, text=""):
        return subprocess.run([SOURCE / "kozo", "decode", *arguments], text=True, input=text,
                              capture_output=True, check=False)

    build = ("--build-dir", boot.tree.root)
    done = decoded(*build, text="KOZO READY\n")
    assert done.returncode == 0 and done.stdout == "KOZO READY\n" and "no address" in done.stderr
    done = decoded(*build, text="  #0 0xffffffff80118000 no_such_function+0x0\n")
    assert done.returncode == 0 and "is not what was booted" in done.stderr, done.stderr
    assert decoded(*build, "no/such/log").returncode == 2
    assert decoded("--build-dir", "no/such/build").returncode == 2


# ---- in whatever state -------------------------------------------------------------------------

def test_an_overflow_of_the_kernels_stack_is_told(boot):
    at = symbols.addresses(boot.tree.kernel)
    with watched(boot, 'kozo.run="poweroff"') as (vm, client):
        client.run_to(at["sys_cap_mint"])
        client.set_register(gdb.RSP, at["x86_guard_cpu"] + 2048)
        client.let_go()
        why = ends(vm)
        assert re.match("double fault in the kernel: vector 8, .*: kernel stack overflow$",
                        why), why
        assert frames(vm) == ["sys_cap_mint"], vm.text
        assert "  the rest may be old:" in vm.text, vm.text
        assert re.search(r"double-fault [0-7]\d{3} of 8192", vm.text), "its own stack was not used"


def test_a_stack_pointer_that_is_none(boot):
    at = symbols.addresses(boot.tree.kernel)
    with watched(boot, 'kozo.run="poweroff"') as (vm, client):
        client.run_to(at["sys_cap_mint"])
        client.set_register(gdb.RSP, 0x8000_0000_0000_0000)
        client.let_go()
        assert ends(vm).startswith("double fault in the kernel: ")
        assert frames(vm) == ["sys_cap_mint"], vm.text


def test_a_stack_that_holds_nonsense(boot):
    at = symbols.addresses(boot.tree.kernel)
    with watched(boot, 'kozo.run="poweroff"') as (vm, client):
        client.run_to(at["sys_cap_mint"])
        sp = client.register(gdb.RSP)
        for i in range(0, at["x86_stack_cpu"] - sp, 8):
            client.set_word(sp + i, 0xdead_0000_0000_0000 + i)
        client.set_register(gdb.RIP, 0x1234_5678)
        client.let_go()
        ends(vm)
        assert re.search(r"^  #1 0xdead0{12} is no code of the kernel's$", vm.text,
                         re.MULTILINE), vm.text
        assert frames(vm) == [], vm.text


def test_a_function_that_wrote_past_its_variables(boot):
    at = symbols.addresses(boot.tree.kernel)
    with watched(boot, 'kozo.run="poweroff"') as (vm, client):
        client.run_to(at["arch_console_putc"])
        client.set_word(at["__stack_chk_guard"], client.word_at(at["__stack_chk_guard"]) ^ 0x1000)
        client.let_go()
        assert ends(vm) == "stack protector: a function wrote past its own variables", vm.text
        assert frames(vm)[0] == "__stack_chk_fail", vm.text


def test_a_panic_while_another_is_told_ends_at_once(boot):
    at = symbols.addresses(boot.tree.kernel)
    with watched(boot, "kozo.init=bin/nothing") as (vm, client):
        client.run_to(at["arch_panic_dump"])
        client.set_register(gdb.RIP, 0)
        client.let_go()
        vm.expect_exit("panic")
        assert vm.text.count("kernel panic: ") == 2, vm.text
        assert re.search(r"^kernel panic: another while this one was told \(kernel/\S+:\d+\)\n"
                         r"KOZO PANIC\n*\Z", vm.text, re.MULTILINE), vm.text


@on(cpu=("qemu64", "max"))
def test_a_machine_check_is_told(boot):
    with boot.start(append="kozo.init=bin/registers", extra=("-singlestep",)) as vm:
        vm.wait_for("^clock: ")
        # uncorrected, enabled; a machine check is in progress
        vm.qmp("human-monitor-command", **{"command-line": "mce 0 1 0xb200000000000000 0x4 0 0"})
        why = ends(vm)
        assert why.startswith("machine check in the kernel: vector 18, "), why
        assert re.search(r"machine-check [0-7]\d{3} of 8192", vm.text), "its own stack was not used"


# ---- what is left ------------------------------------------------------------------------------

def test_the_kernels_memory_is_kept(boot):
    """The dump holds the log; gdb, where it is installed, opens it and finds the callers."""
    with boot.start(append="kozo.init=bin/doomed doom=opcode") as vm:
        vm.expect_exit("panic")
        core = vm.core
        assert core and core.read_bytes()[:4] == b"\x7fELF", "no dump"
        assert b"kernel panic: the first program stopped: invalid opcode" in core.read_bytes()
        assert core.stat().st_size < 16 << 20, "a dump is small"
        if shutil.which("gdb"):
            ended = subprocess.run(["gdb", "-batch", "-nx", "-ex", "bt",
                                    "-ex", "print kernel.log.panics", boot.tree.kernel, core],
                                   capture_output=True, text=True, check=True)
            seen = ended.stdout
            assert re.search(r"^#\d+ .* in panic_at .*the first program stopped", seen,
                             re.MULTILINE), seen
            assert re.search(r"^#\d+ .* in kernel_fault ", seen, re.MULTILINE), seen
            assert "$1 = 1" in seen, seen


def test_a_dump_is_kept_with_the_logs(boot):
    with boot.start(append="kozo.init=bin/doomed doom=opcode") as vm:
        vm.expect_exit("panic")
        with tempfile.TemporaryDirectory() as folder:
            kept = Path(folder) / "logs"
            vm.keep(kept)
            assert (kept / "memory.core").read_bytes() == vm.core.read_bytes()


def test_a_panicked_test_program_names_its_dump(boot):
    """In the message, and in the body of the JUnit report, which has files and lines as well."""
    tree = BuildTree(boot.tree.root)
    tree.logs = boot.root.parent / "logs"
    with boot.start(append="kozo.init=bin/doomed doom=opcode") as vm:
        found = verdict.run_guest(Context(tree), vm, "smoke", "doomed", "")
    assert len(found) == 1 and found[0].kind == "panic", found
    assert found[0].message.startswith("panic: kernel panic: the first program stopped: "), found
    core = tree.logs / "smoke" / "doomed" / "memory.core"
    assert core.exists() and f"memory: {core}" in found[0].message, found
    body = ET.tostring(junit.document(found), encoding="unicode")
    assert f"memory: {core}" in body, body
    assert re.search(r"kernel_fault\+0x\w+ at kernel/main\.c:", body), body
