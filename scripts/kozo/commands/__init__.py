# SPDX-License-Identifier: MIT
"""The commands of ./kozo, one module each, named like the command.

A module has a docstring (the first part of its --help), HELP (one line for the list),
add_arguments(parser) and run(args), which returns the exit code; ORDER places it in the list.
"""

import pathlib


def add_build_options(parser):
    """The options of every command that builds."""
    parser.add_argument("--debug", action="store_true", help="the debug build, in build-debug/")
    parser.add_argument("--build-dir", metavar="DIR", help="build in DIR instead")


def check_output(option, path):
    """Refuse a file that cannot be written before there is anything to write; makes its folder."""
    from kozo.errors import UsageProblem
    path = pathlib.Path(path)
    try:
        if not path.parent.exists():
            path.parent.mkdir(parents=True)
        there = path.exists()
        with open(path, "a"):
            pass
        if not there:
            path.unlink()
    except OSError as e:
        raise UsageProblem(f"{option}: {path}: cannot be written: {e.strerror}") from e


def refuse_extra(args):
    """For commands that take nothing after `--`."""
    from kozo.errors import UsageProblem
    if args.extra:
        raise UsageProblem(f"nothing is expected after --: {' '.join(args.extra)}")
