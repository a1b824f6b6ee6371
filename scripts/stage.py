#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Lay out the linked programs for users, for the archive and for the tests.

    bin/NAME         every program, with symbols
    root/            what the default archive holds: bin/ stripped, etc/ with the hashes filled in
    guest/bin/NAME   test programs, without debug data
"""

import argparse
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import mkconf  # noqa: E402


def _fresh(path):
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(parents=True)
    return path


def _place(program, strip, symbols, stripped):
    """Copy `program` whole into one folder; with symbols, but no debug data, into the other."""
    target = symbols / program.name
    if target.exists():
        raise SystemExit(f"stage.py: error: two programs are named {program.name}")
    shutil.copyfile(program, target)
    target.chmod(0o755)
    subprocess.run([strip, "--strip-debug", "-o", stripped / program.name, program], check=True)
    (stripped / program.name).chmod(0o755)


def _place_etc(files, root):
    etc = _fresh(root / "etc")
    for file in files:
        if file.name == "kozo.conf":
            (etc / file.name).write_text(mkconf.fill(file.read_text(), root, str(file)))
        else:
            shutil.copyfile(file, etc / file.name)
        (etc / file.name).chmod(0o644)


def _arguments():
    p = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    p.add_argument("programs", nargs="*", type=Path)
    p.add_argument("--strip", required=True)
    p.add_argument("--build", required=True, type=Path)
    p.add_argument("--services", nargs="*", default=[])
    p.add_argument("--etc", nargs="*", type=Path, default=[])
    p.add_argument("--stamp", required=True, type=Path)
    return p.parse_args()


def main():
    a = _arguments()
    symbols = _fresh(a.build / "bin")
    root = _fresh(a.build / "root")
    services = _fresh(root / "bin")
    guests = _fresh(a.build / "guest" / "bin")
    for program in a.programs:
        _place(program, a.strip, symbols, services if program.name in a.services else guests)
    try:
        _place_etc(a.etc, root)
    except mkconf.ConfError as e:
        raise SystemExit(f"stage.py: error: {e}") from e
    a.stamp.write_text("")


if __name__ == "__main__":
    main()
