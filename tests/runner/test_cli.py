# SPDX-License-Identifier: MIT
"""./kozo as a user meets it: exit codes, error lines, streams."""

import os
import pty
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

from kozo import packages, paths
from kozo.commands import check_output

sys.path.insert(0, str(Path(__file__).parent))
import guests  # noqa: E402

KOZO = str(paths.SOURCE / "kozo")


def _kozo(*arguments, **environment):
    """Run ./kozo with stdin closed and output piped."""
    return subprocess.run(["sh", "-c", 'exec "$0" "$@" <&-', KOZO, *arguments], text=True,
                          capture_output=True, timeout=120, check=False,
                          env={**os.environ, **environment})


def _run(variant, *more):
    """./kozo run with a tiny guest for a kernel, and any file for an archive."""
    return _kozo("run", "--kernel", str(guests.image(variant)), "--initrd", __file__, *more)


def _expect(done, code, text):
    assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
    assert text in done.stderr, done.stderr
    assert "Traceback" not in done.stderr, done.stderr
    assert "\033" not in done.stdout + done.stderr


def test_guest_that_ends_well():
    done = _run("PASS")
    _expect(done, 0, "")
    assert done.stdout.replace("\r", "") == "tiny guest\n", done.stdout


def test_guest_that_fails():
    _expect(_run("SILENT"), 0, "")
    _expect(_run("FAULT"), 1, "kozo: error: the guest reported failure")


def test_guest_status_is_printed():
    _expect(_run("STATUS_7"), 1, "status 7")


def test_guest_panic():
    _expect(_run("PANIC"), 4, "panicked")


def test_guest_reset_is_told_from_a_triple_fault():
    _expect(_run("RESET"), 1,
            "kozo: error: the guest reset the machine (`reboot`), at which QEMU ends")


def test_guest_triple_fault():
    _expect(_run("TRIPLE_FAULT"), 1, "triple-faulted")


def test_time_out():
    _expect(_run("HANG", "--timeout", "2"), 5, "2 s")


def test_qemu_arguments_after_dashes():
    _expect(_run("PASS", "--", "-no-such-option"), 1, "QEMU failed with status 1")


def test_dry_run_prints_one_pastable_line():
    done = _run("PASS", "--dry-run", "--append", "a=b", "--exec", "ls /; poweroff", "--cpu", "max",
                "--mem", "64M", "--machine", "q35", "--", "-d", "int")
    _expect(done, 0, "")
    assert done.stderr == "" and done.stdout.count("\n") == 1
    words = shlex.split(done.stdout)
    for pair in (("-cpu", "max"), ("-m", "64M"), ("-machine", "q35"), ("-d", "int"),
                 ("-append", 'a=b kozo.run="ls /; poweroff"')):
        assert pair in zip(words, words[1:]), (pair, words)


def test_commands_may_have_quotes():
    done = _run("PASS", "--dry-run", "--append", r'a="b \" c"',
                "--exec", r'''echo "a 'b" \n > /ram/q''')
    _expect(done, 0, "")
    words = shlex.split(done.stdout)
    assert words[words.index("-append") + 1] == \
        r'''a="b \" c" kozo.run="echo \"a 'b\" \\n > /ram/q"'''


def test_usage_errors():
    for arguments in (("bogus",), ("run", "--bogus"), ("run", "--kernel", "/no/such/file"), (),
                      ("run", "--timeout", "0"), ("test", "--suite", "bogus"), ("clean", "--", "x"),
                      ("test", "--repeat", "0"), ("run", "--exec", "a\nb"),
                      ("run", "--exec", "\x1b"),
                      ("run", "--exec", '"' * 507, "--dry-run"),
                      ("run", "--append", 'x="', "--exec", "ls", "--dry-run"),
                      ("man", "kozo_nothing"), ("run", "--timeout", "nan"),
                      ("test", "--timeout", "nan"), ("fuzz", "cpio", "--time", "0"),
                      ("grind", "--time", "0m")):
        done = _kozo(*arguments)
        assert done.returncode == 2, (arguments, done.returncode)
        assert "error:" in done.stderr and done.stdout == "", (arguments, done.stderr)


def test_a_folder_of_others_is_no_build_folder():
    """Nothing is written into it, so that `clean` never takes it for one that was built in."""
    with tempfile.TemporaryDirectory() as folder:
        note = Path(folder) / "note"
        note.write_text("mine")
        _expect(_kozo("build", "--build-dir", folder), 2, "holds files of others, as note")
        _expect(_kozo("clean", "--build-dir", folder), 2, "was not made by ./kozo build")
        assert [f.name for f in Path(folder).iterdir()] == ["note"]


def test_a_report_that_cannot_be_written_is_told_first():
    for command in (("test", "-k", "no_such_test", "--junit"), ("coverage", "--json"),
                    ("bench", "--json")):
        for name, text in ((f"{__file__}/report", "Not a directory"),
                           (str(paths.TESTS), "Is a directory")):
            done = _kozo(*command, name)
            _expect(done, 2, f"{command[-1]}: {name}: cannot be written: {text}")
            assert done.stdout == "" and done.stderr.count("\n") == 1, done.stderr


def test_asking_for_a_report_leaves_none_behind():
    with tempfile.TemporaryDirectory() as folder:
        check_output("--junit", f"{folder}/new/report.xml")
        assert list((Path(folder) / "new").iterdir()) == []
        Path(folder, "old").write_text("kept")
        check_output("--junit", f"{folder}/old")
        assert Path(folder, "old").read_text() == "kept"


def test_usage_errors_show_the_commands_own_usage():
    done = _kozo("run", "--bogus")
    assert done.stderr.startswith("usage: kozo run "), done.stderr


def test_man_finds_calls_and_protocols():
    for name, text in (("kozo_cap_mint", "BADGED"), ("fs_call_open", "Operation 1")):
        done = _kozo("man", name)
        assert done.returncode == 0 and done.stdout.startswith(f"### {name}\n"), done.stdout
        assert text in done.stdout, done.stdout


def test_man_shows_a_headers_lists_line_by_line():
    for name in ("make.h", "kozo/make.h"):
        done = _kozo("man", name)
        assert done.returncode == 0 and done.stdout.startswith("# kozo/make.h\n"), done.stdout
        assert re.search(r"^    KOZO_U64\(name\) +a number\n    KOZO_STR\(name, max\) ",
                         done.stdout, re.MULTILINE), done.stdout


def test_help_everywhere():
    for command in ((), ("run",), ("build",), ("test",), ("setup",), ("clean",), ("fuzz",),
                    ("man",)):
        done = _kozo(*command, "--help")
        assert done.returncode == 0 and done.stdout.startswith("usage:"), command


def _fake_tools(folder, **scripts):
    """A PATH with the real tools but for `scripts`; the empty script hides a tool."""
    for directory in ("/usr/bin", "/bin"):
        for tool in Path(directory).iterdir():
            link = Path(folder) / tool.name
            if not link.exists() and tool.name not in scripts:
                link.symlink_to(tool)
    for name, text in scripts.items():
        if text:
            (Path(folder) / name).write_text(f"#!/bin/sh\n{text}\n")
            (Path(folder) / name).chmod(0o755)
    return folder


def test_old_qemu_is_one_clear_line():
    with tempfile.TemporaryDirectory() as folder:
        path = _fake_tools(folder, **{"qemu-system-x86_64": "echo QEMU emulator version 6.2.0"})
        done = _kozo("run", "--kernel", str(guests.image("PASS")), "--initrd", __file__, PATH=path)
    _expect(done, 3, "version 6.2, and KOZO needs 7.2 or newer")
    assert done.stderr.count("\n") == 1


def test_what_is_piped_in_follows_a_line_end():
    """For a first byte is lost. Who could still write more keeps nobody waiting."""
    with tempfile.TemporaryDirectory() as folder:
        seen = Path(folder) / "seen"
        path = _fake_tools(folder, **{"qemu-system-x86_64": (
            f'[ "$1" = --version ] && echo QEMU emulator version 7.2.0 && exit\n'
            f"head -c 5 > {seen}; exit 33")})
        with subprocess.Popen([KOZO, "run", "--kernel", __file__, "--initrd", __file__],
                              stdin=subprocess.PIPE, env={**os.environ, "PATH": path}) as running:
            running.stdin.write(b"ls /\n")
            running.stdin.flush()
            assert running.wait(60) == 0
        assert seen.read_bytes() == b"\nls /"


def test_missing_package_is_one_clear_line():
    with tempfile.TemporaryDirectory() as folder:
        path = _fake_tools(folder, **{"qemu-system-x86_64": "", "cpio": ""})
        for command in (("setup",), ("build",), ("test",), ("run",)):
            done = _kozo(*command, PATH=path, KOZO_NO_INSTALL="1")
            _expect(done, 3, "apt-get install -y --no-install-recommends qemu-system-x86 cpio")
            assert done.stderr.count("\n") == 1 and done.stdout == ""


def test_missing_package_is_installed():
    install = 'echo "$@" >> "$0.log"; case "$*" in *--dry-run*) exit 0;; *install*) ' \
              'd=$(dirname "$0"); printf "#!/bin/sh\\n" > "$d/cpio"; chmod +x "$d/cpio";; esac'
    sudo = 'while [ $# -gt 0 ]; do case "$1" in -n) shift;; *) break;; esac; done; exec "$@"'
    with tempfile.TemporaryDirectory() as folder:
        path = _fake_tools(folder, **{"cpio": "", "apt-get": install, "id": "echo 0",
                                      "sudo": sudo})
        done = _kozo("setup", PATH=path)
        log = (Path(folder) / "apt-get.log").read_text()
    _expect(done, 0, "installing Debian packages: cpio\n")
    assert log.splitlines()[-1] == "install -y --no-install-recommends cpio", log


def test_nothing_is_asked_of_apt_when_all_is_there():
    with tempfile.TemporaryDirectory() as folder:
        path = _fake_tools(folder, **{"apt-get": 'touch "$0.called"; exit 1'})
        _expect(_kozo("setup", PATH=path), 0, "")
        assert not (Path(folder) / "apt-get.called").exists()


def test_failing_apt_is_explained():
    with tempfile.TemporaryDirectory() as folder:
        path = _fake_tools(folder, **{"cpio": "", "apt-get": 'echo "E: no network"; exit 100',
                                      "sudo": 'shift; exec "$@"'})
        done = _kozo("setup", PATH=path)
    _expect(done, 3, "apt-get could not install cpio: E: no network")


def test_package_table():
    names = [p.name for p in packages.PACKAGES]
    assert len(set(names)) == len(names)
    assert packages.missing([packages.Package("x", files=("/no/such/*",))]) == ["x"]
    assert packages.missing([packages.Package("x", ("sh",), ("/bin/s*",))]) == []


def test_a_run_without_a_terminal_says_so_to_the_guest():
    """And a run with one does not, nor one whose commands are given: that says as much."""
    assert "-append kozo.unattended" in _kozo("run", "--dry-run").stdout
    assert "-append 'a=b kozo.unattended'" in _kozo("run", "--dry-run", "--append", "a=b").stdout
    assert "unattended" not in _kozo("run", "--dry-run", "--exec", "ls").stdout
    master, slave = pty.openpty()
    try:
        done = subprocess.run([KOZO, "run", "--dry-run"], stdin=slave, text=True,
                              capture_output=True, timeout=120, check=False)
    finally:
        os.close(master)
        os.close(slave)
    assert done.returncode == 0 and "qemu" in done.stdout and "unattended" not in done.stdout, done
