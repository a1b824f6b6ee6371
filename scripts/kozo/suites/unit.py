# SPDX-License-Identifier: MIT
"""the portable kernel core in a process of this machine, under ASan and UBSan

The executable prints TAP; `--list` prints the names of its cases. A name is MODULE.CASE or CASE.
It runs as several processes at once, each with its part of the cases.
"""

import concurrent.futures
import os
import subprocess
import time
from dataclasses import replace

from kozo.harness import verdict
from kozo.harness.runner import Job

ORDER = 10
NEEDS_BUILD = True
SECONDS = 300.0
PARTS = 2

_OPTIONS = {"ASAN_OPTIONS": "abort_on_error=0:detect_leaks=1:detect_stack_use_after_return=1",
            "UBSAN_OPTIONS": "print_stacktrace=1",
            "ASAN_SYMBOLIZER_PATH": "/usr/bin/llvm-symbolizer-19"}


def _names(program):
    """The cases the program says it has; none when it cannot say."""
    try:
        asked = subprocess.run([program, "--list"], stdin=subprocess.DEVNULL, text=True, timeout=60,
                               capture_output=True, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ()
    return tuple(asked.stdout.split()) if asked.returncode == 0 else ()


def _execute(command, seconds):
    """(status or None at the limit, stdout, stderr)."""
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True, errors="replace",
                               env={**os.environ, **_OPTIONS})
    try:
        out, err = process.communicate(timeout=seconds)
        return process.returncode, out, err
    except subprocess.TimeoutExpired:
        process.kill()
        out, err = process.communicate()
        return None, out, err
    except BaseException:
        process.kill()
        raise


def _problem(status, tap, err, seconds):
    if status is None:
        return "hang", f"still running after {seconds:g} s"
    if status not in (0, 1) or "Sanitizer" in err or "runtime error:" in err:
        first = next((line for line in err.splitlines()
                      if "ERROR:" in line or "runtime error:" in line),
                     f"ended with status {status}")
        return "crash", first.strip()
    return verdict.tap_problem(tap, status == 0)


def _split(result):
    """A case named MODULE.CASE belongs to the group MODULE."""
    module, dot, case = result.name.partition(".")
    return replace(result, group=module, name=case) if dot else result


def _run_part(context, program, part):
    seconds = context.seconds(SECONDS)
    start = time.monotonic()
    status, out, err = _execute([program, "--part", f"{part}/{PARTS}"], seconds)
    spent = time.monotonic() - start
    tap = verdict.read_tap([(0.0, line) for line in out.splitlines()])
    problem = _problem(status, tap, err, seconds)
    log = ""
    if problem or not all(p.ok for p in tap.points):
        folder = context.log_folder("unit", f"part-{part}")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "tap.log").write_text(out)
        (folder / "stderr.log").write_text(err)
        log = str(folder)
    for point in tap.points:
        point.seconds = spent / max(1, len(tap.points))
    found = verdict.results("unit", "unit", tap, problem, err, log, spent)
    return [_split(r) for r in found]


def _run(context, program, names):
    """The results of all parts, in the order of `names`; what is none of them comes last."""
    place = {name: i for i, name in enumerate(names)}
    with concurrent.futures.ThreadPoolExecutor(PARTS) as pool:
        parts = pool.map(lambda part: _run_part(context, program, part), range(PARTS))
        found = [r for part in parts for r in part]
    return sorted(found, key=lambda r: place.get(f"{r.group}.{r.name}", len(place)))


def collect(context):
    """One job; its cases are grouped by module."""
    program = context.tree.unit
    names = _names(program)
    run = lambda: _run(context, program, names)  # noqa: E731
    modules = {}
    for name in names:
        module, dot, case = name.partition(".")
        modules.setdefault(module if dot else "unit", []).append(case if dot else name)
    if not modules:
        return [Job("unit", "unit", run)]
    return _one_run_for_all(modules, run)


def _one_run_for_all(modules, run):
    """A job per module, for -k and --list; the program itself runs once."""
    done = []

    def results_of(module):
        first = not done
        if first:
            done.extend(run())
        known = [r for r in done if r.group == module]
        return known + [r for r in done if first and r.group not in modules]

    return [Job("unit", m, lambda m=m: results_of(m), tuple(cases), parallel=False)
            for m, cases in modules.items()]
