# SPDX-License-Identifier: MIT
"""Patches of mutants: reading them, applying them, and seeing what killed one."""

import io

from kozo import mutants

HEAD = "Breaks: it\nStands for: I1 M3\nTests: cdt.* caps.*\n\n"
DIFF = "--- a/kernel/cap/cdt.c\n+++ b/kernel/cap/cdt.c\n@@ -2,3 +2,2 @@\n two\n-three\n four\n"
SOURCE = "one\ntwo\nthree\nfour\nfive\n"


def _broken(function, *arguments):
    try:
        function(*arguments)
    except mutants.Broken as e:
        return str(e)
    raise AssertionError(f"{function.__name__} did not refuse")


def _patched(text):
    hunks = mutants.parse("cap-x", HEAD + DIFF).hunks
    return mutants.patched(text, hunks["kernel/cap/cdt.c"], "cap-x")


def test_a_patch_is_read():
    mutant = mutants.parse("cap-a-b", HEAD + DIFF)
    assert (mutant.room, mutant.case, mutant.is_short) == ("cap", "a_b", False)
    assert mutant.stands_for == ["I1", "M3"] and mutant.tests == ["cdt.*", "caps.*"]


def test_a_patch_that_makes_no_sense_is_refused():
    assert "no line of its head" in _broken(mutants.parse, "cap-x", "Break: it\n\n" + DIFF)
    assert "does not say" in _broken(mutants.parse, "cap-x", "Breaks: it\n\n" + DIFF)
    assert "changes nothing" in _broken(mutants.parse, "cap-x", HEAD)
    port = DIFF.replace("cap/cdt.c", "arch/host/tlb.c")
    assert "not the portable core" in _broken(mutants.parse, "cap-x", HEAD + port)


def test_a_patch_is_applied_where_it_was_or_at_the_only_other_place():
    assert _patched(SOURCE) == "one\ntwo\nfour\nfive\n"
    assert _patched("zero\n" + SOURCE) == "zero\none\ntwo\nfour\nfive\n"
    assert _patched(SOURCE + SOURCE) == "one\ntwo\nfour\nfive\n" + SOURCE


def test_a_patch_that_no_longer_applies_is_refused():
    assert "no longer applies" in _broken(_patched, SOURCE.replace("four", "FOUR"))
    assert "no longer applies" in _broken(_patched, "zero\n" + SOURCE + SOURCE)


def _failure(text):
    return mutants._first_failure(io.StringIO(text))


def test_what_killed_a_mutant_is_told():
    plan = "1..2\n# case a.b\n# case a.c\n"
    assert _failure(plan + "ok 1 - a.b\nok 2 - a.c\n# KOZO END\n") is None
    assert _failure(plan + "ok 1 - a.b\nnot ok 2 - a.c\n# t.c:3: no\n") == ("a.c", "t.c:3: no")
    panic = "not ok 1 - a.b\n# the kernel stopped\n#   log: kernel panic: why (f.c:1)\n"
    assert _failure(plan + panic) == ("a.b", "why (f.c:1)")
    assert _failure(plan + "ok 1 - a.b\n") == ("a.c", "")
    assert _failure(plan + "ok 1 - a.b\nok 2 - a.c\n") == ("the end", "")
    assert _failure("") == ("the end", "")
