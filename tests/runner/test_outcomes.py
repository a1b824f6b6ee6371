# SPDX-License-Identifier: MIT
"""Each way a boot can end is told apart and reported, in the JUnit file as well."""

import sys
import xml.etree.ElementTree as ET
from pathlib import Path

from kozo.harness import junit
from kozo.harness.results import closing_line

sys.path.insert(0, str(Path(__file__).parent))
import guests  # noqa: E402


def _reported(variant, limit=60.0):
    """Results and JUnit report of a guest; the report must survive being written and read."""
    found = guests.results(variant, limit)
    report = ET.fromstring(ET.tostring(junit.document(found)))
    return found, report


def _expect(variant, expected, limit=60.0):
    found, report = _reported(variant, limit)
    assert guests.summary(found) == expected, f"{variant}: {guests.summary(found)}"
    for case, (name, status, kind) in zip(report.iter("testcase"), expected):
        verdict = {"pass": [], "skip": ["skipped"], "fail": ["failure"], "error": ["error"]}[status]
        assert case.get("name") == name
        assert [child.tag for child in case] == verdict, f"{variant}: {name}"
        if kind:
            assert case.find("error").get("type") == kind
    return found, report


def test_pass():
    found, _ = _expect("PASS", [("one", "pass", ""), ("two", "pass", ""), ("three", "skip", "")])
    assert closing_line(found) == "2 passed, 0 failed, 1 skipped"
    assert found[2].message == "not here"


def test_fail():
    found, report = _expect("FAIL", [("one", "pass", ""), ("two", "fail", "")])
    assert closing_line(found) == "1 passed, 1 failed"
    body = report.find(".//failure").text
    assert "tests/x.c:7: 1 == 2" in body and "bell  and escape" in body, body
    assert "kept.log" in body


def test_hang():
    found, _ = _expect("HANG", [("one", "pass", ""), ("two", "error", "hang"),
                                ("three", "error", "never-reached")], limit=3.0)
    assert closing_line(found) == "1 passed, 2 failed"
    assert "3 s" in found[1].message


def test_panic():
    found, _ = _expect("PANIC", [("one", "error", "panic"), ("two", "error", "never-reached")])
    assert "kernel panic: on purpose" in found[0].message
    assert "tiny guest" in found[0].body


def test_panic_status_alone():
    _expect("PANIC_SILENT", [("one", "pass", ""), ("(run)", "error", "panic")])


def test_words_of_a_panic_are_none():
    """The exit status decides, whatever a program prints."""
    _expect("NO_PANIC", [("one", "pass", "")])


def test_fault():
    found, _ = _expect("FAULT", [("one", "pass", ""), ("two", "error", "fault")])
    assert "page fault at 0x10" in found[1].message


def test_triple_fault():
    _expect("TRIPLE_FAULT", [("one", "error", "triple-fault")])


def test_triple_fault_after_success():
    _expect("QUIET_TRIPLE_FAULT", [("one", "pass", ""), ("(run)", "error", "triple-fault")])


def test_missing_end_marker():
    _expect("NO_END", [("one", "pass", ""), ("(run)", "error", "no-end")])


def test_missing_plan():
    _expect("NO_PLAN", [("one", "pass", ""), ("(run)", "error", "no-plan")])


def test_silence_is_no_success():
    _expect("SILENT", [("(run)", "error", "no-plan")])


def test_plan_not_met():
    found, _ = _expect("PLAN_SHORT", [("one", "pass", ""), ("two", "error", "plan"),
                                      ("three", "error", "never-reached")])
    assert closing_line(found) == "1 passed, 2 failed"


def test_status_contradicts_cases():
    _expect("LIES", [("one", "pass", ""), ("two", "fail", ""), ("(run)", "error", "status")])


def test_qemu_does_not_start():
    with guests.boot("PASS", machine="no-such-machine") as vm:
        status = vm.wait()
        problem = guests.verdict.guest_problem(vm, status, guests.verdict.read_tap([]))
    assert problem[0] == "qemu" and "unsupported machine type" in problem[1], problem
