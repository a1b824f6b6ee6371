# SPDX-License-Identifier: MIT
"""What every source file must look like, and where it may look."""

import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import tree as source  # noqa: E402

_CODE = {".c", ".h", ".S", ".def", ".ld", ".py", ".sh", ".build", ".ini", ".in"}
_SPDX = "SPDX-License-Identifier: MIT"
# Spelled in pieces, so that this file does not find itself.
_UNFINISHED = re.compile(r"\b(TO" r"DO|FIX" r"ME|X" r"XX)\b")
_MACHINE_PATH = re.compile(r"(?<![\w.])/(ho" r"me|wo" r"rk|ro" r"ot)/\w")


def check_spdx(_tree):
    """A licence line within the first three lines of each source file."""
    source.refuse(f"{f}:1: no line `{_SPDX}`" for f in source.files()
                  if (f.suffix in _CODE or str(f) in ("kozo", ".ci/run", "meson_options.txt"))
                  and not any(_SPDX in text for _, text in source.lines(f)[:3]))


def check_nothing_unfinished(_tree):
    source.refuse(f"{f}:{n}: {text.strip()}" for f in source.files() if source.is_text(f)
                  for n, text in source.lines(f) if _UNFINISHED.search(text))


def check_no_paths_of_one_machine(_tree):
    source.refuse(f"{f}:{n}: {text.strip()}" for f in source.files() if source.is_text(f)
                  for n, text in source.lines(f) if _MACHINE_PATH.search(text))


def check_whitespace(_tree):
    """No trailing blanks, no tabs in C, a line end at the end of the file."""
    problems = []
    for f in source.files():
        if not source.is_text(f):
            continue
        problems += [f"{f}:{n}: blanks at the end of the line" for n, text in source.lines(f)
                     if text != text.rstrip() and f.suffix != ".md"]
        if f.suffix in (".c", ".h", ".S", ".py"):
            problems += [f"{f}:{n}: tab" for n, text in source.lines(f) if "\t" in text]
        if source.read(f) and not source.read(f).endswith("\n"):
            problems.append(f"{f}: no line end at the end")
    source.refuse(problems)


def check_file_length(_tree):
    """Past 600 lines a file is two rooms."""
    source.refuse(f"{f}: {len(source.lines(f))} lines, at most 600" for f in source.files()
                  if f.suffix in (".c", ".h", ".S", ".py") and len(source.lines(f)) > 600)


_COLUMNS = 100
_NARROW = ("tests", "kernel/arch/host")


def check_line_length(_tree):
    """Python everywhere; tests and the port they run on, as far as they are C."""
    narrow = [f for folder in _NARROW for f in source.files(folder, (".c", ".h"))]
    source.refuse(f"{f}:{n}: {len(text)} columns, at most {_COLUMNS}"
                  for f in narrow + source.files(suffixes=(".py",))
                  for n, text in source.lines(f) if len(text) > _COLUMNS)


# ---- the kernel's rooms ---------------------------------------------------------------------

_ROOMS = ("base", "cap", "sched", "ipc", "mem", "irq", "syscall", "boot")
_CONDITIONAL = re.compile(r"\s*#\s*(if|ifdef|ifndef|elif|else)\b")
_INCLUDE = re.compile(r'\s*#\s*include\s+(["<])([^">]+)[">]')

# What a file of a room may include from other rooms. The objects' rooms may know each other: an
# endpoint blocks threads, a dying capability wakes them. None of them knows who calls it.
_OBJECTS = {"cap", "sched", "ipc", "mem", "irq"}
_MAY_SEE = {
    "base": set(),
    "cap": _OBJECTS, "sched": _OBJECTS, "ipc": _OBJECTS, "mem": _OBJECTS, "irq": _OBJECTS,
    "syscall": _OBJECTS | {"boot"},
    "boot": _OBJECTS,
}


def _core_files(suffixes=(".c", ".h", ".def")):
    return [f for f in source.files("kernel", suffixes) if f.parts[1] != "arch"]


def _includes(path):
    return [(n, m.group(1), m.group(2)) for n, text in source.lines(path)
            if (m := _INCLUDE.match(text))]


def check_no_conditionals_in_the_portable_core(_tree):
    """An option is a constexpr bool or another file, never an #if."""
    source.refuse(f"{f}:{n}: {text.strip()}" for f in _core_files() for n, text in source.lines(f)
                  if _CONDITIONAL.match(text))


def check_includes_of_the_core_point_down(_tree):
    problems = []
    for f in _core_files():
        room = f.parts[1] if len(f.parts) > 2 else None
        for n, _, name in _includes(f):
            other = name.split("/")[0] if "/" in name else None
            if name.startswith("arch/") and name != "arch/arch.h":
                problems.append(f"{f}:{n}: {name}: arch/arch.h is the only way down")
            elif room and other in _ROOMS and other not in {room, "base"} | _MAY_SEE[room]:
                problems.append(f"{f}:{n}: {room}/ must not include {name}")
    source.refuse(problems)


def _cycle_from(name, included, path=()):
    """The headers on a way from `name` back to itself, or None."""
    if name in path:
        return path[path.index(name):] + (name,)
    for other in included.get(name, ()):
        if found := _cycle_from(other, included, path + (name,)):
            return found
    return None


def check_headers_of_the_core_form_layers(_tree):
    """No header includes itself by a detour, and none includes kernel.h,
    which includes them all."""
    headers = {str(f.relative_to("kernel")): f for f in _core_files((".h",))}
    included = {name: [i for _, _, i in _includes(f) if i in headers]
                for name, f in headers.items()}
    problems = [f"kernel/{name}: includes kernel.h" for name, others in included.items()
                if "kernel.h" in others]
    for name in included:
        if cycle := _cycle_from(name, included):
            problems.append(f"kernel/{name}: include cycle: {' -> '.join(cycle)}")
            break
    source.refuse(problems)


def _exists(name, *folders):
    return any((source.SOURCE / folder / name).exists() for folder in folders)


def check_kernel_and_users_share_the_abi_alone(_tree):
    problems = []
    for f in source.files("kernel", (".c", ".h", ".S")):
        problems += [f"{f}:{n}: <{name}> is not in sys/abi" for n, quote, name in _includes(f)
                     if name.startswith("kozo/") and not _exists(name, "sys/abi")]
    for folder in ("sys", "services"):
        for f in source.files(folder, (".c", ".h", ".S")):
            beside = [str(f.parent), "sys/abi", "sys/include", "services"]
            problems += [f"{f}:{n}: {name} is the kernel's" for n, _, name in _includes(f)
                         if _exists(name, "kernel") and not _exists(name, *beside)]
    source.refuse(problems)


def check_every_file_is_built(_tree):
    """Each source file stands in a list of its meson.build."""
    problems = []
    for folder in ("kernel", "sys", "services", "tests"):
        listed = source.read(f"{folder}/meson.build") if _exists("meson.build", folder) else ""
        for f in source.files(folder, (".c", ".S")):
            name = str(f.relative_to(folder))
            if f.parts[:2] != ("tests", "runner") and f"'{name}'" not in listed:
                problems.append(f"{f}: not in a list of {folder}/meson.build")
    source.refuse(problems)
