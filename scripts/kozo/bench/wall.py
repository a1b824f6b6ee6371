# SPDX-License-Identifier: MIT
"""Real time: what the host's clock says under plain TCG.

Figures depend on the host, its load and QEMU's translation; they say what emulation makes of the
kernel, not what a processor would. As ratios to syscall_min most of the host goes out of them.
"""

from kozo.bench import guest, rows

BASE = "syscall_min"
_RUNS = 3


def run(tree, names):
    """(name, ratio to syscall_min) of each row: the best of a few boots, the median of each."""
    wanted = [r.name for r in rows.ROWS
              if r.source == rows.GUEST and (r.name in names or r.name == BASE)]
    best = {}
    for _ in range(_RUNS):
        for s in guest.run(tree, wanted, counted=False):
            best[s.name] = min(s.median, best.get(s.name, s.median))
    return [(name, best[name] / best[BASE]) for name in wanted if name in names and best.get(BASE)]


def lines(ratios):
    """Rows of cells, ready to be aligned."""
    yield [f"real time, {BASE} = 1", "ratio"]
    for name, ratio in ratios:
        yield [name, f"{ratio:.2f}"]
