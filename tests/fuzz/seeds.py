#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes the seeds with names into tests/fuzz/corpus: a sound input for each boot target, and one
for each way it can be wrong. What fuzzing adds to them is named by its hash."""

import struct
from pathlib import Path

HERE = Path(__file__).parent
FILE, DIRECTORY, SYMLINK, CHARACTER = 0o100644, 0o040755, 0o120777, 0o020600


# ---- cpio ----

def entry(name, data=b"", mode=FILE, ino=1, links=1, magic=b"070701", size=None, name_size=None):
    name = name.encode() + b"\0"
    name_size = len(name) if name_size is None else name_size
    size = len(data) if size is None else size
    fields = (ino, mode, 0, 0, links, 1, size, 0, 1, 0, 0, name_size, 0)
    head = magic + b"".join(b"%08X" % f for f in fields) + name
    return pad(pad(head) + data)


def pad(data):
    return data + bytes(-len(data) % 4)


TRAILER = entry("TRAILER!!!", mode=0)
INIT = entry("bin/init", b"program", 0o100755)


def odc(name, data=b""):
    name = name.encode() + b"\0"
    return b"070707" + b"".join(b"%06o" % f for f in (1, 1, FILE, 0, 0, 1, 0)) + b"%011o" % 1 + \
        b"%06o" % len(name) + b"%011o" % len(data) + name + data


def cpio():
    links = (entry("a", ino=7, links=3) + entry("b", ino=7, links=3) +
             entry("c", b"text", ino=7, links=3))
    return {
        "sound": entry(".", mode=DIRECTORY) + entry("bin", mode=DIRECTORY) + INIT + TRAILER,
        "padded": INIT + TRAILER + bytes(512 - len(INIT + TRAILER)),
        "empty": b"",
        "trailer-alone": TRAILER,
        "hard-links": links + TRAILER,
        "hard-links-without-data":
            entry("a", ino=7, links=2) + entry("b", ino=7, links=2) + TRAILER,
        "links-and-devices":
            entry("l", b"bin/init", SYMLINK) + entry("tty", mode=CHARACTER) + INIT + TRAILER,
        "leading-dot": entry("./etc", mode=DIRECTORY) + entry("./etc/motd", b"hello\n") + TRAILER,
        "odc": odc("bin/init", b"program") + odc("TRAILER!!!"),
        "crc":
            entry("bin/init", b"program", magic=b"070702") + entry("TRAILER!!!", magic=b"070702"),
        "gzip": b"\x1f\x8b\x08" + bytes(29),
        "xz": b"\xfd7zXZ\0" + bytes(26),
        "zstd": b"\x28\xb5\x2f\xfd" + bytes(28),
        "lz4": b"\x02\x21\x4c\x18" + bytes(28),
        "bzip2": b"BZh91AY&SY" + bytes(22),
        "wrong-magic": entry("bin/init", magic=b"070771") + TRAILER,
        "bad-hex": INIT.replace(b"0000000", b"000000g", 1) + TRAILER,
        "blank-in-number": INIT.replace(b"0000000", b"      +", 1) + TRAILER,
        "size-wraps": entry("big", b"x", size=0xffffffff) + TRAILER,
        "size-wraps-when-aligned": entry("big", b"x", size=0xfffffffd) + TRAILER,
        "name-size-0": entry("none", name_size=0) + TRAILER,
        "name-size-wraps": entry("long", name_size=0xffffffff) + TRAILER,
        "name-without-end": entry("bin/init", name_size=8) + TRAILER,
        "name-with-nul": entry("bin\0init") + TRAILER,
        "name-too-long": entry("n" * 4096) + TRAILER,
        "no-trailer": INIT,
        "after-trailer": INIT + TRAILER + b"\0\0\0\1",
        "cut-in-header": INIT[:60],
        "cut-in-name": INIT[:114],
        "cut-in-data": INIT[:-4],
        "cut-in-trailer": INIT + TRAILER[:-8],
        "same-name-twice": INIT + INIT + TRAILER,
        "below-a-file": entry("f/g", b"under") + entry("f", b"data") + TRAILER,
        "below-a-link": entry("l", b"bin", SYMLINK) + entry("l/g", b"under") + TRAILER,
        "root-is-a-file": entry(".", b"data") + INIT + TRAILER,
        "absolute": entry("/bin/init") + TRAILER,
        "dot-dot": entry("bin/../init") + TRAILER,
        "dot-inside": entry("bin/./init") + TRAILER,
        "two-slashes": entry("bin//init") + TRAILER,
        "depth-32": entry("/".join("q" * 32)) + TRAILER,
        "depth-33": entry("/".join("q" * 33)) + TRAILER,
        "depth-2047": entry("/".join("q" * 2047)) + TRAILER,
        "deep-below-a-file": entry("q/q", b"data") + entry("/".join("q" * 32)) + TRAILER,
        "inodes-of-high-bits": b"".join(entry(f"h{i}", b"%d" % i, ino=i << 28, links=2)
                                        for i in range(12)) + TRAILER,
        "many": b"".join(entry(f"f{i}", b"%d" % i) for i in range(12)) + TRAILER,
    }


# ---- elf ----

R, W, X = 4, 2, 1
LOAD, NOTE_SEGMENT, INTERP, STACK = 1, 4, 3, 0x6474e551
BASE = 0x400000
HEAD, PHDR = 64, 56


def note(major=1, minor=0, owner=b"KOZO", kind=1):
    return struct.pack("<3I8s2I", len(owner) + 1, 8, kind, owner, major, minor)


def program(segments, abi=note(), **changed):
    """A program with these segments, and one for its note."""
    at = HEAD + PHDR * (len(segments) + 1)
    segments = segments + [(NOTE_SEGMENT, R, at, 0, len(abi), len(abi), 4)]
    h = dict(magic=b"\x7fELF", bits=2, order=1, ident_version=1, type=2, machine=62, version=1,
             entry=BASE + 0x1f0, phoff=HEAD, shoff=0, flags=0, ehsize=HEAD, phentsize=PHDR,
             phnum=len(segments)) | changed
    head = struct.pack("<4s4B8xHHIQQQIHHHHHH", h["magic"], h["bits"], h["order"],
                       h["ident_version"], 0, h["type"], h["machine"], h["version"], h["entry"],
                       h["phoff"], h["shoff"], h["flags"], h["ehsize"], h["phentsize"],
                       h["phnum"], 0, 0, 0)
    table = b"".join(struct.pack("<IIQQQQQQ", kind, rights, offset, vaddr, 0, filesz, memsz, align)
                     for kind, rights, offset, vaddr, filesz, memsz, align in segments)
    return (head + table + abi).ljust(528, b"\x90")


def short(*segments, **changed):
    """A program of 528 bytes: text in 512 of them, then these segments."""
    return program([(LOAD, R | X, 0, BASE, 512, 512, 4096), *segments], **changed)


def data(vaddr=BASE + 0x2200, memsz=16, filesz=16, offset=512, rights=R | W):
    return (LOAD, rights, offset, vaddr, filesz, memsz, 4096)


def elf():
    kernel_half = 0xffff800000000200
    fields = {"magic": b"\x7fELG", "bits": 1, "order": 2, "ident_version": 0, "type": 3,
              "machine": 40, "version": 2, "phoff": 1 << 63, "ehsize": 52, "phentsize": 32,
              "phnum": 0}
    seeds = {f"header-{f.replace('_', '-')}": short(**{f: v}) for f, v in fields.items()}
    return seeds | {
        "sound": short(data(memsz=5000), (STACK, R | W, 0, 0, 0, 0, 16)),
        "read-only-data": short(data(rights=R)),
        "too-many": short(phnum=0xffff),
        "overlapping": short(data(BASE, offset=0)),
        "on-one-page": short(data(BASE + 0x200)),
        "descending": short(data(BASE - 0x2000 + 0x200)),
        "writable-and-executable": short(data(rights=R | W | X)),
        "misaligned": short(data(BASE + 0x2201)),
        "kernel-half": short(data(kernel_half)),
        "last-page": short(data((1 << 47) - 4096 + 0x200)),
        "page-zero": short(data(0x200)),
        "address-wraps": short(data(memsz=(1 << 64) - BASE)),
        "huge": short(data(memsz=1 << 40)),
        "offset-wraps": short(data(offset=(1 << 64) - 0xe00)),
        "outside-the-file": short(data(offset=4096 + 0x200)),
        "more-in-file-than-in-memory": short(data(memsz=8)),
        "interpreter": short((INTERP, R, 512, 0, 16, 16, 1)),
        "entry-outside": short(entry=BASE + 0x10000),
        "entry-in-data": short(data(), entry=BASE + 0x2200),
        "entry-in-kernel-half": short(entry=kernel_half),
        "no-note": short(abi=note(kind=9)),
        "foreign-note": short(abi=note(owner=b"XENO")),
        "later-major": short(abi=note(major=2)),
        "later-minor": short(abi=note(minor=9999)),
        "cut-in-header": short()[:40],
        "cut-in-table": short()[:100],
        "empty": b"",
    }


# ---- manifest ----

HASH = "0123456789abcdef" * 4
SOUND = {"binary": "bin/a", "sha256": HASH, "priority": "40", "memory": "1M"}
ALL = {"provides": "a", "capabilities": "log", "requests": "fs", "args": "x y",
       "restart": "on-failure", "restart_limit": "3", "restart_backoff_ms": "100",
       "heap": "64K", "stack": "32K", "untyped": "64K", "threads": "2"}
RULE = {"subject": "a", "object": "fs:/etc/*", "rights": "read list", "decision": "ask",
        "tier": "high", "lease_ms": "30000", "depth": "2", "reason": "a reason", "hint": "a hint"}


def section(kind, name, lines):
    return f"[{kind} {name}]\n" + "".join(f"{k} = {v}\n" for k, v in lines.items())


def service(**lines):
    return section("service", "a", SOUND | lines)


def rule(**lines):
    return service(provides="fs") + section("rule", "r", RULE | lines)


def manifest():
    wrong = {"priority": "256", "memory": "99999999999999999999", "threads": "-1",
             "restart": "perhaps", "heap": "1X", "sha256": "12", "restart_limit": "no",
             "binary": "/bin/../a"}
    wrong_in_rule = {"rights": "all of them", "decision": "perhaps", "tier": "deep",
                     "lease_ms": "1d", "depth": "0", "object": "", "subject": "nobody"}
    seeds = {f"wrong-{k.replace('_', '-')}": service(**{k: v}) for k, v in wrong.items()}
    seeds |= {f"wrong-{k.replace('_', '-')}": rule(**{k: v}) for k, v in wrong_in_rule.items()}
    seeds |= {
        "sound": service(**ALL | {"provides": "fs"}) + section("rule", "r", RULE),
        "init": "[init]\ndemo_seconds = 10\nready_seconds = 5\n" + service(),
        "comments": "# one\n; two\n" + service(args="x # three"),
        "carriage-return": service().replace("\n", "\r\n"),
        "empty": "",
        "field-twice": service() + "priority = 41\n",
        "field-missing": "[service a]\nbinary = bin/a\n",
        "long-name": section("service", "a" * 32, SOUND),
        "many-words": service(args="x " * 17),
        "name-twice": service() + service(),
        "no-equals": service() + "args\n",
        "no-line-end": service() + "args = x",
        "no-name": "[service ]\n",
        "no-section": "binary = bin/a\n",
        "no-words": service(args=""),
        "nul": service(args="\0"),
        "section-without-end": "[service a\n",
        "unknown-field": service(colour="red"),
        "unknown-section": "[server a]\n",
    }
    return {name: text.encode() for name, text in seeds.items()}


# ---- startinfo ----

AT = 0x1000  # where the bytes lie
RAM, RESERVED, UNUSABLE = 1, 2, 5
MIB = 1 << 20
USUAL = [(0, 0x9fc00, RAM), (0x9fc00, 0x400, RESERVED), (0xf0000, 0x10000, RESERVED),
         (MIB, 127 * MIB, RAM), (0xfffc0000, 0x40000, RESERVED),
         (0xfd00000000, 0x300000000, RESERVED)]


def table(signature, body):
    head = struct.pack("<4sI2B10s16s", signature, 36 + len(body), 1, 0, b"KOZO", b"")
    return head[:9] + bytes([-sum(head + body) % 256]) + (head + body)[10:]


def acpi(at):
    """Root pointer, root table, MADT with an I/O APIC and an override, FADT, HPET."""
    madt = table(b"APIC", struct.pack("<II4B2I4BIH", 0xfee00000, 1, 1, 12, 0, 0, 0xfec00000, 0,
                                      2, 10, 0, 0, 2, 0))
    fadt = table(b"FACP", bytes(28) + struct.pack("<I", 0x604) + bytes(8) +
                 struct.pack("<I", 0x608) + bytes(32) + struct.pack("<I", 1 << 8))
    hpet = table(b"HPET", struct.pack("<I4BQ", 0, 0, 64, 0, 0, 0xfed00000))
    tables = [madt, fadt, hpet]
    root_at = at + 20
    where = [root_at + 36 + 4 * len(tables) + sum(map(len, tables[:i])) for i in range(len(tables))]
    root = table(b"RSDT", b"".join(struct.pack("<I", w) for w in where))
    pointer = struct.pack("<8sB6sBI", b"RSD PTR ", 0, b"KOZO", 0, root_at)
    pointer = pointer[:8] + bytes([-sum(pointer) % 256]) + pointer[9:]
    return pointer + root + b"".join(tables)


def start(entries=tuple(USUAL), cmdline=b"kozo.run=ls\0", module=(0x7f00000, 0x1000), rsdp=0,
          **changed):
    map_at = AT + 56
    list_at = map_at + 24 * len(entries)
    line_at = list_at + 32
    acpi_at = line_at + len(cmdline)
    h = dict(magic=0x336ec578, version=1, flags=0, modules=1, modlist=list_at, cmdline=line_at,
             rsdp=acpi_at if rsdp == 0 else rsdp, memmap=map_at, entries=len(entries)) | changed
    head = struct.pack("<4I4Q2I", h["magic"], h["version"], h["flags"], h["modules"], h["modlist"],
                       h["cmdline"], h["rsdp"], h["memmap"], h["entries"], 0)
    entries = b"".join(struct.pack("<QQII", base, size, kind, 0) for base, size, kind in entries)
    return head + entries + struct.pack("<4Q", *module, 0, 0) + cmdline + acpi(acpi_at)


def startinfo():
    top = (1 << 64) - 0x1000
    return {
        "sound": start(),
        "no-initrd": start(modules=0, modlist=0),
        "no-cmdline": start(cmdline=b""),
        "no-acpi": start(rsdp=AT),
        "wrong-magic": start(magic=0x336ec579),
        "version-0": start(version=0),
        "no-memory-map": start(memmap=0),
        "memory-map-outside": start(memmap=0xfffffff0),
        "no-entries": start(entries=[]),
        "too-many-entries": start()[:48] + struct.pack("<I", 129) + start()[52:],
        "entry-wraps": start(entries=USUAL + [(top, 0x2000, RAM)]),
        "entry-ends-at-the-end": start(entries=USUAL + [(top - 0x1000, 0x1000, RESERVED)]),
        "huge": start(entries=USUAL + [(1 << 32, 1 << 50, RAM)]),
        "overlapping": start(entries=USUAL + [(2 * MIB, MIB, RESERVED), (2 * MIB, MIB, RAM)]),
        "empty-entry": start(entries=USUAL + [(2 * MIB + 0x15, 0, RESERVED)]),
        "unusable": start(entries=USUAL + [(64 * MIB, 0x1800, UNUSABLE)]),
        "image-not-in-ram": start(entries=USUAL + [(MIB + 0x2000, 0x1000, RESERVED)]),
        "cmdline-without-end": start(cmdline=b"x" * 2100),
        "cmdline-outside": start()[:24] + struct.pack("<Q", 1 << 40) + start()[32:],
        "many-modules": start(modules=17),
        "two-modules": start(modules=2),
        "module-list-outside": start(modlist=0xffffffff),
        "initrd-misaligned": start(module=(0x7f00010, 0x1000)),
        "initrd-wraps": start(module=(0x7f00000, (1 << 64) - 0x1000)),
        "initrd-over-kernel": start(module=(MIB, 0x1000)),
        "initrd-not-in-ram": start(module=(1 << 31, 0x1000)),
        "initrd-empty": start(module=(0x7f00000, 0)),
        "cut": start()[:30],
    }


# ---- protocol ----

OPEN, READ, STAT, LIST, CLOSE, MAKE, WRITE, TRUNCATE, REMOVE, RENAME = range(1, 11)
USAGE, OPEN_FOR = 13, 14
VERSION = 0x01010000  # of `fs`: 1.1


def words(*values):
    """The words of a message: numbers, and texts with their length first."""
    made = b""
    for v in values:
        if isinstance(v, bytes):
            made += struct.pack("<Q", len(v)) + v.ljust(len(v) // 8 * 8 + 8, b"\0")
        else:
            made += struct.pack("<Q", v)
    return made


def message(op, *values, node=0, rights=0xff, version=VERSION):
    body = words(*values)
    return struct.pack("<BIBBBBQ", len(body) // 8, op | version, 0, rights, 0, 0, node) + body


def protocol():
    top = (1 << 64) - 1
    made = message(MAKE, b"x", 1, 0x1f)
    full = made + message(WRITE, 0, b"some text", node=1)
    return {
        "archive": message(OPEN, b"dir/inner", 0x1f) + message(LIST, 0) + message(LIST, 1) +
        message(READ, 0, 448, node=2) + message(STAT, node=2) + message(CLOSE, node=2),
        "make-write-read": full + message(READ, 0, 448, node=1) + message(STAT, node=1),
        "truncate": full + message(TRUNCATE, 5, node=1) + message(TRUNCATE, 5000, node=1) +
        message(TRUNCATE, top, node=1),
        "write-far": made + message(WRITE, top - 1, b"text", node=1) +
        message(WRITE, 1 << 20, b"text", node=1),
        "append": full + message(WRITE, top, b"more", node=1),
        "remove": full + message(REMOVE, b"x") + message(READ, 0, 8, node=1) + made,
        "rename": full + message(RENAME, b"x", b"y") + message(RENAME, b"y", b"y") +
        message(REMOVE, b"x"),
        "directories": message(MAKE, b"d", 2, 0) + message(MAKE, b"d/e", 2, 0) +
        message(MAKE, b"d/e/f", 1, 0) +
        message(RENAME, b"d", b"d/e/g") + message(REMOVE, b"d") + message(LIST, 0),
        "accounts": message(USAGE) + message(MAKE, b"d", 2, 0) +
        message(OPEN_FOR, 5, b"d", 0x1f) + full + message(USAGE),
        "names": b"".join(message(MAKE, n, 1, 0)
                          for n in (b"", b"/", b"..", b"a//b", b".", b"n" * 255)),
        "no-rights": made + message(WRITE, 0, b"text", node=1, rights=0) +
        message(REMOVE, b"x", rights=0),
        "later-version": message(STAT, version=0x02000000) + message(STAT, version=0x01090000),
        "unknown-operation": message(15) + message(0) + message(0xffff),
    }


def write(target, seeds):
    folder = HERE / "corpus" / target
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in seeds.items():
        (folder / name).write_bytes(data)
    print(f"{target}: {len(seeds)} seeds, {sum(map(len, seeds.values()))} bytes")


if __name__ == "__main__":
    for made in (cpio, elf, manifest, protocol, startinfo):
        write(made.__name__, made())
