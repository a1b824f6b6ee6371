# SPDX-License-Identifier: MIT
"""Boot KOZO and print how much of each thread's stack, and of the kernel's own, was never used.

The guest is looked at when it has said READY, after the commands of --exec if there are any."""

from kozo import builder, paths, qemu, stacks, term
from kozo.commands import add_build_options, refuse_extra
from kozo.errors import OK, UsageProblem
from kozo.harness.vm import Vm

HELP = "show how deep each thread's stack has been"
ORDER = 37
MEMORY = 256 << 20
SECONDS = 60.0


def add_arguments(parser):
    add_build_options(parser)
    parser.add_argument("--exec", dest="commands", metavar="'CMD; CMD'", help="run these first")


def _row(name, serial, size, unused):
    return f"{name:<10} {serial:>6} {size:>8} {size - unused:>8} {unused:>8}"


def run(args):
    refuse_extra(args)
    if args.commands and not args.commands.isprintable():
        raise UsageProblem("--exec: the commands are typed, and have no line ends "
                           "or other control characters")
    tree = paths.build_tree(args.debug, args.build_dir)
    builder.build(tree)
    qemu.check_version()
    with Vm(qemu.Machine(tree.kernel, tree.initrd, memory="256M"), SECONDS) as vm:
        vm.wait_for("^KOZO READY$")
        vm.wait_for("^kozo> ")
        if args.commands:
            vm.send(args.commands + "\n")
            vm.wait_for("^kozo> ")
        threads, kernel = stacks.of(vm, tree.kernel, MEMORY)
    term.out(f"{'thread':<10} {'serial':>6} {'bytes':>8} {'used':>8} {'never':>8}")
    for s in threads:
        term.out(_row(s.name, s.serial, s.size, s.unused))
    for s in kernel:
        term.out(_row(s.name, "kernel", s.size, s.unused))
    return OK
