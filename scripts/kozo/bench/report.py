# SPDX-License-Identifier: MIT
"""What `ninja report` writes: how much there is, and how long it takes to start.

build/report.json and build/report.txt: instructions from kernel entry to init's first instruction
and to READY, bytes of kernel text and read-only data that stay, lines of code by room.
"""

import json
import sys

from kozo import paths
from kozo.bench import image, milestones, table


def collect(tree):
    """The report as a dict."""
    rooms = image.lines_by_room()
    return {
        "schema_version": 1,
        "boot": milestones.run(tree),
        "resident": image.resident(tree.kernel),
        "lines": {"total": sum(rooms.values()), "rooms": rooms},
    }


def _block(title, unit, values):
    return ["", *table.aligned([[title, unit], *([name, f"{n:,}"] for name, n in values.items())])]


def text(report):
    """The same to be read."""
    boot = dict(report["boot"])
    calibration = boot.pop("timer_calibration")
    lines = [*_block("boot", "instructions", boot),
             f"finding the timer's rate: {calibration:,} ns beside",
             *_block("kernel, resident", "bytes", report["resident"]),
             *_block("kernel", "lines of code", {**report["lines"]["rooms"],
                                                 "total": report["lines"]["total"]})]
    return "\n".join(lines[1:]) + "\n"


def main(folder):
    """Write the report on what was built in `folder`."""
    tree = paths.build_tree(folder=folder)
    report = collect(tree)
    (tree.root / "report.json").write_text(json.dumps(report, indent=2) + "\n")
    (tree.root / "report.txt").write_text(text(report))
    sys.stdout.write(text(report))
