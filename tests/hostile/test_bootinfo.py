# SPDX-License-Identifier: MIT
"""A loader that lies: what it leaves in memory is changed before the kernel's first instruction.

Each lie is refused with the field, its value and what was expected, before anything is started. The
same code is fed with whatever a fuzzer thinks of: tests/fuzz/bootinfo.c.
"""

import re
import tempfile

from kozo.bench import symbols
from kozo.harness import gdb
from kozo.harness.scripted import on

RBX = 1
TOP = (1 << 64) - 1
# Offsets of struct hvm_start_info: two fields share a word where they are 32 bits.
MAGIC, MODULES, MODLIST, CMDLINE, RSDP, MEMMAP, ENTRIES = 0, 8, 16, 24, 32, 40, 48
MAGIC_WORD = 0x336ec578


def refused(boot, lie):
    """What the panic says when `lie(client, start_info)` has changed the machine's memory."""
    with tempfile.TemporaryDirectory(prefix="kozo-gdb-") as folder:
        extra = ("-S", *gdb.arguments(f"{folder}/gdb"))
        with boot.start(append='kozo.run="poweroff"', extra=extra) as vm, \
             gdb.connect(f"{folder}/gdb") as client:
            client.run_to(symbols.pvh_entry(boot.tree.kernel))
            lie(client, client.register(RBX))
            client.let_go()
            vm.expect_exit("panic")
            assert "first program" not in vm.text, "it went on"
            line = re.search(r"^kernel panic: (.*) \(kernel/arch/x86_64/start/pvh\.c:\d+\)$",
                             vm.text, re.MULTILINE)
            assert line, vm.text
            return line[1]


def start_info(at, value):
    """A lie in the start structure itself."""
    return lambda client, info: client.set_word(info + at, value)


def module(at, value):
    """A lie about the initrd."""
    return lambda client, info: client.set_word(client.word_at(info + MODLIST) + at, value)


def first_range(at, value):
    """A lie in the first entry of the memory map."""
    return lambda client, info: client.set_word(client.word_at(info + MEMMAP) + at, value)


def endless_cmdline(client, info):
    at = client.word_at(info + CMDLINE)
    for i in range(0, 1024, 8):
        client.set_word(at + i, 0x6161_6161_6161_6161)


def no_ram(client, info):
    """Every entry of the map is reserved."""
    entry = client.word_at(info + MEMMAP)
    for i in range(client.word_at(info + ENTRIES) & 0xffff_ffff):
        client.set_word(entry + 24 * i + 16, 2)


START = {
    "magic = 0, expected 336ec578": start_info(MAGIC, 1 << 32),
    "version = 0, expected at least 1 .*": start_info(MAGIC, MAGIC_WORD),
    "nr_modules = 17, expected at most 16": start_info(MODULES, 17 << 32),
    "nr_modules = 4294967295, expected at most 16": start_info(MODULES, 0xffff_ffff << 32),
    "modlist_paddr = 0 .*, expected inside the first 4 GiB": start_info(MODLIST, 0),
    "modlist_paddr = ffffffffffffffff .*, expected inside .*": start_info(MODLIST, TOP),
    "modlist_paddr = fffffff0 .*, expected inside .*": start_info(MODLIST, 0xffff_fff0),
    "cmdline_paddr = ffffffffffffff00 .*, expected inside .*": start_info(CMDLINE, TOP - 255),
    "the command line has no end within 1024 bytes": endless_cmdline,
    "memmap_paddr = 0 .*, expected inside .*": start_info(MEMMAP, 0),
    "memmap_paddr = fffffff8 .*, expected inside .*": start_info(MEMMAP, 0xffff_fff8),
    "memmap_entries = 0, expected 1 to 128": start_info(ENTRIES, 0),
    "memmap_entries = 129, expected 1 to 128": start_info(ENTRIES, 129),
    "memmap_entries = 4294967295, expected 1 to 128": start_info(ENTRIES, 0xffff_ffff),
    "initrd address = 1234, expected a multiple of 4096": module(0, 0x1234),
    "initrd = fffffffffffff000 .*, expected below .*": module(0, TOP - 4095),
    "initrd = .* ffffffffffffffff, expected below .*": module(8, TOP),
    "initrd 100000-.*, expected apart from the kernel at 100000-.*: give .* more memory .*":
        module(0, 0x10_0000),
    "initrd fee00000-.*, expected inside RAM": module(0, 0xfee0_0000),
}
MAP = {
    "entry 0 = fffffffffffff000 .*, expected not to wrap": first_range(0, TOP - 4095),
    "entry 0 = 0 .* ffffffffffffffff, expected not to wrap": first_range(8, TOP),
    "the kernel's own 100000-.* is not all RAM": no_ram,
}


@on(cpu=("qemu64", "max"))
def test_a_start_structure_that_lies(boot):
    for said, lie in START.items():
        why = refused(boot, lie)
        assert re.fullmatch(f"start info: {said}", why), f"{why!r} where {said!r} was due"


@on(cpu=("qemu64", "max"))
def test_a_memory_map_that_lies(boot):
    for said, lie in MAP.items():
        why = refused(boot, lie)
        assert re.fullmatch(f"memory map: {said}", why), f"{why!r} where {said!r} was due"


@on(cpu=("qemu64", "max"))
def test_tables_of_the_firmware_that_are_none(boot):
    """ACPI that points nowhere is left out, with a line or without, and the system starts."""
    for rsdp in (0, 0x1234, 0xffff_f000, 1 << 40, TOP):
        with tempfile.TemporaryDirectory(prefix="kozo-gdb-") as folder:
            extra = ("-S", *gdb.arguments(f"{folder}/gdb"))
            with boot.start(append='kozo.run="poweroff"', extra=extra) as vm, \
                 gdb.connect(f"{folder}/gdb") as client:
                client.run_to(symbols.pvh_entry(boot.tree.kernel))
                client.set_word(client.register(RBX) + RSDP, rsdp)
                client.let_go()
                vm.wait_for("^KOZO READY$")
                vm.expect_exit(0)
