# SPDX-License-Identifier: MIT
"""From the loader to the first program: what boots, and what is said of what does not."""

import re
import shutil
import subprocess
import time

from kozo import qemu
from kozo.harness.scripted import on
from kozo.harness.vm import GuestError

OFF = 'kozo.run="poweroff"'


def cpio(folder, form="newc", names=None):
    """The archive that `find . | cpio -o` makes."""
    if names is None:
        names = subprocess.run(["find", "."], cwd=folder, check=True, capture_output=True).stdout
    return subprocess.run(["cpio", "-o", "--quiet", "-H", form], cwd=folder, input=names,
                          check=True, capture_output=True).stdout


def archive(boot, data):
    """`data` as a file that can be booted."""
    path = boot.root.parent / "given.cpio"
    path.write_bytes(data)
    return path


def ready(boot, **how):
    """A boot of init that gets to READY; its console's text."""
    with boot.start(append=OFF, **how) as vm:
        vm.wait_for("^KOZO READY$")
        vm.expect_exit(0)
        return vm.text


def panics(boot, why, append="", **how):
    """A boot that ends in a panic with just this line (a regular expression)."""
    with boot.start(append=append, **how) as vm:
        vm.expect_exit("panic")
        line = re.search(r"^kernel panic: (.*) \(kernel/\S+:\d+\)$", vm.text, re.MULTILINE)
        assert line, f"no panic line in {vm.text!r}"
        assert re.fullmatch(why, line.group(1)), line.group(1)
        assert vm.text.rstrip().endswith("KOZO PANIC"), "more after the end"
        assert "KOZO READY" not in vm.text


# ---- the first lines ---------------------------------------------------------------------------

def test_banner_comes_first(boot):
    with boot.start(append="kozo.init=bin/nothing") as vm:
        vm.expect_exit("panic")
        assert re.match(r"KOZO \d+\.\d+\.\d+\r?\n", vm.console.decode()), vm.text[:200]


@on(memory=("64M", "256M", "8G"))
def test_log_tells_memory_clock_and_threads(boot):
    text = ready(boot)
    megabytes = {"64M": 63, "256M": 255, "8G": 8191}[boot.machine["memory"]]
    assert f"\nboot: {megabytes} MiB of RAM in " in text
    assert re.search(r"^clock: TSC \d+ kHz, timer \d+ kHz, by HPET over \d+ us; took \d+ us$", text,
                     re.MULTILINE)
    given = int(re.search(r"^memory: (\d+) KiB in \d+ pieces, \d+ KiB lost; \d+ threads$", text,
                          re.MULTILINE).group(1))
    kept = megabytes - given / 1024
    # A word for each page up to the top of RAM, which a hole of 1 GiB may lie below.
    assert 0 <= kept < 10 + (megabytes + 1024) / 512, \
        "the kernel keeps less than 10 MiB beside them"


def test_log_tells_what_the_processor_has(boot):
    text = ready(boot)
    assert "\ncpu: NX WP on, no SMEP, no SMAP, no UMIP\n" in text
    assert "\nbadges: key from TSC, RTC and kozo.seed (weak)\n" in text
    text = ready(boot, cpu="max")
    assert "\ncpu: NX WP SMEP SMAP UMIP on\n" in text
    assert "\nbadges: key from RDRAND\n" in text


# ---- which program -----------------------------------------------------------------------------

def test_command_line_names_another_first_program(boot):
    shutil.move(boot.path("bin/init"), boot.path("bin/other"))
    with boot.start(append=f"{OFF} kozo.init=bin/other") as vm:
        vm.wait_for("first program bin/other")
        vm.wait_for("^KOZO READY$")
        vm.expect_exit(0)


def test_first_program_is_missing(boot):
    boot.remove("bin/init")
    panics(boot, r"initrd: no file bin/init, the first program \(kozo\.init= names another\)")
    panics(boot, r"initrd: no file bin/nothing, .*", "kozo.init=bin/nothing")
    panics(boot, r"initrd: no file \.\./init, .*", "kozo.init=../init")


def test_name_that_is_too_long_is_not_taken_for_another(boot):
    panics(boot, r"kozo\.init= names a file of 300 bytes, expected at most 255",
           "kozo.init=" + 300 * "x")
    panics(boot, r"kozo\.init= has byte 0x1b at 4, expected printable ASCII other than \\",
           "kozo.init=bin/\033[2J")


def test_first_program_is_no_file(boot):
    panics(boot, "initrd: bin is a directory, expected a file", "kozo.init=bin")
    boot.path("bin/link").symlink_to("init")
    panics(boot, "initrd: bin/link is a symbolic link, which is not followed, expected a file",
           "kozo.init=bin/link")


def test_first_program_is_no_program(boot):
    boot.write("bin/init", "#!/bin/sh\necho KOZO READY, and more, to be as long as a header is\n")
    panics(boot, r'bin/init: e_ident\[EI_MAG\] at byte 0 is "#!/b", expected "\\x7fELF", .*')
    boot.write("bin/init", "")
    panics(boot, "bin/init: file size at byte 0 is 0, expected at least the 64 bytes of .*")


def test_first_program_is_cut_off(boot):
    whole = boot.path("bin/init").read_bytes()
    for size in (63, 64, 200, len(whole) // 2, len(whole) - 1):
        boot.write("bin/init", whole[:size])
        panics(boot, r"bin/init: .* at byte \d+ is .*, expected .*")


def test_first_program_of_another_abi_is_refused_with_both_versions(boot):
    whole = boot.path("bin/init").read_bytes()
    at = whole.index(b"KOZO\0\0\0\0") + 8      # the note's owner, then major and minor
    assert int.from_bytes(whole[at:at + 4], "little") == 1, "that is not the note"
    boot.write("bin/init", whole[:at] + bytes([9]) + whole[at + 1:])
    panics(boot,
           r"bin/init: KOZO note ABI version at byte \d+ is 9\.0, expected ABI version 1\.0, .*")


def test_command_line_has_an_end(boot):
    with boot.start(append=f"{OFF} {(1023 - len(OFF) - 1) * 'a'}") as vm:
        vm.wait_for("^KOZO READY$")
        vm.expect_exit(0)
    panics(boot, "start info: the command line has no end within 1024 bytes", 1024 * "a")


# ---- archives ----------------------------------------------------------------------------------

def test_no_archive(boot):
    command = qemu.command(qemu.Machine(kernel=boot.tree.kernel)) + ["-serial", "stdio"]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=60,
                          check=False)
    assert done.returncode == qemu.exit_status(qemu.EXIT_PANIC), done
    assert b"\nkernel panic: no initrd: give one with -initrd FILE (" in done.stdout, done.stdout
    panics(boot, "no initrd: give one with -initrd FILE", initrd=archive(boot, b""))


def test_archive_that_is_none(boot):
    for data in (bytes(5000), b"hello\n", b"070702" + bytes(200), bytes(range(256)) * 50):
        panics(boot, r'initrd: c_magic at byte 0 is "[^"]+", expected .*070701.*',
               initrd=archive(boot, data))


def test_archive_of_another_format_is_named(boot):
    for form, name in (("odc", "odc"), ("crc", "CRC"), ("bin", "binary")):
        panics(boot, f"initrd: c_magic at byte 0 is .*, expected newc .*{name}.*",
               initrd=archive(boot, cpio(boot.root, form)))
    packed = subprocess.run(["gzip", "-c"], input=cpio(boot.root), capture_output=True, check=True)
    panics(boot, "initrd: .* this is compressed with gzip: unpack it first",
           initrd=archive(boot, packed.stdout))


def test_archive_that_is_cut_off(boot):
    data = cpio(boot.root)
    for size in (1, 109, 111, len(data) // 3, len(data) // 2, data.index(b"TRAILER!!!")):
        panics(boot, r"initrd: .* at byte \d+ is \d+( \(0x[0-9a-f]+\))?, expected .*cut off.*",
               initrd=archive(boot, data[:size]))


def test_archive_with_names_that_lead_elsewhere(boot):
    data = cpio(boot.root)
    for name in (b"/etc/mot", b"../motd1", b"etc//mot", b"a/../etc"):
        panics(boot, rf'initrd: name at byte \d+ is "{re.escape(name.decode())}", expected .*',
               initrd=archive(boot, data.replace(b"etc/motd", name, 1)))


def test_archive_that_holds_the_first_program_twice(boot):
    data = cpio(boot.root, names=b"bin/init\netc\nbin/init\n")
    panics(boot, r'initrd: name at byte \d+ is "bin/init" beside the entry at byte 0, '
                 "expected each name once",
           initrd=archive(boot, data))


def test_archive_whose_names_cannot_lie_beside_each_other(boot):
    """The kernel looks for one name; what is wrong with others init refuses, before it starts
    anything."""
    through = cpio(boot.root).replace(b"etc/motd", b"etc/kozo", 1)
    through = through.replace(b"etc/kozo.conf", b"etc/kozo/conf", 1)
    twice = cpio(boot.root, names=b"bin/init\netc/motd\nbin/fsd\netc/motd\n")
    for data, name, what in ((through, "etc/kozo/conf", "only directories before a slash"),
                             (twice, "etc/motd", "each name once")):
        with boot.start(append=OFF, initrd=archive(boot, data)) as vm:
            vm.expect_exit("failed")
            assert re.search(rf"^KOZO FAILED: archive, expected {what}, got initrd: "
                             rf'name at byte \d+ is "{name}" beside the entry at byte \d+$',
                             vm.text, re.MULTILINE), vm.text
            assert "[hello]" not in vm.text and "[fsd]" not in vm.text, vm.text


def test_archive_made_by_find_and_cpio(boot):
    boot.write("etc/kozo.conf", (boot.tree.archive_root / "etc/kozo.conf").read_bytes())
    ready(boot, initrd=archive(boot, cpio(boot.root)))


def test_archive_with_links_and_other_things(boot):
    boot.write("etc/kozo.conf", (boot.tree.archive_root / "etc/kozo.conf").read_bytes())
    boot.path("bin/again").hardlink_to(boot.path("bin/init"))
    boot.path("etc/link").symlink_to("motd")
    subprocess.run(["mkfifo", str(boot.path("etc/pipe"))], check=True)
    path = archive(boot, cpio(boot.root))
    for append in (OFF, OFF + " kozo.init=bin/again"):
        with boot.start(append=append, initrd=path) as vm:
            vm.wait_for("^KOZO READY$")
            vm.expect_exit(0)


def test_archive_of_thousands_of_files(boot):
    for folder in range(50):
        for file in range(100):
            boot.write(f"data/{folder}/{file}", f"{folder} {file}\n")
    ready(boot)


def test_archive_of_many_megabytes(boot):
    for i in range(3):
        boot.write(f"data/{i}", b"0123456789abcdef" * (1536 * 1024) + bytes(i))     # 24 MiB each
    ready(boot)
    ready(boot, memory="128M")


def test_archive_that_leaves_too_little_memory(boot):
    boot.write("data", bytes(50 * 1024 * 1024))
    with boot.start(append=OFF, memory="64M") as vm:
        assert vm.wait() in map(qemu.exit_status, (qemu.EXIT_PANIC, qemu.EXIT_FAILED)), \
            "neither a panic nor a failure"
        assert re.search("^(kernel panic|KOZO FAILED): .*memory", vm.text, re.MULTILINE), vm.text


def test_archive_over_the_kernels_own_memory(boot):
    """There is too little for both; the variables are the archive's bytes then,
    so no report is possible."""
    with boot.start(append=OFF, memory="7M") as vm:
        vm.expect_exit("panic")
        assert re.search("^kernel panic: start info: the initrd lies over the kernel, "
                         ".* more memory .*\nKOZO PANIC$", vm.text, re.MULTILINE), vm.text
        assert vm.text.count("kernel panic") == 1, vm.text


# ---- what the command line and the manifest say ------------------------------------------------

def test_words_that_nobody_knows_are_told(boot):
    text = ready(boot)
    assert "[init] command line" not in text, text
    with boot.start(append=f'quiet {OFF} kozo.sed=3 kozo.seed="a b" x="y') as vm:
        vm.wait_for("^KOZO READY$")
        vm.expect_exit(0)
        assert "\n[init] command line: ignored: quiet kozo.sed=3 x='y (known: " in vm.text, vm.text
        assert "\n[init] command line: a double quote is not closed: " in vm.text, vm.text


def fails(boot, why):
    """A start that init refuses with this one line (a regular expression),
    and nothing is started."""
    with boot.start(append=OFF) as vm:
        vm.expect_exit("failed")
        line = re.search("^KOZO FAILED: (.*)$", vm.text, re.MULTILINE)
        assert line and re.fullmatch(why, line[1]), vm.text
        assert not re.search(r"^\[(?!init)", vm.text, re.MULTILINE), vm.text


def test_manifest_that_cannot_be_obeyed(boot):
    conf = boot.path("etc/kozo.conf").read_text()
    spoiled = {
        (r"sha256 +=.*\n", ""):
            r"manifest, expected this field .*, got etc/kozo\.conf:\d+: "
            r"\[service console\] without sha256",
        ("requests     = fs\n", "requests     = fz\n"):
            r"manifest, .* a service provides, .*, got etc/kozo\.conf:\d+: requests = fz",
        (r"\[service hello\]", "[service init]"):
            r"manifest, .* other than init and kernel.*: \[service init\]",
    }
    for (old, new), why in spoiled.items():
        boot.write("etc/kozo.conf", re.sub(old, new, conf, count=1))
        fails(boot, why)
    boot.remove("etc/kozo.conf")
    boot.path("etc/kozo.conf").symlink_to("motd")
    fails(boot, r"manifest, expected etc/kozo\.conf in the archive, "
                "got a symbolic link, which is not followed")


# ---- the end of the first program --------------------------------------------------------------

def doomed(boot, how, why):
    panics(boot, why, f"kozo.init=bin/doomed doom={how}")


def test_first_program_that_ends_is_a_panic(boot):
    doomed(boot, "exit", "the first program ended with code 42")


def test_first_program_that_faults_is_a_panic(boot):
    page = "the first program stopped: page fault at [0-9a-f]+, address "
    doomed(boot, "page", page + "123456789000")
    doomed(boot, "kernel", page + "ffffffff80100000")
    doomed(boot, "constant", page + "[0-9a-f]+")
    doomed(boot, "opcode", "the first program stopped: invalid opcode at ([0-9a-f]+), address \\1")


def test_first_program_has_a_guard_below_its_stack(boot):
    doomed(boot, "stack",
           "the first program stopped: page fault at [0-9a-f]+, address [0-9a-f]+3[0-9a-f]{3}")


def test_first_program_that_deletes_itself_is_a_panic(boot):
    doomed(boot, "delete", "the first program ended: its thread was deleted")


# ---- interrupts nobody asked for ---------------------------------------------------------------

@on(cpu=("qemu64", "max"))
def test_nmis_are_counted_and_ignored(boot):
    with boot.start(append="kozo.init=bin/registers", extra=("-singlestep",)) as vm:
        vm.wait_for("^ok ")
        try:
            while vm.seconds < vm.limit:
                vm.qmp("inject-nmi")
                time.sleep(0.001)
        except GuestError:
            pass        # the guest has ended
        vm.expect_exit(0)
        assert re.search(r"^nmi: \d+ so far, ignored$", vm.text, re.MULTILINE), "no NMI came"
