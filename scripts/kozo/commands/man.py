# SPDX-License-Identifier: MIT
"""Show what is written about a call or header of kozo-sys, or a command of the shell.

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
    parser.add_argument("name", metavar="NAME", help="kozo_cap_mint, fs_call_open, make.h, ls ...")


def _pages():
    """Name -> what makes the text of its page, of all there is a page about."""
    found = {}
    for h in manpages.headers():
        found[h.name] = lambda h=h: manpages.page(h)
        found |= {c: lambda c=c: manpages.entry(c) for c in h.all_calls()}
    return found | {p.stem: p.read_text for p in COMMANDS.glob("*.md") if p.stem != "README"}


def run(args):
    refuse_extra(args)
    pages = _pages()
    name = args.name.removeprefix("kozo/")
    if name not in pages:
        near = difflib.get_close_matches(name, pages, n=3)
        raise UsageProblem(f"there is no page about {args.name}" +
                           (f" (near it: {', '.join(near)})" if near else ""))
    term.out(pages[name]().rstrip())
    return OK
