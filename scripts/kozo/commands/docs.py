# SPDX-License-Identifier: MIT
"""Make anew what the documents take from the source:
tables from .def tables, docs/sys from headers."""

from kozo import doctables, manpages, paths, term
from kozo.commands import refuse_extra
from kozo.errors import FAILED, OK

HELP = "bring the tables in docs/ up to date"
ORDER = 60


def add_arguments(parser):
    parser.add_argument("--check", action="store_true", help="only say which are out of date")


def run(args):
    refuse_extra(args)
    stale = doctables.stale() + manpages.stale()
    for path, text in stale:
        if not args.check and text is None:
            path.unlink()
        elif not args.check:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
        term.out(f"{'out of date' if args.check else 'written'}: {paths.shown(path)}")
    return FAILED if stale and args.check else OK
