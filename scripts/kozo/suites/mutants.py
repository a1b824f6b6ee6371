# SPDX-License-Identifier: MIT
"""seeded mistakes in the portable core, each of which the unit tests must notice

All of them run when the suite is asked for by name, else those marked `Short: yes`.
"""

import time

from kozo import mutants
from kozo.harness.results import ERROR, FAIL, PASS, SKIP, Result
from kozo.harness.runner import Job

ORDER = 26
NEEDS_BUILD = True

FEWEST = 40
INVARIANTS = {f"I{n}" for n in range(1, 11)}
# The others live in the port to the machine, or in services: tests/mutants/README.md.
MISTAKES = {f"M{n}" for n in (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 15, 16, 17, 18, 19, 20)}


def _list_case(found):
    """There are enough of them, and one at least for each invariant and mistake."""
    missing = (INVARIANTS | MISTAKES) - {s for m in found for s in m.stands_for}
    problem = ""
    if missing:
        problem = f"no mutant stands for {', '.join(sorted(missing))}"
    elif len(found) < FEWEST:
        problem = f"{len(found)} mutants, at least {FEWEST}"
    return [Result("mutants", "list", "complete", FAIL if problem else PASS, message=problem)]


def _unmutated_case(base):
    start = time.monotonic()
    status, message = PASS, ""
    try:
        base.prepare()
    except mutants.Unsound as e:
        status, message = ERROR, str(e)
    return [Result("mutants", "list", "unmutated", status, kind="mutant", message=message,
                   seconds=time.monotonic() - start)]


def _log(context, mutant, text):
    folder = context.log_folder("mutants", mutant.room)
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / f"{mutant.case}.log"
    log.write_text(text)
    return str(log)


def _mutant_case(context, base, mutant):
    start = time.monotonic()
    status, kind, message = PASS, "", ""
    try:
        base.prepare()
        ended = mutants.attempt(base, mutant)
        text = f"killed by {ended.killer}: {ended.how}" if ended.killer else "survived"
        if not ended.killer:
            status, message = FAIL, f"survived: {mutant.fields['Breaks']}"
    except mutants.Unsound as e:    # one of them tells of it; the others were not tried
        status, kind, text = SKIP if e.told else ERROR, "mutant", str(e)
        message = "the sources do not pass without a mutant" if e.told else text
    except mutants.Broken as e:
        status, kind, message, text = ERROR, "mutant", str(e), str(e)
    log = _log(context, mutant, text + "\n")
    return [Result("mutants", mutant.room, mutant.case, status, kind=kind, message=message, log=log,
                   seconds=time.monotonic() - start)]


def _unreadable_case(problem):
    return [Result("mutants", "list", "complete", ERROR, kind="mutant", message=problem)]


def collect(context):
    try:
        found = mutants.load()
    except mutants.Broken as e:
        return [Job("mutants", "list", lambda p=str(e): _unreadable_case(p), ("complete",))]
    base = mutants.Base(context.tree)
    chosen = found if "mutants" in context.named else [m for m in found if m.is_short]
    jobs = [Job("mutants", "list", lambda: _list_case(found), ("complete",)),
            Job("mutants", "list", lambda: _unmutated_case(base), ("unmutated",))]
    return jobs + [Job("mutants", m.room, lambda m=m: _mutant_case(context, base, m), (m.case,))
                   for m in chosen]
