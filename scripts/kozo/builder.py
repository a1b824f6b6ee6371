# SPDX-License-Identifier: MIT
"""Configure with Meson, build with Ninja. One build at a time in a folder."""

import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys

from kozo import packages, term
from kozo.errors import BuildFailed, EnvironmentProblem, UsageProblem
from kozo.paths import SCRIPTS, SOURCE, build_tree, is_build_folder

CROSS = SCRIPTS / "x86_64.ini"
NATIVE = SCRIPTS / "native.ini"
_MARK = "kozo-setup"

# Variables that would leak flags of this machine into the build.
_FLAGS = ("CC", "CFLAGS", "CPPFLAGS", "LDFLAGS", "CC_LD", "AR", "STRIP", "CPATH", "C_INCLUDE_PATH",
          "LIBRARY_PATH", "LD_LIBRARY_PATH", "DESTDIR")


def tool_environment():
    """This process's environment without what would change the result of a build."""
    environment = {k: v for k, v in os.environ.items()
                   if k not in _FLAGS and not k.endswith("_FOR_BUILD")}
    environment["LC_ALL"] = "C"
    environment["NINJA_STATUS"] = "[%f/%t] "
    return environment


def setup_command(tree, source=SOURCE):
    """The Meson line that configures `tree`."""
    optimization = "g" if tree.debug else "2"
    scripts = source / "scripts"
    return ["meson", "setup", str(tree.root), str(source),
            "--cross-file", str(scripts / CROSS.name), "--native-file", str(scripts / NATIVE.name),
            f"-Doptimization={optimization}", "-Ddebug=true"]


def _fingerprint(tree, source):
    """Changes when the folder has to be configured from nothing."""
    text = " ".join(setup_command(tree, source)).encode()
    files = [(source / "scripts" / f.name).read_bytes() for f in (CROSS, NATIVE)]
    return hashlib.sha256(b"\0".join([text, *files])).hexdigest()


def _make_folder(tree):
    """Make the build folder. One that holds what no build put there is refused: `clean` would
    remove it."""
    try:
        tree.root.mkdir(parents=True, exist_ok=True)
        others = [f.name for f in tree.root.iterdir() if f != tree.logs]
    except OSError as e:
        raise UsageProblem(f"{tree.root}: cannot build there: {e.strerror}") from e
    if others and not is_build_folder(tree.root) and tree.root != build_tree(tree.debug).root:
        raise UsageProblem(f"{tree.root}: cannot build there: it holds files of others, as "
                           f"{min(others)}; name a folder that is empty, or not there yet")


@contextlib.contextmanager
def lock(tree):
    """Hold the build folder; a second builder waits and says so."""
    _make_folder(tree)
    with open(tree.root / ".kozo-lock", "w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            term.note(f"waiting for another build in {tree.root}")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _run(command, what, verbose):
    """Run a build tool, quietly unless `verbose`. Raises BuildFailed with what it said."""
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, env=tool_environment(), text=True,
                              errors="replace", check=False,
                              stdout=sys.stderr if verbose else subprocess.PIPE,
                              stderr=subprocess.STDOUT)
    except FileNotFoundError as e:
        raise EnvironmentProblem(f"{command[0]} is missing: run ./kozo setup") from e
    if done.returncode != 0:
        raise BuildFailed(f"{what} failed (its messages are above)", done.stdout or "")


def _configure(tree, source, verbose):
    """Configure if that has not been done, or was done otherwise."""
    mark = tree.root / _MARK
    wanted = _fingerprint(tree, source)
    configured = (tree.root / "build.ninja").exists()
    if configured and mark.exists() and mark.read_text() == wanted:
        return
    command = setup_command(tree, source)
    shutil.rmtree(tree.root / "meson-private", ignore_errors=True)
    shutil.rmtree(tree.root / "meson-info", ignore_errors=True)
    _run(command, "meson setup", verbose)
    mark.write_text(wanted)


def build(tree, verbose=False, source=SOURCE, targets=()):
    """Bring `tree` up to date; installs missing packages.

    Raises BuildFailed, EnvironmentProblem."""
    packages.ensure()
    with lock(tree):
        _configure(tree, source, verbose)
        quiet = [] if verbose else ["--quiet"]
        _run(["ninja", "-C", str(tree.root), *quiet, *targets], "the build", verbose)


def report_failure(failure):
    """Show what the build tools said."""
    if failure.log.strip():
        print(failure.log.rstrip(), file=sys.stderr)
