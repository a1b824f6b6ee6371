# SPDX-License-Identifier: MIT
"""The services that README and tutorial make, made exactly as these say."""

import contextlib
import re
import shutil
import sys
import tempfile
from pathlib import Path

from kozo import builder, paths, suites
from kozo.harness import scripted
from kozo.harness.person import PROMPT
from kozo.harness.runner import Context, listing
from kozo.harness.select import Selection

sys.path.insert(0, str(paths.TESTS / "checks"))
import tree as source  # noqa: E402

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```\n", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"`((?:services|tests)/[\w./]+)`")


def _blocks(document):
    """(language, text, the file that the sentence before it names last) of each code block."""
    text = source.read(document)
    start = 0
    for found in _BLOCK.finditer(text):
        named = _FILE.findall(text[start:found.start()])
        yield found.group(1), found.group(2), named[-1] if named else None
        start = found.end()


def _add(copy, language, text, name):
    """Do with a code block what the document says."""
    path = copy / name
    if language in ("c", "python"):
        assert not path.exists(), f"{name} is to be made, and exists"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    elif language == "meson":
        old = path.read_text()
        assert old.count("services = {\n") == 1, f"{name} has no table `services`"
        path.write_text(old.replace("services = {\n", "services = {\n" + text))
    elif language == "ini":
        path.write_text(path.read_text() + "\n" + text)
    elif language == "diff":
        lines = text.splitlines()
        old, new = (next(s[1:] for s in lines if s[0] == mark) for mark in "-+")
        assert path.read_text().count(old + "\n") == 1, f"{name} has no one line `{old}`"
        path.write_text(path.read_text().replace(old + "\n", new + "\n"))


def _copy_of_the_source(copy):
    for f in source.files():
        (copy / f).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(paths.SOURCE / f, copy / f)


@contextlib.contextmanager
def _made(document):
    """The tree with all that a document adds to it: (source, build, lines of output it shows)."""
    with tempfile.TemporaryDirectory(prefix="kozo-made-") as folder:
        copy = Path(folder) / "source"
        _copy_of_the_source(copy)
        shown = []
        for language, text, name in _blocks(document):
            if language == "text":
                shown += text.splitlines()
            else:
                _add(copy, language, text, name)
        built = paths.BuildTree(Path(folder) / "build")
        builder.build(built, source=copy, targets=["initrd.cpio"])
        assert shown, f"{document} shows no output"
        yield copy, built, shown


def _refuse_missing(document, shown, vm):
    lines = vm.text.splitlines()
    source.refuse(f"{document} shows this line, and it was not printed: {s}"
                  for s in shown if s not in lines)


def _indented(document):
    """The indented lines of a document, each without the words at its right that explain it."""
    text = re.sub(r"^```.*?^```\n", "", source.read(document), flags=re.MULTILINE | re.DOTALL)
    return [re.split(r"  +", line)[0] for line in re.findall(r"^    (.*)", text, re.MULTILINE)]


def test_first_service(boot):
    """Its reply is seen, as the README shows it, and the system is ready."""
    with _made("README.md") as (_, built, shown), boot.start(initrd=built.initrd) as vm:
        vm.wait_for(r"^KOZO READY$")
        _refuse_missing("README.md", shown, vm)


# What is typed, and what comes of it: each line of the tutorial that is to be typed, and what its
# text says of others.
_TUTORIAL = (
    ("help", r"^run \[--with"),
    ("help run", r"^Start a program\.$"),
    ("cat /etc/motd", r"^Welcome to KOZO\.$"),
    ("ps", r"^fsd +serves "),
    ("caps policy", r"^policy +\d+ console-ask +Endpoint "),
    ("cat /etc/motd | wc", r"^ +2 +9 +51$"),
    ("write /ram/note hi", PROMPT),
    ("cat /ram/note", r"^hi$"),
    ("run --with policy asker fs:/etc/motd read 'to see what happens'", r"allow\? y or n"),
    ("n", r"^denied: fs:/etc/motd: "),
    ("run --with policy asker fs:/etc/motd read 'to keep it' 60 &", r"allow\? y or n"),
    ("y", r"^kept for 60 s$"),
    ("policy list",
     r"^ *LEASE +WHO .*\n +\d+ shell/program +low +\d+ shell-files +read fs:/etc/motd$"),
    ("run --with counter count 40", r"^the counter is 40$"),
    ("run --with counter count 2", r"^the counter is 42$"),
    ("run --with counter count", r"^the counter is 42$"),
    ("run --with counter count 60", r"^KOZO FAULT service counter: page fault, write"),
    ("run --with counter count", r"^the counter is 0$"),
)


def _refuse_other_count(tree, line):
    """As many tests as the tutorial says match its `./kozo test` line: those of this tree, and the
    one it makes."""
    suite, pattern = re.fullmatch(r"\./kozo test --suite (\w+) -k (\S+) --junit report\.xml",
                                  line).groups()
    said = re.search(r"ends with `(\d+) passed, 0 failed`",
                     source.read("docs/tutorial.md")).group(1)
    context = Context(tree, None, False, Selection(pattern.strip("'")), (suite,))
    found = listing(context, [suites.load()[suite]])
    made = context.selection.has("smoke", "counter", "it_counts")
    assert len(found) + made == int(said), (line, found, made)


def test_tutorial(boot):
    """Its service counts, fails, begins anew; its test passes."""
    with _made("docs/tutorial.md") as (copy, built, shown):
        with boot.start(initrd=built.initrd) as vm:
            vm.wait_for(r"^KOZO READY$")
            vm.wait_for(PROMPT)
            for command, answer in _TUTORIAL:
                vm.send(command + "\r")
                vm.wait_for(answer)
            _refuse_missing("docs/tutorial.md", shown, vm)
            *typed, fault, test = [line for line in _indented("docs/tutorial.md")
                                   if line != "./kozo run"]
            assert set(typed) - {c for c, _ in _TUTORIAL} == {"poweroff"}, typed
            assert "\n" + fault.removesuffix(" ...") in vm.text, fault
            vm.wait_for(PROMPT)
            vm.send("poweroff 0\r")
            vm.expect_exit(0)
        _refuse_other_count(boot.tree, test)
        test = scripted.load(copy / "tests/smoke/test_counter.py")
        shutil.copy2(boot.tree.kernel, built.kernel)
        again = scripted.Boot(built)
        again.write("etc/kozo.conf", (copy / "services/kozo.conf").read_text())
        test.test_it_counts(again)
        again.close()
