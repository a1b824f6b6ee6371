# SPDX-License-Identifier: MIT
"""All figures, in the order of the table."""

from dataclasses import dataclass

from kozo import builder
from kozo.bench import guest, image, milestones, rows, trace

TARGETS = ("kozo.elf", "initrd.cpio")


@dataclass(frozen=True)
class Result:
    """A measured row."""
    row: rows.Row
    value: int
    least: int | None = None
    most: int | None = None
    kernel: int | None = None   # instructions of the kernel among them
    samples: int = 1

    @property
    def name(self):
        return self.row.name


def build(tree, verbose=False):
    """Build what is measured, and nothing else."""
    builder.build(tree, verbose, targets=[*TARGETS, *guest.targets()])


SLACK = 8   # instructions between the counters that are not the operation's


def _kernel_part(sample, splits):
    """What of a sample the kernel executed; None when the log is of more: an interrupt came in."""
    split = splits.get(sample.name)
    if split is None or not rows.row(sample.name).split:
        return None
    return split.kernel if split.kernel + split.user <= sample.median + SLACK else None


def _guest(tree, names, split):
    """Results by name of the rows that the guest measures."""
    samples = guest.run(tree, names)
    splits = trace.run(tree, names) if split and names else {}
    return {s.name: Result(rows.row(s.name), s.median, s.least, s.most, _kernel_part(s, splits),
                           s.samples)
            for s in samples}


def run(tree, names=rows.NAMES, split=True):
    """Measure the rows `names`; `split` tells the kernel's part,
    at the price of a slow second boot."""
    def wanted(source):
        return [r.name for r in rows.ROWS if r.source == source and r.name in names]

    found = _guest(tree, wanted(rows.GUEST), split)
    for source, module in ((rows.BOOT, milestones), (rows.IMAGE, image)):
        if wanted(source):
            found |= {n: Result(rows.row(n), v) for n, v in module.run(tree).items()}
    missing = [n for n in names if n not in found]
    if missing:
        raise guest.GuestFailed(f"the benchmark program did not report: {', '.join(missing)}")
    return [found[r.name] for r in rows.ROWS if r.name in names]
