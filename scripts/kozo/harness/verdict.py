# SPDX-License-Identifier: MIT
"""From a finished run to results. Success is positive: exit status, end marker and a met plan."""

from dataclasses import replace

from kozo import decode, qemu
from kozo.harness import corefile
from kozo.harness.results import ERROR, FAIL, PASS, SKIP, Result
from kozo.harness.tap import Tap

TAIL_LINES = 30
FAULT_TEXT = "KOZO FAULT"
PANIC_TEXT = "kernel panic: "


def tail(text, lines=TAIL_LINES):
    """The last lines of a log."""
    return "\n".join(text.rstrip().splitlines()[-lines:])


def _line_with(text, mark):
    return next((line.strip() for line in text.splitlines() if mark in line), None)


def read_tap(lines):
    """A Tap from (seconds, line) pairs."""
    tap = Tap()
    for seconds, line in lines:
        tap.feed(line, seconds)
    return tap


def guest_problem(vm, status, tap):
    """(kind, message) when the run as a whole went wrong, else None. `status` None is the limit."""
    text = vm.text
    fault = _line_with(text, FAULT_TEXT)
    if vm.panicked(status):
        return "panic", _line_with(text, PANIC_TEXT) or "the kernel panicked"
    if not tap.complete and fault:
        return "fault", fault
    if status is None:
        return "hang", f"still running after {vm.limit:g} s"
    if status == 0:
        return "triple-fault", "QEMU ended without debug-exit: triple fault, reset or power-off"
    if status not in (qemu.exit_status(qemu.EXIT_OK), qemu.exit_status(qemu.EXIT_FAILED)):
        return "qemu", f"QEMU ended with status {status}: {vm.said() or qemu.outcome(status).text}"
    return tap_problem(tap, status == qemu.exit_status(qemu.EXIT_OK))


def tap_problem(tap, ended_well):
    """(kind, message) when what was reported does not add up, else None."""
    if tap.bail is not None:
        return "bail-out", f"bailed out: {tap.bail}"
    if tap.plan is None:
        return "no-plan", "no plan (1..N) was reported"
    if len(tap.points) != tap.plan:
        return "plan", f"{tap.plan} cases were planned, {len(tap.points)} reported"
    if not tap.ended:
        return "no-end", "the end marker is missing"
    if tap.oddities:
        return "tap", f"not TAP: {tap.oddities[0]}"
    names = [p.name for p in tap.points]
    twice = next((n for n in names if names.count(n) > 1), None)
    if twice:
        return "tap", f"two cases are named {twice}"
    if ended_well != all(p.ok for p in tap.points):
        return "status", "the exit status contradicts the reported cases"
    return None


def _point_result(suite, group, point, log_tail, log):
    status = SKIP if point.ok and point.skip is not None else PASS if point.ok else FAIL
    diagnostics = "\n".join(point.diagnostics)
    message = point.skip if status == SKIP else next(iter(point.diagnostics), "")
    body = "" if point.ok else f"{diagnostics}\n\n{log_tail}".strip()
    return Result(suite, group, point.name, status, message=message or "", body=body,
                  seconds=point.seconds, log="" if point.ok else log)


def results(suite, group, tap, problem, log_text, log, seconds=0.0):
    """All results of one run.

    A problem of the run as a whole is an error of the first case never reached, or, when all were
    reported, of a case named `(run)`; the others never reached are errors of their own.
    """
    log_tail = tail(log_text)
    out = [_point_result(suite, group, p, log_tail, log) for p in tap.points]
    if problem is None:
        return out
    kind, message = problem
    unreached = tap.never_reached()
    spent = max(0.0, seconds - sum(p.seconds for p in tap.points))
    out.append(Result(suite, group, unreached[0] if unreached else "(run)", ERROR, kind=kind,
                      message=f"{kind}: {message}", body=log_tail, seconds=spent, log=log))
    for name in unreached[1:]:
        out.append(Result(suite, group, name, ERROR, kind="never-reached",
                          message=f"never reached, after {kind}: {message}", log=log))
    return out


def log_of(vm, tree):
    """The console's text, with files and lines where the kernel or a service reports what it
    died of."""
    found = PANIC_TEXT in vm.text or FAULT_TEXT in vm.text
    return decode.text(vm.text, tree) if found else vm.text


def run_guest(context, vm, suite, group, variant):
    """Wait for a program that speaks TAP; its results. What failed leaves its logs."""
    status = vm.wait()
    tap = read_tap(vm.tap_lines)
    problem = guest_problem(vm, status, tap)
    log = ""
    if problem or not all(p.ok for p in tap.points):
        folder = context.log_folder(suite, group, variant)
        vm.keep(folder)
        log = str(folder)
        if problem and corefile.told(folder):
            problem = problem[0], f"{problem[1]}\n{corefile.told(folder)}"
    found = results(suite, group, tap, problem, log_of(vm, context.tree), log, vm.seconds)
    return [replace(r, variant=variant) for r in found]
