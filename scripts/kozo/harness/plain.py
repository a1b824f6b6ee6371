# SPDX-License-Identifier: MIT
"""Suites of plain Python functions: a file per group, a function per case."""

import time
from dataclasses import replace

from kozo.harness import scripted
from kozo.harness.runner import Job


def _run(blank, function, arguments):
    start = time.monotonic()
    status, kind, message, body = scripted.judge(function, *arguments)
    return [replace(blank, status=status, kind=kind, message=message, body=body,
                    seconds=time.monotonic() - start)]


def jobs(context, suite, folder, prefix, arguments=(), parallel=True):
    """A job for each function PREFIXname in folder/PREFIX*.py, called with `arguments`."""
    found = []
    for file in sorted(folder.glob(f"{prefix}*.py")):
        group = file.stem[len(prefix):]
        for case, function in scripted.functions(scripted.load(file), prefix):
            if context.selection.has(suite, group, case):
                blank = scripted.blank(suite, group, case)
                found.append(Job(suite, group, lambda b=blank, f=function: _run(b, f, arguments),
                                 (case,), parallel=parallel))
    return found
