# SPDX-License-Identifier: MIT
"""The README's first service, made exactly as the README says."""

import re
import shutil
import sys
import tempfile
from pathlib import Path

from kozo import builder, paths

sys.path.insert(0, str(paths.TESTS / "checks"))
import tree as source  # noqa: E402

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```\n", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"`(services/[\w./]+)`")


def _blocks():
    """(language, text, the file that the sentence before it names last) of each code block of the README."""
    text = source.read("README.md")
    start = 0
    for found in _BLOCK.finditer(text):
        named = _FILE.findall(text[start:found.start()])
        yield found.group(1), found.group(2), named[-1] if named else None
        start = found.end()


def _add(copy, language, text, name):
    """Do with a code block what the README says."""
    path = copy / name
    if language == "c":
        assert not path.exists(), f"the README makes {name}, which exists"
        path.parent.mkdir()
        path.write_text(text)
    elif language == "meson":
        old = path.read_text()
        assert old.count("services = {\n") == 1, f"{name} has no table `services`"
        path.write_text(old.replace("services = {\n", "services = {\n" + text))
    elif language == "ini":
        path.write_text(path.read_text() + "\n" + text)


def _copy_of_the_source(copy):
    for f in source.files():
        (copy / f).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(paths.SOURCE / f, copy / f)


def test_first_service(boot):
    """Its reply is seen, as the README shows it, and the system is ready."""
    with tempfile.TemporaryDirectory(prefix="kozo-readme-") as folder:
        copy = Path(folder) / "source"
        _copy_of_the_source(copy)
        shown = []
        for language, text, name in _blocks():
            if language == "text":
                shown += text.splitlines()
            else:
                _add(copy, language, text, name)
        built = paths.BuildTree(Path(folder) / "build")
        builder.build(built, source=copy, targets=["initrd.cpio"])
        assert shown, "the README shows no output"
        with boot.start(initrd=built.initrd) as vm:
            vm.wait_for(r"^KOZO READY$")
            lines = vm.text.splitlines()
            source.refuse(f"the README shows this line, and it was not printed: {s}"
                          for s in shown if s not in lines)
