# SPDX-License-Identifier: MIT
"""Lines for the person at the terminal. Colour only where a terminal shows it."""

import os
import sys
import threading

_CODES = {"red": "31", "green": "32", "yellow": "33", "bold": "1", "dim": "2"}
_lock = threading.Lock()


def has_colour(stream):
    """Whether `stream` shows colour: a terminal that is not dumb, and NO_COLOR is not set."""
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return stream.isatty()


def paint(text, colour, stream=None):
    """`text` in `colour` if `stream` (default stdout) shows colour."""
    if not has_colour(stream or sys.stdout):
        return text
    return f"\033[{_CODES[colour]}m{text}\033[0m"


def out(text=""):
    """One or more lines on stdout."""
    with _lock:
        print(text, flush=True)


def note(text):
    """Progress, on stderr, so that stdout stays the result."""
    with _lock:
        print(f"kozo: {text}", file=sys.stderr, flush=True)


def error(text):
    """An error line on stderr."""
    with _lock:
        print(f"kozo: {paint('error:', 'red', sys.stderr)} {text}", file=sys.stderr, flush=True)
