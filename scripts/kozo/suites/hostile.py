# SPDX-License-Identifier: MIT
"""attacks on the kernel: each costs its own thread's life at most, and a witness is unharmed

Each program in tests/hostile/guest/ is booted as the first program, once for each machine that
tests/hostile/boots.py names for it. Scripted attacks are the functions test_* in
tests/hostile/test_*.py.
"""

import re
from dataclasses import replace

from kozo import paths, qemu
from kozo.harness import scripted, verdict
from kozo.harness.runner import Job
from kozo.harness.vm import Vm
from kozo.suites import smoke

ORDER = 35
NEEDS_BUILD = True
SECONDS = 60.0
FOLDER = paths.TESTS / "hostile"

# A case, or a macro of the program that makes one.
_CASE = re.compile(r"^(?:KOZO_TEST|RAISES|ENDS)(?:_WITH)?\s*\(\s*(\w+)", re.MULTILINE)


def _run_guest(context, archive, name, row):
    """Boot one program; its results."""
    options = dict(row)
    limit = context.seconds(options.pop("seconds", SECONDS))
    append = f"kozo.init=bin/hostile-{name} {options.pop('append', '')}".strip()
    extra = options.pop("extra", ())
    variant = options.pop("variant", None) or scripted.variant_words(options)
    machine = qemu.Machine(context.tree.kernel, archive.path(), append, **options)
    with Vm(machine, limit, extra) as vm:
        status = vm.wait()
        tap = verdict.read_tap(vm.tap_lines)
        problem = verdict.guest_problem(vm, status, tap)
        log = ""
        if problem or not all(p.ok for p in tap.points):
            folder = context.log_folder("hostile", name, variant)
            vm.keep(folder)
            log = str(folder)
        results = verdict.results("hostile", name, tap, problem, vm.text, log, vm.seconds)
    return [replace(r, variant=variant) for r in results]


def _guest_jobs(context):
    archive = smoke.Archive(context.tree)
    rows = scripted.load(FOLDER / "boots.py").BOOTS
    return [Job("hostile", name, lambda n=name, r=row: _run_guest(context, archive, n, r),
                tuple(_CASE.findall((FOLDER / "guest" / f"{name}.c").read_text())))
            for name in sorted(rows) for row in rows[name]]


def _scripted_job(context, group, case, function, choice):
    variant = scripted.variant_words(choice)
    blank = scripted.blank("hostile", group, case, variant)
    folder = context.log_folder("hostile", f"{group}.{case}", variant)
    seconds = context.seconds(SECONDS)
    run = lambda: [scripted.run_guest_test(blank, function, context.tree, choice,  # noqa: E731
                                           seconds, folder)]
    return Job("hostile", group, run, (case,), variant)


def _scripted_jobs(context):
    jobs = []
    for file in sorted(FOLDER.glob("test_*.py")):
        group = file.stem[len("test_"):]
        for case, function in scripted.functions(scripted.load(file)):
            for choice in getattr(function, "variants", [{}]):
                if context.selection.has("hostile", group, case):
                    jobs.append(_scripted_job(context, group, case, function, choice))
    return jobs


def collect(context):
    return _guest_jobs(context) + _scripted_jobs(context)
