# SPDX-License-Identifier: MIT
"""What ./kozo fuzz reads: times, what a target says when it fails, names of inputs, its corpus."""

from pathlib import Path

from kozo import fuzzing
from kozo.errors import UsageProblem
from kozo.suites import fuzz

FAILED = """INFO: Seed: 1
tests/fuzz/cpio.c:28: not true: e->name_len > 0
==7== ERROR: libFuzzer: deadly signal
artifact_prefix='build/fuzz/cpio/'; Test unit written to build/fuzz/cpio/crash-0123
"""


def test_times():
    assert [fuzzing.seconds(t) for t in ("90", "90s", "10m", "2h")] == [90, 90, 600, 7200]


def test_what_is_no_time_is_refused():
    for text in ("", "m", "5q", "-1", "1.5h", "10 m"):
        try:
            fuzzing.seconds(text)
        except UsageProblem as problem:
            assert text in str(problem)
        else:
            raise AssertionError(f"{text!r} was taken for a time")


def test_a_failure_is_told_by_its_first_cause():
    assert fuzzing.complaint(FAILED) == "tests/fuzz/cpio.c:28: not true: e->name_len > 0"
    failure = "x\nmodel: thread 3: rax is 1, the model says 0\n"
    assert fuzzing.complaint(failure).startswith("model: ")
    assert fuzzing.complaint("") == "no output"


def test_the_input_that_failed_is_found():
    assert fuzzing.artifact(FAILED) == "build/fuzz/cpio/crash-0123"
    assert fuzzing.artifact("all well") is None


def test_seeds_are_told_from_what_fuzzing_found():
    assert fuzzing.is_found(Path("0123456789abcdef"))
    assert not any(fuzzing.is_found(Path(n))
                   for n in ("sound", "0123456789abcde", "0123456789abcdeff"))


def test_every_target_has_a_small_corpus():
    assert {"syscalls", "cpio", "elf", "bootinfo", "manifest", "protocol"} <= set(fuzzing.targets())
    sizes = {t: sum(f.stat().st_size for f in fuzzing.CORPUS.joinpath(t).iterdir())
             for t in fuzzing.targets()}
    assert all(sizes.values()), sizes
    assert sum(sizes.values()) < 512 * 1024, sizes


def test_every_target_has_a_number_of_runs():
    assert sorted(fuzz.RUNS) == fuzzing.targets()
