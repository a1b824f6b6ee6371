# SPDX-License-Identifier: MIT
"""attacks on the kernel: each costs its own thread's life at most, and a witness is unharmed

Each program in tests/hostile/guest/ is booted as the first program, once for each machine that
tests/hostile/boots.py names for it. Scripted attacks are the functions test_* in
tests/hostile/test_*.py.
"""

import re

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
        return verdict.run_guest(context, vm, "hostile", name, variant)


def _guest_jobs(context):
    archive = smoke.Archive(context.tree)
    rows = scripted.load(FOLDER / "boots.py").BOOTS
    return [Job("hostile", name, lambda n=name, r=row: _run_guest(context, archive, n, r),
                tuple(_CASE.findall((FOLDER / "guest" / f"{name}.c").read_text())))
            for name in sorted(rows) for row in rows[name]]


def collect(context):
    return _guest_jobs(context) + smoke.scripted_jobs(context, "hostile", FOLDER)
