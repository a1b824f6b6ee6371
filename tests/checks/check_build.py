# SPDX-License-Identifier: MIT
"""What was built."""

import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

from kozo import builder, paths

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(paths.SCRIPTS))
import names  # noqa: E402
import tree as source  # noqa: E402

PT_LOAD, PT_NOTE = 1, 4
PF_X, PF_W = 1, 2
XEN_ENTRY = 18


def _segments(elf):
    """(type, flags, offset, address, size in file, size in memory) of a 64-bit ELF."""
    assert elf[:5] == b"\x7fELF\x02", "not a 64-bit ELF"
    start, = struct.unpack_from("<Q", elf, 32)
    size, count = struct.unpack_from("<HH", elf, 54)
    for i in range(count):
        kind, flags, offset, address, _, filesz, memsz, _ = struct.unpack_from(
            "<IIQQQQQQ", elf, start + i * size)
        yield kind, flags, offset, address, filesz, memsz


def _notes(elf):
    """(owner, type, data) of each note in a note segment."""
    for kind, _, at, _, size, _ in _segments(elf):
        end = at + size
        while kind == PT_NOTE and at + 12 <= end:
            name, data, note = struct.unpack_from("<III", elf, at)
            at += 12
            owner = elf[at:at + name].rstrip(b"\0").decode()
            at += (name + 3) & ~3
            yield owner, note, elf[at:at + data]
            at += (data + 3) & ~3


def _programs(tree):
    return sorted((tree.root / "bin").iterdir())


def check_xen_note(tree):
    """readelf shows the PVH entry note, and the entry lies in a segment."""
    shown = subprocess.run(["llvm-readelf-19", "-n", str(tree.kernel)], text=True, check=True,
                           capture_output=True).stdout
    assert re.search(r"\bXen\b.*\(0x0*12\)", shown), shown
    elf = tree.kernel.read_bytes()
    entries = [d for owner, kind, d in _notes(elf) if (owner, kind) == ("Xen", XEN_ENTRY)]
    assert len(entries) == 1 and len(entries[0]) in (4, 8), entries
    assert int.from_bytes(entries[0], "little") < 1 << 32, "the entry is beyond 4 GiB"


def check_no_segment_is_writable_and_executable(tree):
    source.refuse(f"{f.name}: a segment is writable and executable"
                  for f in [tree.kernel, *_programs(tree)]
                  for kind, flags, *_ in _segments(f.read_bytes())
                  if kind == PT_LOAD and flags & PF_W and flags & PF_X)


def check_programs_carry_their_abi(tree):
    source.refuse(f"{f.name}: no KOZO note" for f in _programs(tree)
                  if not any(owner == "KOZO" and kind == 1 and len(data) == 8
                             for owner, kind, data in _notes(f.read_bytes())))


def check_no_path_of_this_machine_is_built_in(tree):
    needle = str(paths.SOURCE).encode()
    files = [tree.kernel, tree.initrd, *_programs(tree)]
    source.refuse(f"{f}: contains {needle.decode()}" for f in files if needle in f.read_bytes())


def check_compile_commands(tree):
    text = (tree.root / "compile_commands.json").read_text()
    assert '"command"' in text


def _copy_of_the_source(target):
    for f in source.files():
        (target / f).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(paths.SOURCE / f, target / f)


def check_reproducible(tree):
    """A copy of the source built in another place, to another depth, gives the same bytes."""
    with tempfile.TemporaryDirectory(prefix="kozo-repro-") as folder:
        copy = Path(folder) / "another" / "name"
        _copy_of_the_source(copy)
        other = paths.BuildTree(Path(folder) / "elsewhere", tree.debug)
        builder.build(other, source=copy, targets=["kozo.elf", "initrd.cpio"])
        for name in ("kozo.elf", "initrd.cpio"):
            assert (tree.root / name).read_bytes() == (other.root / name).read_bytes(), \
                f"{name} differs between two builds of the same source"


def check_source_date_epoch(tree):
    """The archive's times follow SOURCE_DATE_EPOCH."""
    with tempfile.TemporaryDirectory(prefix="kozo-epoch-") as folder:
        out = Path(folder) / "initrd.cpio"
        subprocess.run(["sh", str(paths.SCRIPTS / "mkinitrd.sh"), str(tree.archive_root), str(out)],
                       check=True, env={**os.environ, "SOURCE_DATE_EPOCH": "1000000000"})
        assert out.read_bytes()[46:54] == b"%08X" % 1000000000


def _section(elf, name):
    """The bytes of a section of a 64-bit ELF."""
    start, = struct.unpack_from("<Q", elf, 40)
    size, count, names = struct.unpack_from("<HHH", elf, 58)
    rows = [struct.unpack_from("<IIQQQQ", elf, start + i * size) for i in range(count)]
    strings = rows[names][4]
    for at, _, _, _, offset, length in rows:
        if elf[strings + at:].startswith(name.encode() + b"\0"):
            return elf[offset:offset + length]
    raise AssertionError(f"no section {name}")


def check_the_kernel_knows_its_own_names(tree):
    """The table of names in the kernel is the one that is made from the kernel itself."""
    for kernel in (tree.kernel, tree.root / "tests" / "slow" / "kozo-slow.elf"):
        made = names.table(kernel)
        kept = _section(kernel.read_bytes(), ".names")
        assert made and kept[:len(made)] == made and not kept[len(made):].strip(b"\0"), \
            f"{kernel.name}: its table is not that of its own functions"
        # Every function of C has its depth, or a panic could not follow it.
        lost = [name for address, name in sorted(names.symbols(kernel).items())
                if any(w == 0 for _, w in names.frames(kernel).get(address, []))]
        assert not lost, f"{kernel.name}: the stack of these cannot be followed: {lost}"
