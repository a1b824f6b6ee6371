# SPDX-License-Identifier: MIT
"""Remove the build folders: build/ and build-debug/, or the one --build-dir names."""

import shutil

from kozo import paths, term
from kozo.commands import refuse_extra
from kozo.errors import OK, UsageProblem

HELP = "remove what was built"
ORDER = 50


def add_arguments(parser):
    parser.add_argument("--build-dir", metavar="DIR", help="remove this build folder only")


def run(args):
    refuse_extra(args)
    if args.build_dir:
        folders = [paths.build_tree(False, args.build_dir).root]
    else:
        folders = [paths.build_tree(debug).root for debug in (False, True)]
    for folder in folders:
        if not folder.exists():
            continue
        if args.build_dir and not paths.is_build_folder(folder):
            raise UsageProblem(f"{folder} was not made by ./kozo build; remove it by hand")
        shutil.rmtree(folder)
        term.note(f"removed {paths.shown(folder)}")
    return OK
