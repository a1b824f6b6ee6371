# SPDX-License-Identifier: MIT
"""The smoke and unit suites on small stand-ins."""

import contextlib
import shutil
import sys
import tempfile
import threading
from pathlib import Path
from unittest import mock

from kozo import paths
from kozo.harness.runner import Context, Runner, listing
from kozo.harness.select import Selection
from kozo.suites import smoke, unit

sys.path.insert(0, str(Path(__file__).parent))
import guests  # noqa: E402

_SCRIPTED = '''
from kozo.harness.scripted import Skip, limit, on

def test_good(boot):
    boot.write("etc/x", "y")
    with boot.start(append="a=b") as vm:
        vm.wait_for("tiny guest")
        vm.expect_exit(0)

@on(cpu=("qemu64", "max"), machine=("q35",))
def test_bad(boot):
    assert 1 == 2, "one is not two"

@limit(2)
def test_waits_in_vain(boot):
    with boot.start() as vm:
        vm.wait_for("never")

def test_skipped(boot):
    raise Skip("not here")

def test_broken(boot):
    boot.no_such_thing()
'''


_one_at_a_time = threading.Lock()


@contextlib.contextmanager
def _stand_in(kernel, scripted="", boots=""):
    """A build tree whose kernel is a tiny guest, and a tests/smoke folder."""
    with (_one_at_a_time, tempfile.TemporaryDirectory() as folder,
          mock.patch.object(smoke, "FOLDER", Path(folder))):
        tree = paths.BuildTree(Path(folder) / "build")
        (tree.guest_root / "bin").mkdir(parents=True)
        (tree.guest_root / "bin" / "tiny").write_text("a program")
        shutil.copy(guests.image(kernel), tree.kernel)
        (Path(folder) / "guest").mkdir()
        (Path(folder) / "guest" / "tiny.c").write_text("TEST(one)\n{\n}\nTEST(two)\n")
        if scripted:
            (Path(folder) / "test_demo.py").write_text(scripted)
        if boots:
            (Path(folder) / "boots.py").write_text(boots)
        yield tree


def _run(suite, tree, pattern=None, repeats=1):
    context = Context(tree, selection=Selection(pattern))
    return Runner(context, out=lambda line: None).run([suite], repeats)


def _summary(results):
    return sorted((f"{r.group}.{r.name}", r.variant, r.status) for r in results)


def test_guest_programs():
    with _stand_in("PASS") as tree:
        assert _summary(_run(smoke, tree)) == [
            ("tiny.one", "", "pass"), ("tiny.three", "", "skip"), ("tiny.two", "", "pass")]
        assert listing(Context(tree), [smoke]) == ["smoke/tiny.one", "smoke/tiny.two"]


def test_machines_and_repeats_are_variants():
    boots = 'BOOTS = {"tiny": [{}, {"cpu": "max", "machine": "q35", "append": "x=y"}]}'
    with _stand_in("PASS", boots=boots) as tree:
        found = _summary(_run(smoke, tree, "tiny.two", repeats=2))
    assert found == [("tiny.two", v, "pass")
                     for v in ("max q35 r1", "max q35 r2", "r1", "r2")], found


def test_selection_leaves_errors_of_the_run_in():
    with _stand_in("PLAN_SHORT") as tree:
        assert _summary(_run(smoke, tree, "tiny.one")) == [
            ("tiny.one", "", "pass"), ("tiny.two", "", "error")]
        assert _run(smoke, tree, "other") == []


def test_logs_of_failures_are_kept():
    with _stand_in("FAIL") as tree:
        failed = [r for r in _run(smoke, tree) if r.bad]
        assert (Path(failed[0].log) / "console.log").read_bytes().startswith(b"tiny guest")
        assert Path(failed[0].log).is_relative_to(tree.logs)


def test_scripted_tests():
    with _stand_in("PASS", _SCRIPTED) as tree:
        found = _run(smoke, tree, "demo.*")
    assert _summary(found) == [
        ("demo.bad", "max q35", "fail"), ("demo.bad", "q35", "fail"), ("demo.broken", "", "error"),
        ("demo.good", "", "pass"), ("demo.skipped", "", "skip"), ("demo.waits_in_vain", "", "fail")]
    by_name = {r.name: r for r in found}
    assert by_name["bad"].message == "one is not two"
    assert "AttributeError" in by_name["broken"].message


def test_scripted_hang_is_an_error():
    with _stand_in("HANG", _SCRIPTED) as tree:
        found, = _run(smoke, tree, "demo.waits_in_vain")
    assert (found.status, found.kind) == ("error", "hang")


_UNIT = '''#!/bin/sh
case "$1" in --list) printf 'cdt.one\\ncdt.two\\nipc.call\\nmem.map\\n'; exit 0;; esac
case "$2" in 1/2) printf '1..1\\n# case mem.map\\nok 1 - mem.map\\n# KOZO END\\n'; exit 0;; esac
printf '1..3\\n# case cdt.one\\n# case cdt.two\\n# case ipc.call\\nok 1 - cdt.one\\n'
%s
printf 'ok 2 - cdt.two\\nok 3 - ipc.call\\n# KOZO END\\n'
'''


def _unit(trouble, pattern=None, timeout=None):
    with tempfile.TemporaryDirectory() as folder:
        tree = paths.BuildTree(folder)
        tree.unit.parent.mkdir(parents=True)
        tree.unit.write_text(_UNIT % trouble)
        tree.unit.chmod(0o755)
        context = Context(tree, timeout, selection=Selection(pattern))
        return Runner(context, out=lambda line: None).run([unit])


def test_unit_program():
    good = [("cdt.one", "", "pass"), ("cdt.two", "", "pass"), ("ipc.call", "", "pass"),
            ("mem.map", "", "pass")]
    assert _summary(_unit("")) == good
    assert _summary(_unit("", "ipc.*")) == good[2:3]
    assert _summary(_unit("", "mem.*")) == good[3:]


def test_unit_program_that_crashes():
    found = _unit("echo 'x.c:1: runtime error: ouch' >&2; kill -ABRT $$")
    assert _summary(found) == [("cdt.one", "", "pass"), ("cdt.two", "", "error"),
                               ("ipc.call", "", "error"), ("mem.map", "", "pass")]
    assert "x.c:1: runtime error: ouch" in found[1].message
    assert found[2].kind == "never-reached"


def test_unit_program_that_hangs():
    found = _unit("exec sleep 100", timeout=1)
    assert [r.kind for r in found] == ["", "hang", "never-reached", ""], found
