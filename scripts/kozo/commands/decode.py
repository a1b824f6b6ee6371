# SPDX-License-Identifier: MIT
"""Add file and line to the addresses in a boot log.

LOG is what a guest printed; without it, or with -, the log is read from standard input. Each line
is printed as it is; behind an address of the kernel's or a service's backtrace stands where it is
in the source, and inlined functions follow. The build folder must be the one whose kernel and
programs were booted."""

import sys

from kozo import paths, term
from kozo.commands import refuse_extra
from kozo.decode import Decoder
from kozo.errors import OK, UsageProblem

HELP = "add file and line to a panic or fault report"
ORDER = 15
EPILOG = """examples:
  ./kozo decode boot.log
  ./kozo run --exec 'poweroff' | tee boot.log | ./kozo decode"""


def add_arguments(parser):
    parser.add_argument("--debug", action="store_true", help="the debug build, in build-debug/")
    parser.add_argument("--build-dir", metavar="DIR", help="what was booted is in DIR")
    parser.add_argument("log", nargs="?", default="-", metavar="LOG", help="a file, or - (default)")


def _lines(name):
    """The log's lines, as they come."""
    try:
        stream = sys.stdin.buffer if name == "-" else open(name, "rb")
        with stream:
            for line in stream:
                yield line.decode("utf-8", "replace").rstrip("\r\n")
    except OSError as e:
        raise UsageProblem(f"{name}: {e.strerror}") from e


def run(args):
    refuse_extra(args)
    tree = paths.build_tree(args.debug, args.build_dir)
    if not tree.kernel.is_file():
        raise UsageProblem(f"{paths.shown(tree.kernel)}: no such file: "
                           "build what was booted (./kozo build)")
    decoder = Decoder(tree)
    for line in _lines(args.log):
        for new in decoder.line(line):
            term.out(new)
    if decoder.other_build:
        term.note(f"{paths.shown(tree.kernel)} is not what was booted; "
                  f"it has other code at: {decoder.other_build}")
    elif decoder.found == 0:
        term.note("no address of the kernel or of a program was found")
    return OK
