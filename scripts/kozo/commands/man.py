# SPDX-License-Identifier: MIT
"""Show what is written about a call of kozo-sys, or a command of the shell.

Calls are told from the headers in sys/include/kozo; commands and programs have a page each in
docs/commands."""

import difflib

from kozo import manpages, paths, term
from kozo.commands import refuse_extra
from kozo.errors import OK, UsageProblem

HELP = "show what a call of kozo-sys or a command of the shell does"
ORDER = 65
COMMANDS = paths.SOURCE / "docs" / "commands"


def add_arguments(parser):
    parser.add_argument("name", metavar="NAME", help="kozo_cap_mint, fs_call_open, ls ...")


def _names():
    """All there is a page about."""
    calls = [c for h in manpages.headers() for c in h.all_calls()]
    return calls + [p.stem for p in COMMANDS.glob("*.md") if p.stem != "README"]


def run(args):
    refuse_extra(args)
    page = COMMANDS / f"{args.name}.md"
    known = _names()
    if args.name not in known:
        near = difflib.get_close_matches(args.name, known, n=3)
        raise UsageProblem(f"there is no page about {args.name}" +
                           (f" (near it: {', '.join(near)})" if near else ""))
    term.out(page.read_text().rstrip() if page.exists() else manpages.entry(args.name))
    return OK
