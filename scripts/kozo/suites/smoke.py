# SPDX-License-Identifier: MIT
"""boots in QEMU: test programs that speak TAP, and scripted tests of the whole system

Each program in tests/smoke/guest/ is booted as the first program, once for each machine that
tests/smoke/boots.py names for it (one qemu64 when it names none). Scripted tests are the functions
test_* in tests/smoke/test_*.py.
"""

import re
import threading

from kozo import paths, qemu
from kozo.harness import scripted, verdict
from kozo.harness.runner import Job
from kozo.harness.staging import Staging
from kozo.harness.vm import Vm

ORDER = 30
NEEDS_BUILD = True
SECONDS = 60.0
FOLDER = paths.TESTS / "smoke"

_CASE = re.compile(r"^\s*(?:KOZO_)?TEST\s*\(\s*(\w+)", re.MULTILINE)


class Archive:
    """One archive of all programs, made when the first boot needs it."""

    def __init__(self, tree):
        self._tree, self._lock, self._staging, self._path = tree, threading.Lock(), None, None

    def path(self):
        with self._lock:
            if self._path is None:
                self._staging = Staging(self._tree)
                self._path = self._staging.pack()
            return self._path


def _cases_in(name):
    """Case names as the program's source has them, for -k and --list."""
    source = FOLDER / "guest" / f"{name}.c"
    return tuple(_CASE.findall(source.read_text())) if source.exists() else ()


def _boots():
    """The rows of tests/smoke/boots.py: program -> list of dicts."""
    file = FOLDER / "boots.py"
    return scripted.load(file).BOOTS if file.exists() else {}


def _run_guest(context, archive, name, row):
    """Boot one program; its results."""
    options = dict(row)
    limit = context.seconds(options.pop("seconds", SECONDS))
    append = f"kozo.init=bin/{name} {options.pop('append', '')}".strip()
    extra = options.pop("extra", ())
    kernel = context.tree.root / options.pop("kernel", context.tree.kernel.name)
    variant = options.pop("variant", None)
    if variant is None:
        variant = scripted.variant_words(options)
    machine = qemu.Machine(kernel, archive.path(), append, **options)
    with Vm(machine, limit, extra) as vm:
        return verdict.run_guest(context, vm, "smoke", name, variant)


def _guest_jobs(context):
    archive = Archive(context.tree)
    rows = _boots()
    folder = context.tree.guest_root / "bin"
    built = folder.iterdir() if folder.is_dir() else []
    programs = sorted(p.name for p in built if (FOLDER / "guest" / f"{p.name}.c").exists())
    unknown = sorted(set(rows) - set(programs)) if programs else []
    if unknown:
        raise scripted.KozoError(
            f"tests/smoke/boots.py names programs that are not built: {unknown}")
    return [Job("smoke", name, lambda n=name, r=row: _run_guest(context, archive, n, r),
                _cases_in(name))
            for name in programs for row in rows.get(name, [{}])]


def _scripted_job(context, suite, group, case, function, choice):
    variant = scripted.variant_words(choice)
    blank = scripted.blank(suite, group, case, variant)
    folder = context.log_folder(suite, f"{group}.{case}", variant)
    seconds = context.seconds(SECONDS)
    run = lambda: [scripted.run_guest_test(blank, function, context.tree, choice,  # noqa: E731
                                           seconds, folder)]
    return Job(suite, group, run, (case,), variant)


def scripted_jobs(context, suite, place):
    """A job for each selected test_NAME function of the files `place`/test_GROUP.py."""
    jobs = []
    for file in sorted(place.glob("test_*.py")):
        group = file.stem[len("test_"):]
        for case, function in scripted.functions(scripted.load(file)):
            for choice in getattr(function, "variants", [{}]):
                if context.selection.has(suite, group, case):
                    jobs.append(_scripted_job(context, suite, group, case, function, choice))
    return jobs


def collect(context):
    return _guest_jobs(context) + scripted_jobs(context, "smoke", FOLDER)
