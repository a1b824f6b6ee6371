# SPDX-License-Identifier: MIT
"""Runs the suites: selects, runs jobs side by side where they may, prints, counts."""

import concurrent.futures
import os
import time
import traceback
from dataclasses import dataclass, field, replace
from typing import Callable

from kozo import paths, term
from kozo.harness import vm
from kozo.harness.results import ERROR, FAIL, PASS, SKIP, Result, closing_line
from kozo.harness.select import Selection


@dataclass(frozen=True, eq=False)
class Job:
    """What runs as a piece: a guest, a test program, a function.

    `cases` are the names known beforehand. `run` returns the results; it may return more cases
    than are selected. Jobs that are not `parallel` run alone.
    """
    suite: str
    group: str
    run: Callable[[], list]
    cases: tuple = ()
    variant: str = ""
    parallel: bool = True


@dataclass
class Context:
    """What suites need to know: the build, where logs go, the options.

    `named` are the suites that --suite named: one may then do more than in a run of all.
    """
    tree: paths.BuildTree
    timeout: float | None = None
    verbose: bool = False
    selection: Selection = field(default_factory=Selection)
    named: tuple = ()

    def seconds(self, usual):
        """The time limit of one piece whose own is `usual`."""
        return self.timeout or usual

    def log_folder(self, suite, group, variant=""):
        """Where a piece keeps its logs."""
        words = "-".join([group, *variant.split()]).replace("/", "_").replace(",", "_")
        return self.tree.logs / suite / words


_MARKS = {PASS: ("ok  ", "green"), FAIL: ("FAIL", "red"), ERROR: ("FAIL", "red"),
          SKIP: ("skip", "yellow")}


SHORT = 24      # lines of details shown without -v


def _details(result, verbose):
    """The message, then what goes before the first empty line of the body,
    or with `verbose` all of it."""
    body = result.body if verbose else result.body.split("\n\n")[0]
    details = body.splitlines()
    if result.message and result.message not in details[:1]:
        details = result.message.splitlines() + details
    return details if verbose or len(details) <= SHORT else [*details[:SHORT], "..."]


def _lines(result, verbose):
    """What is printed for a result."""
    mark, colour = _MARKS[result.status]
    variant = f" [{result.variant}]" if result.variant else ""
    why = f": {result.message}" if result.status == SKIP and result.message else ""
    lines = [f"{term.paint(mark, colour)} {result.id}{variant}{why}"]
    if result.bad:
        lines += [f"       {d}" for d in _details(result, verbose)]
        if result.log:
            lines.append(f"       log: {paths.shown(result.log)}")
    return lines


class Runner:
    """One run of ./kozo test."""

    def __init__(self, context, jobs_at_once=None, out=term.out):
        self.context = context
        self.out = out
        self.jobs_at_once = jobs_at_once or max(1, min(2, os.cpu_count() or 1))
        self.results = []

    def _selected(self, job):
        s = self.context.selection
        return s.may_have(job.suite, job.group, job.cases)

    def _attempt(self, job):
        """A job's results; what breaks inside it is a result, too."""
        start = time.monotonic()
        try:
            results = job.run()
        except Exception as e:  # nothing that happens in one job may end the run
            results = [Result(job.suite, job.group, "(run)", ERROR, job.variant, "exception",
                              f"{type(e).__name__}: {e}", traceback.format_exc(),
                              time.monotonic() - start)]
        return self._narrow(job, results)

    def _narrow(self, job, results):
        """The results that -k means; errors of the run as a whole always count."""
        s = self.context.selection
        return [r for r in results
                if s.has(r.suite, r.group, r.name)
                or (r.status == ERROR and r.kind != "never-reached")]

    def _show(self, results, repeat):
        """Print results; returns them, in the variant of this repeat."""
        if repeat:
            results = [r.with_variant(f"r{repeat}") for r in results]
        for r in results:
            for line in _lines(r, self.context.verbose):
                self.out(line)
        return results

    def _run_together(self, jobs, repeat, done):
        with concurrent.futures.ThreadPoolExecutor(self.jobs_at_once) as pool:
            running = {pool.submit(self._attempt, j): j for j in jobs}
            try:
                for future in concurrent.futures.as_completed(running):
                    done[running[future]] = self._show(future.result(), repeat)
            except BaseException:
                for future in running:
                    future.cancel()
                vm.stop_all()
                raise

    def _run_jobs(self, jobs, repeat):
        """Run jobs; their results are printed as they come and kept in the order of the jobs."""
        done = {}
        try:
            self._run_together([j for j in jobs if j.parallel], repeat, done)
            for job in jobs:
                if not job.parallel:
                    done[job] = self._show(self._attempt(job), repeat)
        finally:
            for job in jobs:
                self.results += done.get(job, [])

    def run(self, suites, repeats=1):
        """Run `suites` `repeats` times; returns all results, in the order of suites and jobs."""
        for repeat in range(1, repeats + 1):
            for suite in suites:
                jobs = [j for j in suite.collect(self.context) if self._selected(j)]
                self._run_jobs(jobs, repeat if repeats > 1 else 0)
        return self.results

    def fail(self, suite, group, kind, message, body=""):
        """Record an error that is nobody's test; its body goes to the report alone."""
        result = Result(suite, group, kind, ERROR, kind=kind, message=message, body=body)
        self.results.append(result)
        for line in _lines(replace(result, body=""), False):
            self.out(line)

    def closing_line(self):
        return closing_line(self.results)


def listing(context, suites):
    """Names of all selected cases; a job whose cases are known only when it runs is listed
    as it is."""
    names = []
    for suite in suites:
        for job in suite.collect(context):
            s = context.selection
            if job.cases:
                names += [f"{job.suite}/{job.group}.{c}" for c in job.cases
                          if s.has(job.suite, job.group, c)]
            elif s.may_have(job.suite, job.group, ()):
                names.append(f"{job.suite}/{job.group}")
    return list(dict.fromkeys(names))
