# SPDX-License-Identifier: MIT
"""The Debian packages KOZO needs.

Each is recognised by the tools and files it brings, so that nothing is asked of apt when all are
there, and so that tools from elsewhere do as well.
"""

import glob
import os
import shutil
import subprocess
from dataclasses import dataclass

from kozo import term
from kozo.errors import EnvironmentProblem


@dataclass(frozen=True)
class Package:
    """A Debian package, the commands and files (glob patterns) that show it is there."""
    name: str
    commands: tuple = ()
    files: tuple = ()

    def is_present(self):
        return all(shutil.which(c) for c in self.commands) and all(glob.glob(f) for f in self.files)


_RUNTIME = "/usr/lib/llvm-19/lib/clang/19*/lib/*/libclang_rt"

PACKAGES = (
    Package("clang-19", ("clang-19",), ("/usr/include/stdio.h",)),
    Package("lld-19", ("ld.lld-19",)),
    Package("llvm-19", ("llvm-ar-19", "llvm-strip-19", "llvm-objcopy-19", "llvm-readelf-19",
                        "llvm-symbolizer-19", "llvm-profdata-19", "llvm-cov-19")),
    Package("libclang-rt-19-dev", files=(_RUNTIME + ".asan*x86_64*.a",)),
    Package("libfuzzer-19-dev", files=("/usr/lib/llvm-19/lib/libFuzzer.a",)),
    Package("meson", ("meson",)),
    Package("ninja-build", ("ninja",)),
    Package("qemu-system-x86", ("qemu-system-x86_64",)),
    Package("cpio", ("cpio",)),
    Package("libstb-dev", files=("/usr/include/stb/stb_sprintf.h",)),
)

INSTALL = ("apt-get", "install", "-y", "--no-install-recommends")


def missing(packages=PACKAGES):
    """Names of the packages that are not there."""
    return [p.name for p in packages if not p.is_present()]


def _superuser():
    """The words to put before a command to run it as root, or None when that may not be done."""
    if os.environ.get("KOZO_NO_INSTALL"):
        return None
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo"):
        asked = subprocess.run(["sudo", "-n", "true"], stdin=subprocess.DEVNULL,
                               capture_output=True, check=False)
        if asked.returncode == 0:
            return ["sudo", "-n"]
    return None


def _apt(prefix, *command):
    """Run apt-get without questions, its output kept; returns (status, output)."""
    environment = ["env", "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C"]
    done = subprocess.run([*prefix, *environment, *command], stdin=subprocess.DEVNULL, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    return done.returncode, done.stdout


def _install(prefix, names):
    status, _ = _apt(prefix, *INSTALL, "--dry-run", *names)
    if status != 0:
        _apt(prefix, "apt-get", "update", "-q")
    status, output = _apt(prefix, *INSTALL, *names)
    if status != 0 and "404" in output:
        _apt(prefix, "apt-get", "update", "-q")
        status, output = _apt(prefix, *INSTALL, *names)
    if status != 0:
        problems = [line for line in output.splitlines() if line.startswith(("E:", "W:"))]
        why = "; ".join(problems) or output.strip()[-400:]
        raise EnvironmentProblem(f"apt-get could not install {' '.join(names)}: {why}")


def ensure():
    """Install what is missing, after saying so.

    Raises EnvironmentProblem when that may not be done."""
    names = missing()
    if not names:
        return
    command = " ".join([*INSTALL, *names])
    if not shutil.which("apt-get"):
        raise EnvironmentProblem(f"missing: {' '.join(names)}. KOZO installs them only on "
                                 "Debian 12; install what corresponds to them here")
    prefix = _superuser()
    if prefix is None:
        raise EnvironmentProblem(f"Debian packages are missing and may not be installed from here. "
                                 f"Run as root: {command}")
    term.note(f"installing Debian packages: {' '.join(names)}")
    _install(prefix, names)
    still = missing()
    if still:
        raise EnvironmentProblem("installed, but their tools are still not found: "
                                 f"{' '.join(still)}. "
                                 f"Check PATH, or run as root: {command}")
