# SPDX-License-Identifier: MIT
"""Build the kernel, the programs, the default archive and the unit tests.

    build/kozo.elf        the kernel
    build/initrd.cpio     the default archive
    build/bin/            every program, with symbols
    build/compile_commands.json"""

import time

from kozo import builder, paths, term
from kozo.commands import add_build_options, refuse_extra
from kozo.errors import OK

HELP = "build kernel, programs and archive"
ORDER = 20


def add_arguments(parser):
    add_build_options(parser)
    parser.add_argument("-v", "--verbose", action="store_true", help="show each step")


def run(args):
    refuse_extra(args)
    tree = paths.build_tree(args.debug, args.build_dir)
    start = time.monotonic()
    builder.build(tree, args.verbose)
    for file in (tree.kernel, tree.initrd):
        if file.exists():
            term.out(f"{paths.shown(file)}  {file.stat().st_size:,} bytes")
    term.note(f"built in {time.monotonic() - start:.1f} s")
    return OK
