# SPDX-License-Identifier: MIT
"""Where things are."""

import os
from pathlib import Path

SOURCE = Path(__file__).resolve().parent.parent.parent
SCRIPTS = SOURCE / "scripts"
TESTS = SOURCE / "tests"


class BuildTree:
    """The names inside one build folder."""

    def __init__(self, root, debug=False):
        self.root = Path(os.path.abspath(root))
        self.debug = debug
        self.kernel = self.root / "kozo.elf"
        self.initrd = self.root / "initrd.cpio"
        self.archive_root = self.root / "root"
        self.guest_root = self.root / "guest"
        self.unit = self.root / "tests" / "unit" / "unit"
        self.logs = self.root / "test-logs"


def build_tree(debug=False, folder=None):
    """The build folder that the options `--debug` and `--build-dir` select."""
    if folder:
        return BuildTree(folder, debug)
    return BuildTree(SOURCE / ("build-debug" if debug else "build"), debug)


def is_build_folder(folder):
    """Whether ./kozo build has built here, or begun to."""
    return (folder / "build.ninja").exists() or (folder / ".kozo-lock").exists()


def shown(path):
    """`path` as short as it can be written from the current folder."""
    try:
        relative = os.path.relpath(path)
    except (ValueError, OSError):
        return str(path)
    return relative if len(relative) < len(str(path)) else str(path)
