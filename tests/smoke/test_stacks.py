# SPDX-License-Identifier: MIT
"""How deep the stacks of all threads of the running system have been."""

from kozo import stacks
from kozo.harness.scripted import on

ROOM = 512      # bytes that each stack must have left, after start, demonstration and some commands


@on(cpu=("qemu64", "max"))
def test_every_stack_has_room(boot):
    with boot.start() as vm:
        vm.wait_for("^KOZO READY$")
        vm.wait_for("^kozo> ")
        for command in ("ls /", "ps", "mem", "caps init", "cat /etc/motd"):
            vm.send(command + "\n")
            vm.wait_for("^kozo> ")
        found, kernel = stacks.of(vm, boot.tree.kernel, 256 << 20)
    names = {s.name for s in found}
    assert {"init", "policy", "fsd", "console", "shell"} <= names, found
    full = [s for s in found if s.unused < ROOM]
    assert not full, full
    # It is measured: nobody has used nothing, or all but whole pages.
    assert all(0 < s.size - s.unused < s.size for s in found), found
    assert [s.name for s in kernel] == list(stacks.KERNEL_STACKS)
    assert all(s.unused >= s.size / 2 for s in kernel) and kernel[0].unused < kernel[0].size, kernel
    assert [s.unused for s in kernel[1:]] == [s.size for s in kernel[1:]], "nothing came that they are for"
