# SPDX-License-Identifier: MIT
"""instructions that operations of the kernel take, against the accepted figures

The counts are the same on every run; one that rises by more than 3 % over tests/bench/expected.json
fails. A new figure is accepted on purpose with ./kozo bench --accept. The group `scale` holds
operations to cost the same in a large system.
"""

import time
from dataclasses import replace

from kozo.bench import document, rows, scale
from kozo.bench import collect as measure
from kozo.harness import scripted
from kozo.harness.results import FAIL, PASS, SKIP
from kozo.harness.runner import Job

ORDER = 40
NEEDS_BUILD = True


def _judged(blank, result, expected):
    problem = document.problem(result, expected.get(result.name))
    if problem is None:
        return replace(blank, status=PASS)
    where = f"{document.EXPECTED.relative_to(document.EXPECTED.parents[2])}: {result.name}"
    return replace(blank, status=FAIL, message=problem, body=f"{where}: {problem}")


def _debug(blanks):
    return [replace(b, status=SKIP, message="the figures are the release build's") for b in blanks]


def _counts(context, names):
    """One measurement for all rows; a result for each."""
    blanks = {n: scripted.blank("bench", "count", n) for n in names}
    if context.tree.debug:
        return _debug(blanks.values())
    start = time.monotonic()
    measure.build(context.tree)
    results = measure.run(context.tree, names, split=False)
    expected = document.read(document.EXPECTED)
    each = (time.monotonic() - start) / len(results)
    return [replace(_judged(blanks[r.name], r, expected), seconds=each) for r in results]


def _flat(blank, results):
    grown = list(scale.growth(results, blank.name))
    if not grown:
        return replace(blank, status=PASS)
    return replace(blank, status=FAIL, message=grown[0], body="\n".join(grown))


def _scale(context, whats):
    """The same in a large system: a result for what it is large in."""
    blanks = [scripted.blank("bench", "scale", w) for w in whats]
    if context.tree.debug:
        return _debug(blanks)
    start = time.monotonic()
    measure.build(context.tree)
    results = scale.run(context.tree)
    each = (time.monotonic() - start) / len(blanks)
    return [replace(_flat(b, results), seconds=each) for b in blanks]


def collect(context):
    jobs = []
    for group, cases, run in (("count", rows.NAMES, _counts), ("scale", scale.WHATS, _scale)):
        wanted = tuple(c for c in cases if context.selection.has("bench", group, c))
        if wanted:
            jobs.append(Job("bench", group, lambda r=run, w=wanted: r(context, w), wanted,
                            parallel=False))
    return jobs
