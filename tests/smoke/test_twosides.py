# SPDX-License-Identifier: MIT
"""The kernel with its fast path and the one without: nobody outside can tell which is which."""

import re
import subprocess

from kozo.harness.scripted import Skip, limit, on

SLOW = "tests/slow/kozo-slow.elf"
HASH = re.compile(r"^# hash (\d+) ([0-9a-f]+)$", re.MULTILINE)


def has_fast_path(elf):
    """Whether the system call's entry of this kernel jumps to the fast path."""
    code = subprocess.run(["llvm-objdump-19", "-d", "--disassemble-symbols=x86_syscall", str(elf)],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True)
    assert "syscall" in code.stdout, code.stderr
    return re.search(r"\sj\w+\s.*<x86_ipc>", code.stdout) is not None


def want_two_kernels(boot):
    config = (boot.tree.root / "kernel" / "kozo_config.h").read_text()
    if "#define KOZO_FASTPATH 1" not in config:
        raise Skip("this build has no fast path")


def test_one_kernel_has_the_fast_path_and_one_has_not(boot):
    want_two_kernels(boot)
    assert has_fast_path(boot.tree.kernel)
    assert not has_fast_path(boot.tree.root / SLOW)


def hashes(boot, kernel, initrd, seed):
    """What the threads of each seed saw, as one number."""
    with boot.start(append=f"kozo.init=bin/twosides kozo.seed={seed}", initrd=initrd,
                    kernel=kernel) as vm:
        vm.expect_exit(0)
        return HASH.findall(vm.text)


@on(seed=(1, 1001))
@limit(30)
def test_all_that_users_see_is_the_same(boot):
    want_two_kernels(boot)
    seed, boot.machine = boot.machine["seed"], {}
    initrd = boot.pack()
    fast = hashes(boot, boot.tree.kernel, initrd, seed)
    slow = hashes(boot, boot.tree.root / SLOW, initrd, seed)
    assert [int(s) for s, _ in fast] == [seed, seed + 1, seed + 2], fast
    assert len({value for _, value in fast}) == len(fast), fast
    assert fast == slow, f"with the fast path {fast}, without {slow}"
