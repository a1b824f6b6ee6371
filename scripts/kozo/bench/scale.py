# SPDX-License-Identifier: MIT
"""The same operations in a large system, and what things cost in memory."""

import re
import subprocess

from kozo.bench import document, guest, rows
from kozo.bench.collect import Result

SECONDS = 170.0
SLOT_BYTES = 64     # KOZO_SLOT_BYTES
_NAME = re.compile(r"scale_([a-z]+)_(\d+)_(\w+)$")

# 4000 threads have to fit in 256 MiB.
_BOOTS = ((("scale_threads",), "256"), (("scale_caps", "scale_services"), "512"))
_WORDS = {"threads": "threads", "caps": "capabilities", "services": "services"}


WHATS = tuple(_WORDS)


def _tcb_bytes(kernel):
    """The size of struct tcb, from the debug data."""
    shown = subprocess.run(["llvm-dwarfdump-19", "--name=tcb", str(kernel)], capture_output=True,
                           text=True, check=True).stdout
    return int(re.search(r"DW_AT_byte_size\s+\((0x[0-9a-f]+)\)", shown)[1], 16)


def run(tree):
    """Results named scale_WHAT_COUNT_OPERATION, and scale_WHAT_bytes_each."""
    found = []
    for names, memory in _BOOTS:
        for s in guest.run(tree, names, seconds=SECONDS, memory=memory):
            unit = "bytes" if s.name.endswith("_bytes_each") else "instructions"
            found.append(Result(rows.Row(s.name, "", unit=unit), s.median, s.least, s.most,
                                samples=s.samples))
    for name, value in (("scale_threads_tcb_bytes", _tcb_bytes(tree.kernel)),
                        ("scale_caps_slot_bytes", SLOT_BYTES)):
        found.append(Result(rows.Row(name, "", unit="bytes"), value))
    return found


def _grid(results, what):
    """(counts, operation -> count -> value) of the rows of `what`."""
    grid = {}
    for r in results:
        m = _NAME.match(r.name)
        if m and m[1] == what:
            grid.setdefault(m[3], {})[int(m[2])] = r.value
    return sorted({c for row in grid.values() for c in row}), grid


def growth(results, what):
    """Rows of `what` that cost more than 3 % more in a large system than in a small one,
    in words."""
    counts, grid = _grid(results, what)
    for operation, by_count in grid.items():
        small, large = by_count.get(counts[0]), by_count[max(by_count)]
        if small is not None and document.rises(small, large):
            yield (f"{operation}: {small:,} with {counts[0]:,} {_WORDS[what]}, "
                   f"{large:,} with {max(by_count):,}")
    for r in results:
        if r.name.startswith(f"scale_{what}_") and r.most is not None and r.name.endswith("_call"):
            if document.rises(r.least, r.most):
                yield f"{r.name}: from {r.least:,} to {r.most:,}"


def blocks(results):
    """Tables of cells: for each WHAT the operations against the counts, then bytes."""
    for what, word in _WORDS.items():
        counts, grid = _grid(results, what)
        yield [[f"with so many {word}", *(f"{c:,}" for c in counts)],
               *([operation, *(f"{by_count[c]:,}" if c in by_count else "" for c in counts)]
                 for operation, by_count in grid.items())]
    value = {r.name: f"{r.value:,}" for r in results}
    yield [["bytes", "kernel", "with its memory"],
           ["thread", value["scale_threads_tcb_bytes"], value["scale_threads_bytes_each"]],
           ["service", "", value["scale_services_bytes_each"]],
           ["capability", value["scale_caps_slot_bytes"], ""]]
