# SPDX-License-Identifier: MIT
"""Build KOZO and run its test suites.

The last line on stdout is `N passed, N failed` (and `, N skipped`); a hang, a panic or a case never
reached counts as failed. Logs of what failed are kept in build/test-logs/."""

import pathlib

from kozo import builder, packages, paths, qemu, suites, term
from kozo.commands import add_build_options, check_output, refuse_extra
from kozo.errors import FAILED, OK, BuildFailed, UsageProblem
from kozo.harness import junit, vm
from kozo.harness.runner import Context, Runner, listing
from kozo.harness.select import Selection

HELP = "build it and run the test suites"
ORDER = 30

_SUITES = suites.load()
EPILOG = "suites:\n" + "\n".join(
    f"  {name:<10}{module.__doc__.splitlines()[0]}" for name, module in _SUITES.items())


def add_arguments(parser):
    add_build_options(parser)
    parser.add_argument("--suite", metavar="NAME[,NAME]", help="only these suites (default: all)")
    parser.add_argument("-k", metavar="GLOB", dest="pattern",
                        help="only tests whose name matches: suite/group.case, group, case, ...")
    parser.add_argument("--list", action="store_true", help="print the names of the tests")
    parser.add_argument("--repeat", type=int, default=1, metavar="N", help="run everything N times")
    parser.add_argument("--timeout", type=float, metavar="S",
                        help="time limit of each boot or test program, in seconds")
    parser.add_argument("-j", "--jobs", type=int, metavar="N", help="guests at once (default: 2)")
    parser.add_argument("--junit", metavar="FILE", type=pathlib.Path, help="write JUnit XML")
    parser.add_argument("-v", "--verbose", action="store_true", help="show the logs of what failed")


def _chosen(names):
    if names is None:
        return _SUITES
    wanted = [n for n in names.split(",") if n]
    unknown = [n for n in wanted if n not in _SUITES]
    if unknown or not wanted:
        raise UsageProblem(f"--suite: {', '.join(unknown) or 'nothing'} is not a suite "
                           f"(there are: {', '.join(_SUITES)})")
    return {n: _SUITES[n] for n in _SUITES if n in wanted}


def _check(args):
    refuse_extra(args)
    if args.repeat < 1:
        raise UsageProblem("--repeat: at least 1")
    if args.jobs is not None and args.jobs < 1:
        raise UsageProblem("--jobs: at least 1")
    if args.timeout is not None and not args.timeout > 0:
        raise UsageProblem("--timeout: the seconds must be more than 0")


def _build(runner, chosen, tree):
    """Build if a chosen suite needs it; the suites that can run.
    A failed build is a failed test."""
    packages.ensure()
    qemu.check_version()
    if not any(s.NEEDS_BUILD for s in chosen.values()):
        return chosen
    try:
        builder.build(tree)
        return chosen
    except BuildFailed as e:
        builder.report_failure(e)
        runner.fail("build", "kozo", "build", str(e), e.log)
        return {n: s for n, s in chosen.items() if not s.NEEDS_BUILD}


def _list(context, chosen):
    if any(s.NEEDS_BUILD for s in chosen.values()):
        builder.build(context.tree)
    names = listing(context, chosen.values())
    if not names:
        raise _no_tests(context.selection.pattern)
    for name in names:
        term.out(name)
    return OK


def _no_tests(pattern):
    return UsageProblem(f"no test matches -k {pattern}" if pattern else "no tests")


def run(args):
    _check(args)
    chosen = _chosen(args.suite)
    tree = paths.build_tree(args.debug, args.build_dir)
    context = Context(tree, args.timeout, args.verbose, Selection(args.pattern),
                      tuple(chosen) if args.suite else ())
    if args.list:
        return _list(context, chosen)
    if args.junit:
        check_output("--junit", args.junit)
    runner = Runner(context, args.jobs)
    runnable = _build(runner, chosen, tree)
    try:
        runner.run(runnable.values(), args.repeat)
    finally:
        vm.stop_all()
        if args.junit:
            junit.write(runner.results, args.junit)
    if not runner.results:
        raise _no_tests(args.pattern)
    line = runner.closing_line()
    term.out(line)
    return FAILED if any(r.bad for r in runner.results) else OK
