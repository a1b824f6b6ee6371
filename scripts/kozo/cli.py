# SPDX-License-Identifier: MIT
"""Arguments, errors, exit codes."""

import argparse
import importlib
import os
import pkgutil
import signal
import sys

from kozo import builder, commands, errors, term

DESCRIPTION = """KOZO, a capability microkernel: build it, boot it, test it.

Each command does the set-up it needs, packages too, and asks nothing."""

EPILOG = """exit codes: 0 ok, 1 a test or the guest failed, 2 usage, 3 something is missing on this
machine, 4 the kernel panicked, 5 time-out, 130 interrupted"""


def _modules():
    """The command modules, in the order they ask to be listed in."""
    found = [importlib.import_module(f"{commands.__name__}.{m.name}")
             for m in pkgutil.iter_modules(commands.__path__)]
    return sorted(found, key=lambda m: (getattr(m, "ORDER", 100), m.__name__))


def _parser():
    parser = argparse.ArgumentParser(prog="kozo", description=DESCRIPTION, epilog=EPILOG,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    sub = parser.add_subparsers(title="commands", metavar="COMMAND", dest="command", required=True)
    for module in _modules():
        name = module.__name__.rsplit(".", 1)[1]
        command = sub.add_parser(name, help=module.HELP, prog=f"kozo {name}",
                                 description=module.__doc__, epilog=getattr(module, "EPILOG", None),
                                 formatter_class=argparse.RawDescriptionHelpFormatter)
        module.add_arguments(command)
        command.set_defaults(run=module.run, parser=command)
    return parser


def _on_term(_signal, _frame):
    raise KeyboardInterrupt


def main(arguments):
    """Run one command; returns the exit code."""
    signal.signal(signal.SIGTERM, _on_term)
    own, extra = arguments, []
    if "--" in arguments:
        cut = arguments.index("--")
        own, extra = arguments[:cut], arguments[cut + 1:]
    try:
        args, unknown = _parser().parse_known_args(own)
        if unknown:
            args.parser.error(f"unrecognized arguments: {' '.join(unknown)}")
        args.extra = extra
        return args.run(args)
    except errors.BuildFailed as e:
        builder.report_failure(e)
        term.error(str(e))
        return e.code
    except errors.KozoError as e:
        term.error(str(e))
        return e.code
    except KeyboardInterrupt:
        term.note("interrupted")
        return errors.INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return errors.FAILED
