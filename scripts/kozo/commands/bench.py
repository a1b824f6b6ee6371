# SPDX-License-Identifier: MIT
"""Count the instructions that operations of the kernel take, user and kernel together.

The release kernel boots with a benchmark program in QEMU under -icount, where every run gives the
same figures. `seL4` is the figure of seL4 16.0-dev measured in the same way, `ratio` ours divided
by it. How it is done and what a row means: docs/PERFORMANCE.md."""

import fnmatch
import pathlib

from kozo import paths, qemu, term
from kozo.bench import collect, document, rows, scale, table, trace, wall
from kozo.commands import add_build_options, check_output, refuse_extra
from kozo.errors import FAILED, OK, UsageProblem

HELP = "count instructions of kernel operations"
ORDER = 35
EPILOG = """examples:
  ./kozo bench
  ./kozo bench -k 'ipc_*' --where
  ./kozo bench --json before.json; ...; ./kozo bench --compare before.json"""


def add_arguments(parser):
    add_build_options(parser)
    parser.add_argument("-k", metavar="GLOB", dest="pattern", default="*",
                        help="only these operations")
    parser.add_argument("--json", metavar="FILE", type=pathlib.Path,
                        help="write the results to FILE")
    parser.add_argument("--compare", metavar="FILE", type=pathlib.Path,
                        help="compare with what --json wrote; a rise of more than 3 %% fails")
    parser.add_argument("--where", action="store_true",
                        help="tell in which functions of the kernel the instructions are")
    parser.add_argument("--scale", action="store_true",
                        help="also with up to 4,000 threads, 100,000 capabilities, 1,000 processes")
    parser.add_argument("--wall", action="store_true",
                        help="real time under plain TCG instead, as ratios; "
                             "differs from run to run")
    parser.add_argument("--accept", action="store_true",
                        help="make the figures those that the test suite expects")


def _where(tree, names):
    guest_rows = [r.name for r in rows.ROWS if r.source == rows.GUEST and r.name in names]
    for name, split in trace.run(tree, guest_rows).items():
        term.out("\n".join([*table.where(name, split), ""]))
    return OK


def _accept(results):
    document.accept(results)
    term.note(f"accepted: {paths.shown(document.EXPECTED)}")
    if len(results) == len(rows.ROWS):
        document.publish(results)
        term.note(f"written: {paths.shown(document.PAGE)}")


def _compared(results, file):
    changes = document.compare(results, document.read(file))
    term.out("\n".join(["", *table.changes(changes)]))
    return FAILED if any(c.rose for c in changes) else OK


def run(args):
    refuse_extra(args)
    names = fnmatch.filter(rows.NAMES, args.pattern)
    if not names:
        raise UsageProblem(f"no operation matches -k {args.pattern} "
                           f"(there are: {', '.join(rows.NAMES)})")
    if args.compare:
        document.read(args.compare)
    if args.json:
        check_output("--json", args.json)
    tree = paths.build_tree(args.debug, args.build_dir)
    collect.build(tree)
    qemu.check_version()
    if args.where:
        return _where(tree, names)
    if args.wall:
        term.out("\n".join(table.aligned(wall.lines(wall.run(tree, names)))))
        return OK
    results = collect.run(tree, names)
    term.out("\n".join(table.results(results)))
    accepted = results
    if args.scale:
        large = scale.run(tree)
        for block in scale.blocks(large):
            term.out("\n".join(["", *table.aligned(block)]))
        results = results + large
    if args.json:
        document.write(args.json, document.document(tree, results))
    if args.accept:
        _accept(accepted)
    return _compared(results, args.compare) if args.compare else OK
