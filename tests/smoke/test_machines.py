# SPDX-License-Identifier: MIT
"""The machines that the whole system boots on, to READY."""

import re
import subprocess
import threading
from pathlib import Path

from kozo import qemu
from kozo.harness.scripted import on

OFF = 'kozo.run="poweroff"'


def ready(boot, **how):
    """A boot of init that gets to READY; its console's text."""
    with boot.start(append=OFF, **how) as vm:
        vm.wait_for("^KOZO READY$")
        vm.expect_exit(0)
        return vm.text


@on(machine=("pc", "q35"), bios=(None, "qboot.rom"), memory=("64M", "256M", "8G"),
    cpu=("qemu64", "max"))
def test_ready(boot):
    ready(boot)


@on(cpu=("phenom", "Nehalem", "Skylake-Client", "EPYC"))
def test_ready_on_processors_of_all_makes(boot):
    ready(boot)


@on(machine=("pc,hpet=off", "q35,hpet=off", "pc,hpet=off,acpi=off", "pc,acpi=off"))
def test_ready_whatever_tells_the_time(boot):
    by = "PIT" if "acpi=off" in boot.machine["machine"] else "ACPI PM timer"
    assert f", by {by} over " in ready(boot)


def test_ready_with_other_processors_asleep(boot):
    ready(boot, extra=("-smp", "4"))


def test_ready_with_the_usual_devices_beside_it(boot):
    ready(boot, extra=("-vga", "std", "-nic", "user", "-device", "virtio-rng-pci", "-usb"))


def test_large_memory_costs_the_host_little(boot):
    """A kernel that touched all of it would need 8 GiB here."""
    with boot.start(memory="8G") as vm:
        vm.wait_for("^KOZO READY$")
        status = Path(f"/proc/{vm.process.pid}/status").read_text()
        peak = int(re.search(r"^VmHWM:\s+(\d+) kB$", status, re.MULTILINE).group(1))
        assert peak < 512 * 1024, f"QEMU used {peak} KiB"


# ---- processors that cannot run it -------------------------------------------------------------

@on(cpu=("qemu32", "qemu64,-lm", "qemu64,-nx"))
def test_processor_without_long_mode_or_nx_is_told_of(boot):
    with boot.start(append=OFF) as vm:
        vm.expect_exit("panic")
        assert ("\nkozo: this processor cannot run it: "
                "long mode (64 bits) and no-execute pages are needed\n") in vm.text


@on(cpu=("qemu64,-syscall", "qemu64,-sse2", "qemu64,-pge", "qemu64,-apic"))
def test_processor_without_what_is_needed_is_told_of(boot):
    with boot.start(append=OFF) as vm:
        vm.expect_exit("panic")
        assert re.search("^kernel panic: processor: ", vm.text, re.MULTILINE)


# ---- machines with too little memory -----------------------------------------------------------

def test_memory_that_does_not_hold_the_kernel_is_told_of(boot):
    """Down to what its first pages run in, with the archive over the rest."""
    for memory in ("3M", "4M", "6M"):
        with boot.start(append=OFF, memory=memory, initrd=boot.tree.initrd) as vm:
            vm.expect_exit("panic")
            assert vm.text.splitlines()[-2:] == [
                "kozo: this machine has less memory than the kernel takes for itself; "
                "give it 64 MiB (-m 64)",
                "KOZO PANIC"], f"{memory}: {vm.text}"


def test_memory_that_holds_little_more_is_told_of(boot):
    for memory in ("7M", "8M"):
        with boot.start(append=OFF, memory=memory) as vm:
            assert vm.wait() in map(qemu.exit_status, (qemu.EXIT_PANIC, qemu.EXIT_FAILED)), memory
            assert re.search("^(kernel panic|KOZO FAILED): .*(memory|initrd)", vm.text,
                             re.MULTILINE), vm.text


# ---- without the runner's own options ----------------------------------------------------------

def plain(boot, *more, until=None, archive=None):
    """Run QEMU as a user types it, to a line or to its end; (text, exit status or None)."""
    command = [qemu.PROGRAM, "-kernel", str(boot.tree.kernel),
               "-initrd", str(archive or boot.tree.initrd), "-nographic", *more]
    text, status = "", None
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace") as process:
        guard = threading.Timer(boot.seconds, process.kill)
        guard.start()
        for line in process.stdout:
            text += line
            if until and re.match(until, line):
                break
        else:
            status = process.wait()
        guard.cancel()
        qemu.stop(process)
    return text, status


@on(cpu=(None, "max"), machine=(None, "q35"))
def test_plain_qemu_gets_to_ready(boot):
    cpu, machine = boot.machine["cpu"], boot.machine["machine"]
    more = (["-cpu", cpu] if cpu else []) + (["-M", machine] if machine else [])
    text, _ = plain(boot, *more, until="KOZO READY$")
    assert re.search("^KOZO READY$", text, re.MULTILINE), text
    assert text.count("KOZO READY") == 1


def test_plain_qemu_ends_with_the_guest(boot):
    text, status = plain(boot, "-append", OFF)
    assert re.search("^KOZO READY$", text, re.MULTILINE), text
    assert status == 0, f"QEMU ended with {status}"


def test_plain_qemu_ends_with_a_panic(boot):
    garbage = boot.root.parent / "garbage"
    garbage.write_bytes(b"nothing of use\n" * 100)
    text, status = plain(boot, archive=garbage)
    assert "\nkernel panic: initrd: c_magic " in text, text
    assert text.rstrip().endswith("KOZO PANIC"), text
    assert status == 0, f"QEMU ended with {status}"
