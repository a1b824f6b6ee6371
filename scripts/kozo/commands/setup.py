# SPDX-License-Identifier: MIT
"""Install the Debian packages that are missing.

Every other command does this by itself. Where it may not (no root, no passwordless sudo, or
KOZO_NO_INSTALL is set) it prints the command to run instead and ends with 3."""

from kozo import packages, qemu, term
from kozo.commands import refuse_extra
from kozo.errors import ENVIRONMENT, OK

HELP = "install what is missing on this machine"
ORDER = 40


def add_arguments(parser):
    parser.add_argument("--check", action="store_true", help="only say what is missing")


def run(args):
    refuse_extra(args)
    if args.check:
        names = packages.missing()
        term.out("missing: " + " ".join(names) if names else "nothing is missing")
        return ENVIRONMENT if names else OK
    packages.ensure()
    qemu.check_version()
    term.out("everything is there")
    return OK
