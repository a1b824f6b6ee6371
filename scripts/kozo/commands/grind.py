# SPDX-License-Identifier: MIT
"""Grind the kernel: random calls, faults, interrupts and kills in a guest, for as long as you like.

The seed fixes what each thread chooses, and is printed. With --exact the machine counts its time by
instructions, so that the same seed does the same to the last instruction, each time; then it is
slower, and the time is the guest's."""

import contextlib
import sys

from kozo import builder, fuzzing, grinding, paths, qemu, term
from kozo.commands import add_build_options, refuse_extra
from kozo.errors import FAILED, OK, PANIC, TIMEOUT, UsageProblem
from kozo.harness import verdict
from kozo.harness.staging import Staging
from kozo.harness.vm import Vm

HELP = "stress the kernel with random programs"
ORDER = 36
SLOWER = 100    # times, at most, that a guest whose time is counted takes
EPILOG = """examples:
  ./kozo grind --time 2h
  ./kozo grind --time 5s --exact --seed 0x5eed"""


def _number(text):
    try:
        value = int(text, 0)
    except ValueError:
        value = -1
    if not 0 <= value < 1 << 64:
        raise UsageProblem(f"--seed: {text} is no number of 64 bits, as 0x5eed")
    return value


def add_arguments(parser):
    add_build_options(parser)
    parser.add_argument("--time", default="60s", metavar="T", help="how long: 90s, 10m, 2h (60s)")
    parser.add_argument("--seed", metavar="N", help="where chance begins (another one each time)")
    parser.add_argument("--exact", action="store_true", help="the same seed does exactly the same")
    parser.add_argument("--cpu", default=qemu.CPU, help="CPU model (default: %(default)s)")


def _print(vm):
    """The console, as it comes; until the guest ends."""
    shown = 0
    while True:
        ended = vm.ended(0.5)
        text = vm.text
        sys.stdout.write(text[shown:])
        sys.stdout.flush()
        shown = len(text)
        if ended:
            return


def _grind(vm, tree, again):
    _print(vm)
    status = vm.wait()
    tap = verdict.read_tap(vm.tap_lines)
    problem = verdict.guest_problem(vm, status, tap)
    bad = [p for p in tap.points if not p.ok]
    if not problem and not bad:
        return OK
    folder = tree.logs / "grind"
    vm.keep(folder)
    term.error(f"{problem[0]}: {problem[1]}" if problem else "; ".join(bad[0].diagnostics))
    term.note(f"logs: {paths.shown(folder)}")
    term.note(f"again: {again}")
    return {"panic": PANIC, "hang": TIMEOUT}.get(problem[0], FAILED) if problem else FAILED


def run(args):
    refuse_extra(args)
    seconds = fuzzing.seconds(args.time)
    number = grinding.seed() if args.seed is None else _number(args.seed)
    tree = paths.build_tree(args.debug, args.build_dir)
    builder.build(tree)
    qemu.check_version()
    again = f"./kozo grind --time {args.time} --seed {number:#x} --cpu {args.cpu}" \
            + (" --exact" if args.exact else "")
    with contextlib.closing(Staging(tree)) as staging:
        append = f"kozo.init=bin/{grinding.PROGRAM} {grinding.words(seconds, number)}"
        machine = qemu.Machine(tree.kernel, staging.pack(), append, cpu=args.cpu)
        limit = 60 + seconds * (SLOWER if args.exact else 2)
        with Vm(machine, limit, grinding.EXACT if args.exact else ()) as vm:
            return _grind(vm, tree, again)
