# SPDX-License-Identifier: MIT
"""Reading TAP."""

from kozo.harness import verdict
from kozo.harness.tap import Tap


def _read(text):
    tap = Tap()
    for second, line in enumerate(text.strip().splitlines()):
        tap.feed(line, float(second))
    return tap


def test_a_complete_run():
    tap = _read("""TAP version 14
1..2
ok 1 - one
not ok 2 - two
# a.c:1: bad
# more
# KOZO END""")
    assert tap.complete
    assert [(p.name, p.ok) for p in tap.points] == [("one", True), ("two", False)]
    assert tap.points[1].diagnostics == ["a.c:1: bad", "more"]
    assert tap.points[1].seconds == 1.0


def test_skip_with_and_without_reason():
    tap = _read("1..3\nok 1 - one # SKIP no SMEP\nok 2 - two # skip\nok 3 # SKIP")
    assert [p.skip for p in tap.points] == ["no SMEP", "", ""]
    assert [p.name for p in tap.points] == ["one", "two", "case 3"]


def test_cases_name_what_was_not_reached():
    tap = _read("1..3\n# case a\n# case b\n# case c\nok 1 - a")
    assert tap.never_reached() == ["b", "c"]


def test_without_names_numbers_are_used():
    assert _read("1..3\nok 1 - a").never_reached() == ["case 2", "case 3"]


def test_bail_out():
    assert _read("1..1\nBail out! no memory").bail == "no memory"


def test_noise_wrong_numbers_and_second_plans_are_noticed():
    for text in ("1..1\nhello\nok 1 - a\n# KOZO END", "1..1\nok 2 - a\n# KOZO END",
                 "1..1\n1..1\nok 1 - a\n# KOZO END"):
        assert verdict.tap_problem(_read(text), True)[0] == "tap", text


def test_equal_names_are_an_error():
    kind, text = verdict.tap_problem(_read("1..2\nok 1 - a\nok 2 - a\n# KOZO END"), True)
    assert kind == "tap" and "two cases are named a" in text


def test_more_than_planned_is_an_error():
    assert verdict.tap_problem(_read("1..1\nok 1 - a\nok 2 - b\n# KOZO END"), True)[0] == "plan"
