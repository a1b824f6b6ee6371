# SPDX-License-Identifier: MIT
"""Count the branches of the portable kernel core that the unit tests take.

Prints a table by file. Fails below 95 %, when a branch that is never taken is not listed with its
reason in tests/coverage.txt, and when the list names one that is taken."""

import json

from kozo import coverage, packages, paths, term
from kozo.commands import add_build_options, check_output, refuse_extra
from kozo.errors import FAILED, OK

HELP = "branch coverage of the kernel core by the unit tests"
ORDER = 33
EPILOG = """examples:
  ./kozo coverage
  ./kozo coverage --gaps"""


def add_arguments(parser):
    add_build_options(parser)
    parser.add_argument("--gaps", action="store_true", help="print the branches never taken, too")
    parser.add_argument("--json", metavar="FILE", help="write the figures as JSON")


def _row(file, total, taken):
    share = 100.0 * taken / total if total else 100.0
    return f"{file:<34}{total:>10}{total - taken:>10}{share:>10.1f}"


def _table(found):
    term.out(f"{'file':<34}{'branches':>10}{'not taken':>10}{'percent':>10}")
    for file, (total, taken) in found.files.items():
        term.out(_row(file, total, taken))
    total, taken = (sum(column) for column in zip(*found.files.values()))
    term.out(_row("total", total, taken))


def _write(found, path):
    with open(path, "w") as to:
        json.dump({"percent": round(found.percent, 2), "files": found.files,
                   "gaps": [str(g) for g in found.gaps]}, to, indent=1)
        to.write("\n")


def run(args):
    refuse_extra(args)
    if args.json:
        check_output("--json", args.json)
    packages.ensure()
    found = coverage.read(coverage.measure(paths.build_tree(args.debug, args.build_dir)))
    _table(found)
    if args.gaps:
        for gap in found.gaps:
            term.out(str(gap))
    if args.json:
        _write(found, args.json)
    problems = coverage.problems(found.gaps, coverage.listed(coverage.LIST.read_text()))
    if found.percent < coverage.LEAST:
        problems.append(f"{found.percent:.1f} % of the branches, at least {coverage.LEAST:g}")
    for problem in problems:
        term.error(problem)
    return FAILED if problems else OK
