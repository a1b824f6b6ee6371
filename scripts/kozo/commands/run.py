# SPDX-License-Identifier: MIT
"""Build KOZO and boot it in QEMU on this terminal.

On a terminal the guest has the keyboard, Ctrl-C included: Ctrl-A X ends QEMU, Ctrl-A C reaches its
monitor. Without one what is piped in is typed at the prompt, and what policy would ask is denied.
What follows -- is given to QEMU."""

import contextlib
import shlex
import signal
import subprocess
import sys

from kozo import builder, cmdline, packages, paths, qemu, term
from kozo.commands import add_build_options
from kozo.errors import OK, PANIC, TIMEOUT, EnvironmentProblem, UsageProblem

HELP = "boot it in QEMU"
ORDER = 10
UNATTENDED = "kozo.unattended"   # nobody can answer what policy asks: it denies
EPILOG = """examples:
  ./kozo run
  ./kozo run --exec 'poweroff'
  ./kozo run --cpu max --mem 64M --timeout 10
  ./kozo run --dry-run -- -d int"""


def add_arguments(parser):
    add_build_options(parser)
    machine = parser.add_argument_group("machine")
    machine.add_argument("--cpu", default=qemu.CPU, help="CPU model (default: %(default)s)")
    machine.add_argument("--mem", default=qemu.MEMORY, metavar="SIZE",
                         help="memory, as 64M or 8G (default: %(default)s)")
    machine.add_argument("--machine", default=qemu.MACHINE, metavar="M",
                         help="QEMU machine, as pc or q35 (default: %(default)s)")
    what = parser.add_argument_group("what is booted")
    what.add_argument("--append", default="", metavar="STR", help="kernel command line")
    what.add_argument("--exec", dest="commands", metavar="'CMD; CMD'",
                      help='run these after READY, then power off (kozo.run="...")')
    what.add_argument("--initrd", metavar="FILE", help="archive (default: build/initrd.cpio)")
    what.add_argument("--kernel", metavar="FILE", help="kernel (default: build/kozo.elf)")
    parser.add_argument("--timeout", type=float, metavar="S", help="give up after S seconds")
    parser.add_argument("--dry-run", action="store_true", help="only print the QEMU command")


def _command(args, tree):
    append = args.append
    if not cmdline.words(append)[1]:
        raise UsageProblem("--append: a double quote is not closed")
    if args.commands is not None:
        append = f"{append} {cmdline.commands(args.commands)}".strip()
    elif not sys.stdin.isatty():
        append = f"{append} {UNATTENDED}".strip()
    cmdline.check(append)
    config = qemu.Machine(
        kernel=args.kernel or tree.kernel, initrd=args.initrd or tree.initrd, append=append,
        cpu=args.cpu, memory=args.mem, machine=args.machine)
    serial = "mon:stdio" if sys.stdin.isatty() else "stdio"
    return qemu.command(config) + ["-monitor", "none", "-serial", serial] + args.extra


def _wait(process, timeout):
    """QEMU's exit status, or None when it had to be ended at the time limit."""
    try:
        return process.wait(timeout)
    except subprocess.TimeoutExpired:
        return None
    finally:
        qemu.stop(process)


@contextlib.contextmanager
def _input(piped):
    """QEMU's standard input. The guest's port loses a first byte that comes before the port is set
    up: in front of what is piped in there is a line end for that."""
    if not piped:
        yield None
        return
    with subprocess.Popen(["sh", "-c", "echo; exec cat"], stdout=subprocess.PIPE) as feeder:
        try:
            yield feeder.stdout
        finally:
            feeder.terminate()


def _boot(command, timeout, piped):
    sys.stdout.flush()
    on_terminal = sys.stdin.isatty()
    previous = signal.signal(signal.SIGINT, signal.SIG_IGN) if on_terminal else None
    try:
        with _input(piped) as source:
            return _wait(subprocess.Popen(command, stdin=source), timeout)
    except FileNotFoundError as e:
        raise EnvironmentProblem(qemu.MISSING) from e
    finally:
        if previous is not None:
            signal.signal(signal.SIGINT, previous)


def _prepare(args, tree):
    """Build what is needed; given files must exist."""
    for file in (args.kernel, args.initrd):
        if file and not paths.Path(file).is_file():
            raise UsageProblem(f"{file}: no such file")
    if args.kernel and args.initrd:
        packages.ensure()
    else:
        builder.build(tree)
    qemu.check_version()


def run(args):
    tree = paths.build_tree(args.debug, args.build_dir)
    command = _command(args, tree)
    if args.dry_run:
        term.out(shlex.join(command))
        return OK
    if args.timeout is not None and not args.timeout > 0:
        raise UsageProblem("--timeout: the seconds must be more than 0")
    _prepare(args, tree)
    status = _boot(command, args.timeout, args.commands is None and not sys.stdin.isatty())
    if status is None:
        term.error(f"the guest was still running after {args.timeout:g} s (--timeout)")
        return TIMEOUT
    outcome = qemu.outcome(status)
    if outcome.text:
        (term.error if outcome.code else term.note)(outcome.text)
    if outcome.code == PANIC:
        term.note("for files and lines save it and type: ./kozo decode LOG "
                  "(or paste it into ./kozo decode)")
    return outcome.code
