# SPDX-License-Identifier: MIT
"""The rows of the table.

`sel4` is the figure of seL4 16.0-dev on the same QEMU (where it varies, the lower one), `bound`
what a row may be at most, `aim` what it should become. `guard` says what the test suite holds a row
to: "rise" the accepted figure plus 3 %, "bound" the bound alone, because every change of the
services or of the kernel moves it a little, "none" nothing.
"""

from dataclasses import dataclass

GUEST, BOOT, IMAGE = "guest", "boot", "image"


@dataclass(frozen=True)
class Row:
    """One operation."""
    name: str
    what: str
    source: str = GUEST
    sel4: int | None = None
    bound: int | None = None
    aim: int | None = None
    unit: str = "instructions"
    guard: str = "rise"
    split: bool = True  # whether a trace of one sample tells the kernel's part


def _file(name, what, bound, aim):
    """A row of fsd's work, measured at its client."""
    return Row(name, what, bound=bound, aim=aim, guard="bound", split=False)


def _section(name, what, bound, aim):
    """A row of a stretch of the kernel in which interrupts are off."""
    return Row(name, what, bound=bound, aim=aim, split=False)


ROWS = (
    Row("ipc_cross_0w", "round trip to another address space, no words", sel4=403, bound=200,
        aim=140),
    Row("ipc_cross_8w", "the same, 8 words loaded and stored", sel4=1477, bound=200, aim=140),
    Row("ipc_cross_60w", "the same, 60 words", sel4=1800, bound=600, aim=450),
    Row("ipc_same_8w", "round trip within one address space, 8 words"),
    Row("ipc_cap_transfer", "round trip that carries a capability"),
    Row("syscall_min", "shortest system call: yield, nobody else", sel4=245, bound=110, aim=70),
    Row("signal_idle", "signal, nobody waiting", sel4=317, bound=130, aim=90),
    Row("signal_wake", "signal a waiter that is more urgent and waits again"),
    Row("yield_pair", "yield to a peer in another space and back", sel4=476, bound=300, aim=220),
    Row("fault_resume", "page fault, handler, resume", sel4=1218, bound=700, aim=450),
    Row("cap_copy", "copy an Endpoint capability", sel4=753, bound=300, aim=200),
    Row("cap_mint", "mint one", sel4=776, bound=300, aim=200),
    Row("cap_move", "move one"),
    Row("cap_delete", "delete one that is not the last", sel4=647, bound=300, aim=200),
    Row("cap_revoke_1000", "revoke a capability with 1000 children"),
    Row("cap_revoke_per_child", "the same, per child", sel4=249, bound=150, aim=100),
    Row("retype_frame", "retype one 4 KiB frame, memory cleared before", sel4=863, bound=450,
        aim=300),
    Row("retype_frame_dirty", "the same, memory not cleared before"),
    Row("retype_thread", "make a thread"),
    Row("map", "map a page, tables present", sel4=691, bound=350, aim=250),
    Row("unmap", "unmap it", sel4=529, bound=350, aim=250),
    Row("spawn", "a process, from ELF to its first instruction"),
    Row("ring_64b", "an entry of 64 bytes through a ring to another space", split=False),
    _file("file_read_messages", "a KiB of a file read by messages, of 64", 4500, 3000),
    _file("file_write_messages", "a KiB written so", 4500, 3000),
    _file("file_read_frames", "a KiB of a file read into a Frame lent, of 64", 300, 180),
    _file("file_write_frames", "a KiB written so", 300, 200),
    _file("file_write_apart", "64 KiB written so, to 17 new blocks and an index block", 25_000,
          15_000),
    _file("file_replace_largest", "rename a file over one of 1,025 blocks", 25_000, 15_000),
    _file("file_rename_tree", "rename a directory with 2,401 nodes below", 25_000, 15_000),
    _file("file_list_shared", "the next of 2,400 entries, two clients in turn", 25_000, 15_000),
    Row("irq_to_user", "interrupt to the driver's first instruction", split=False),
    _section("section_copies", "interrupts off: 16 copies revoked", 8000, 4000),
    _section("section_mapped", "the same: 16 mapped Frames", 8000, 4000),
    _section("section_threads", "the same: 16 threads, bound to all they can be", 24_000, 16_000),
    _section("section_slots", "the same: 16 slots of a CNode, the last of an Endpoint each", 8000,
             4000),
    _section("section_waiters", "the same: 16 waiters woken", 8000, 4000),
    _section("section_clear", "interrupts off: a page cleared", 8000, 4000),
    _section("section_retype", "interrupts off: 256 AddressSpaces made, memory cleared before",
             60_000, 40_000),
    _section("section_deadlines", "interrupts off: 16 deadlines pass", 8000, 4000),
    Row("boot_to_init", "kernel entry to init's first instruction", BOOT, 2_790_000, 2_000_000,
        1_000_000, guard="bound"),
    Row("boot_to_ready", "kernel entry to READY", BOOT, guard="none"),
    Row("timer_calibration", "finding the timer's rate, of the boot", BOOT, 100_000_000, 10_000_000,
        0, unit="ns", guard="bound"),
    Row("resident_bytes", "kernel text and read-only data that stay", IMAGE, 96 * 1024, 64 * 1024,
        48 * 1024, unit="bytes", guard="bound"),
    Row("kernel_lines", "lines of code of the kernel", IMAGE, 27_793, 10_000, 7_000, unit="lines",
        guard="bound"),
)
NAMES = tuple(r.name for r in ROWS)


def row(name):
    """The row of that name; one made up for a name that has none."""
    return next((r for r in ROWS if r.name == name), Row(name, ""))
