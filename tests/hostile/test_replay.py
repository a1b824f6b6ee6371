# SPDX-License-Identifier: MIT
"""A seed of the grind can be replayed, to the last call."""

import re

from kozo import grinding
from kozo.harness.scripted import limit, on

END = r"^grind: (\d+) calls in (\d+) worlds, seed is now 0x([0-9a-f]+)$"


def ground(boot, seed):
    """What a while of the guest's came to: the whole log."""
    with boot.start(append=f"kozo.init=bin/{grinding.PROGRAM} {grinding.words('100ms', seed)}",
                    extra=grinding.EXACT) as vm:
        vm.wait_for(f"^grind: 100 ms, seed {seed:#x}$")
        vm.wait_for(END)
        vm.expect_exit(0)
        return vm.text


@limit(240)
@on(cpu=("qemu64", "max"))
def test_the_same_seed_does_the_same(boot):
    first, again, other = ground(boot, 0x5eed), ground(boot, 0x5eed), ground(boot, 0xbeef)
    assert first == again, "the same seed, another run"
    assert re.search(END, first, re.MULTILINE)[0] != re.search(END, other, re.MULTILINE)[0]
