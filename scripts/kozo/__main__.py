# SPDX-License-Identifier: MIT
"""Entry of ./kozo: makes this folder importable as the package `kozo` and runs it."""

import os
import sys

sys.dont_write_bytecode = True


def _open_standard_streams():
    """With stdin, stdout or stderr closed, later files would take their numbers;
    give them /dev/null."""
    while True:
        fd = os.open(os.devnull, os.O_RDWR)
        if fd > 2:
            os.close(fd)
            return
        os.set_inheritable(fd, True)


_open_standard_streams()
if sys.stdout is None:
    sys.stdout = open(1, "w", closefd=False)
if sys.stderr is None:
    sys.stderr = open(2, "w", closefd=False)
if sys.stdin is None:
    sys.stdin = open(0, closefd=False)

if sys.version_info < (3, 11):
    running = sys.version.split()[0]
    print(f"kozo: error: Python 3.11 or newer is needed, {sys.executable} is {running}",
          file=sys.stderr)
    sys.exit(3)

sys.path[0] = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

from kozo import cli  # noqa: E402

sys.exit(cli.main(sys.argv[1:]))
