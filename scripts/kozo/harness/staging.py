# SPDX-License-Identifier: MIT
"""Archives made of chosen files."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from kozo.errors import KozoError
from kozo.harness import manifest
from kozo.paths import SCRIPTS, SOURCE

sys.path.insert(0, str(SCRIPTS))
import mkconf  # noqa: E402

MANIFEST = "etc/kozo.conf"


def pack(folder, out):
    """Make the archive `out` of the files below `folder`, as a user would."""
    done = subprocess.run(["sh", str(SCRIPTS / "mkinitrd.sh"), str(folder), str(out)],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise KozoError(f"mkinitrd.sh failed: {done.stderr.strip()}")


class Staging:
    """A folder that becomes an archive: the default archive's files, the test programs,
    and changes."""

    def __init__(self, tree):
        self._owner = tempfile.TemporaryDirectory(prefix="kozo-test-", ignore_cleanup_errors=True)
        self._folder = Path(self._owner.name)
        self.root = self._folder / "root"
        self.root.mkdir()
        for source in (tree.archive_root, tree.guest_root):
            if source.is_dir():
                shutil.copytree(source, self.root, dirs_exist_ok=True, symlinks=True)
        if tree.archive_root.is_dir():  # its manifest again, with hashes still to be filled in
            self.write(MANIFEST, (SOURCE / "services" / "kozo.conf").read_bytes())

    def path(self, name):
        """Where the archive's file `name` lies now."""
        return self.root / name.lstrip("/")

    def read(self, name):
        return self.path(name).read_text()

    def write(self, name, data):
        """Write text or bytes to `name`, making its folders."""
        path = self.path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data.encode() if isinstance(data, str) else data)

    def edit(self, name, old, new):
        """Replace `old`, which must occur in `name`, by `new`."""
        text = self.read(name)
        if old not in text:
            raise AssertionError(f"{name} does not contain {old!r}")
        self.write(name, text.replace(old, new))

    def add(self, *sections):
        """Put sections at the end of the manifest, as text: kozo.harness.manifest makes them."""
        self.write(MANIFEST, self.read(MANIFEST) + "".join(sections))

    def set(self, section, name, value):
        """Set a field of `[section]` of the manifest; None takes it away."""
        self.write(MANIFEST, manifest.with_field(self.read(MANIFEST), section, name, value))

    def remove(self, name):
        """Remove a file or a folder."""
        path = self.path(name)
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()

    def pack(self, hashes=True):
        """The archive's path. `sha256 = auto` lines of the manifest are filled in unless told
        not to."""
        conf = self.path(MANIFEST)
        original = conf.read_bytes() if conf.exists() else None
        if hashes and original is not None:
            conf.write_text(mkconf.fill(original.decode(), self.root, MANIFEST))
        out = self._folder / f"initrd-{len(os.listdir(self._folder))}.cpio"
        pack(self.root, out)
        if original is not None:
            conf.write_bytes(original)
        return out

    def close(self):
        self._owner.cleanup()
