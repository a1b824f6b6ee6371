# SPDX-License-Identifier: MIT
"""Archives: mkinitrd.sh, mkconf.py, and the changes tests make."""

import hashlib
import os
import subprocess
import tempfile
from pathlib import Path

import mkconf
from kozo import paths
from kozo.harness import manifest, staging


def _tree(folder, order):
    root = Path(folder)
    for name in order:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(f"this is {name}\n")
    (root / "bin/a").chmod(0o700)
    return root


def _pack(root, **environment):
    out = root.parent / "out.cpio"
    subprocess.run(["sh", str(paths.SCRIPTS / "mkinitrd.sh"), str(root), str(out)], check=True,
                   env={**os.environ, **environment})
    return out.read_bytes()


def _listing(data):
    done = subprocess.run(["cpio", "-itv", "--quiet", "--numeric-uid-gid"], input=data, check=True,
                          capture_output=True, env={**os.environ, "TZ": "UTC", "LC_ALL": "C"})
    return [line.split() for line in done.stdout.decode().splitlines()]


def test_same_files_same_bytes():
    names = ["bin/a", "etc/b", "c", "etc/deep/er/d"]
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as two:
        first = _pack(_tree(Path(one) / "r", names))
        second = _pack(_tree(Path(two) / "other", reversed(names)))
    assert first == second
    assert first.startswith(b"070701")


def test_what_the_archive_says():
    with tempfile.TemporaryDirectory() as folder:
        lines = _listing(_pack(_tree(Path(folder) / "r", ["bin/a", "etc/b"])))
    assert [line[-1] for line in lines] == ["bin", "bin/a", "etc", "etc/b"], lines
    assert [line[0] for line in lines] == ["drwxr-xr-x", "-rwxr-xr-x", "drwxr-xr-x", "-rw-r--r--"]
    assert all(line[2:4] == ["0", "0"] and "1970" in line for line in lines), lines


def test_source_date_epoch():
    with tempfile.TemporaryDirectory() as folder:
        root = _tree(Path(folder) / "r", ["bin/a"])
        lines = _listing(_pack(root, SOURCE_DATE_EPOCH="1000000000"))
        assert all("2001" in line for line in lines), lines


def test_mkinitrd_usage():
    script = str(paths.SCRIPTS / "mkinitrd.sh")
    for arguments, status in (([], 2), (["/no/such/dir", "out"], 2), (["--help"], 0)):
        done = subprocess.run(["sh", script, *arguments], capture_output=True, check=False)
        assert done.returncode == status, (arguments, done)


def test_hashes_are_filled_in():
    with tempfile.TemporaryDirectory() as folder:
        root = _tree(folder, ["bin/a", "bin/b"])
        text = mkconf.fill("x = 1\n[service a]\nsha256 = auto\nbinary = bin/a\n"
                           "[service b]\nbinary = bin/b\nsha256 = 00\n", root)
    expected = hashlib.sha256(b"this is bin/a\n").hexdigest()
    assert text.splitlines()[2] == f"sha256 = {expected}"
    assert text.splitlines()[6] == "sha256 = 00"


def test_hashes_that_cannot_be_filled_in():
    for text, words in (("[service a]\nbinary = bin/no\nsha256 = auto\n", ":3: cannot hash bin/no"),
                        ("[service a]\nsha256 = auto\n[b]\nbinary = bin/a\n", ":2: sha256 = auto")):
        try:
            mkconf.fill(text, "/nowhere")
            raise AssertionError(f"accepted: {text}")
        except mkconf.ConfError as e:
            assert words in str(e), e


def test_changes_to_an_archive():
    with tempfile.TemporaryDirectory() as folder:
        tree = paths.BuildTree(folder)
        _tree(tree.archive_root, ["bin/a", "etc/motd"])
        stage = staging.Staging(tree)
        stage.write("etc/kozo.conf", "[service a]\nbinary = bin/a\nsha256 = auto\n")
        stage.edit("etc/motd", "this", "that")
        stage.write("deep/er/x", b"\0")
        stage.remove("bin/a")
        stage.write("/bin/a", "new")
        names = [line[-1] for line in _listing(stage.pack().read_bytes())]
        assert "deep/er/x" in names and "bin/a" in names, names
        assert hashlib.sha256(b"new").hexdigest().encode() in stage.pack().read_bytes()
        assert b"sha256 = auto" in stage.pack(hashes=False).read_bytes()
        assert "that is" in stage.read("etc/motd")
        stage.close()


def test_changes_to_the_manifest():
    with tempfile.TemporaryDirectory() as folder:
        tree = paths.BuildTree(folder)
        _tree(tree.archive_root, ["bin/a"])
        stage = staging.Staging(tree)
        stage.write("etc/kozo.conf", "[init]\nargs = x\n\n[service a]\nargs = y\nargs_2 = z\n")
        stage.set("init", "seconds", 3)
        stage.set("service a", "args", None)
        stage.set("service a", "args_2", "w")
        stage.add(manifest.service("b", "bin/a", args="u v"),
                  manifest.rule("r", "b", "fs:/x", "read", tier="low"))
        assert stage.read("etc/kozo.conf") == (
            "[init]\nseconds = 3\nargs = x\n\n[service a]\nargs_2 = w\n"
            "\n[service b]\nbinary = bin/a\nsha256 = auto\nmemory = 512K\ncapabilities = log\n"
            "args = u v\n"
            "\n[rule r]\nsubject = b\nobject = fs:/x\nrights = read\ndecision = allow\n"
            "tier = low\n")
        try:
            stage.set("service c", "args", "")
            raise AssertionError("set a field of a section that is not there")
        except ValueError as e:
            assert "[service c]" in str(e), e
        stage.close()
