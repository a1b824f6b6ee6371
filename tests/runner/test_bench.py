# SPDX-License-Identifier: MIT
"""What ./kozo bench makes of what it reads."""

import json
import tempfile
from pathlib import Path
from unittest import mock

from kozo.bench import document, guest, image, rows, scale, table, trace
from kozo.bench.collect import Result
from kozo.errors import UsageProblem

_ROW = rows.Row("x", "", bound=200, aim=140, sel4=400)


def _problem(value, expected, **changes):
    row = rows.Row("x", "", bound=changes.get("bound", 200), guard=changes.get("guard", "rise"))
    return document.problem(Result(row, value), expected)


def test_lines_of_the_guest():
    lines = [(0.0, "ok 1 - a"), (0.0, "# bench ipc_cross_0w 148 140 779 32"),
             (0.0, "# bench broken 1 2"), (0.0, "# case x")]
    assert guest.read(lines) == [guest.Sample("ipc_cross_0w", 148, 140, 779, 32)]


def test_a_rise_of_three_percent_is_no_problem():
    assert _problem(103, 100) is None
    assert _problem(90, 100) is None
    assert "+4.0%" in _problem(104, 100)
    assert "--accept" in _problem(104, 100)


def test_a_bound_holds_unless_more_was_accepted():
    assert "200 is the most" in _problem(201, 199)
    assert _problem(201, 201) is None
    assert "200 is the most" in _problem(201, None)
    assert _problem(201, 201, guard="bound") is not None
    assert _problem(199, 100, guard="bound") is None
    assert _problem(1000, 1, guard="none") is None


def test_a_row_without_an_accepted_figure_is_a_problem():
    assert "--accept" in _problem(100, None)


def test_comparison():
    then = {"x": 100, "gone": 5}
    changes = document.compare([Result(_ROW, 104), Result(rows.Row("new", ""), 7)], then)
    assert [(c.name, c.before, c.now, c.rose) for c in changes] == \
        [("x", 100, 104, True), ("new", None, 7, False)]
    assert "ROSE" in "\n".join(table.changes(changes))


def test_written_results_are_read_back():
    results = [Result(rows.row("ipc_cross_0w"), 148, 140, 779, 138, 32),
               Result(rows.row("resident_bytes"), 5)]
    with tempfile.TemporaryDirectory() as folder:
        kernel = Path(folder) / "kozo.elf"
        kernel.write_bytes(b"KOZO 1.2.3\r\n")
        tree = mock.Mock(kernel=kernel)
        file = Path(folder) / "deep" / "results.json"
        document.write(file, document.document(tree, results))
        content = json.loads(file.read_text())
        assert content["schema_version"] == 1 and content["kernel"].startswith("1.2.3 sha256:")
        assert "QEMU" in content["qemu"]
        assert content["results"] == [
            {"name": "ipc_cross_0w", "instructions": 148, "kernel": 138, "min": 140, "max": 779,
             "samples": 32},
            {"name": "resident_bytes", "value": 5, "unit": "bytes"}]
        assert document.read(file) == {"ipc_cross_0w": 148, "resident_bytes": 5}


def test_files_that_are_no_results():
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "x.json"
        for text in ("", "[]", "{}", '{"schema_version": 2, "results": []}',
                     '{"schema_version": 1, "results": [1]}'):
            file.write_text(text)
            try:
                document.read(file)
            except UsageProblem as e:
                assert str(file) in str(e)
            else:
                assert False, text


def test_accepting_some_keeps_the_others():
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "expected.json"
        document.accept([Result(rows.row("map"), 100), Result(rows.row("unmap"), 50)], file)
        document.accept([Result(rows.row("map"), 90)], file)
        assert document.read(file) == {"map": 90, "unmap": 50}


def test_the_page_gets_the_table():
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "page.md"
        file.write_text("before\n<!-- bench -->\nold\n<!-- end bench -->\nafter\n")
        document.publish([Result(_ROW, 100, kernel=90)], file)
        text = file.read_text()
        assert text.startswith("before\n<!-- bench -->\n| row |")
        assert text.endswith("<!-- end bench -->\nafter\n")
        assert "| `x` |  | 100 | 90 | 400 | 0.25 | 200 | 140 |" in text and "old" not in text


def test_every_accepted_figure_has_a_row():
    assert set(document.read(document.EXPECTED)) == set(rows.NAMES)


def test_lines_of_code():
    text = "/* a\n   b */\nint x; /* c */\n\n    // d\nint y; /* e\n f */ int z;\n"
    assert image.code_lines(text) == 3


def _log(*addresses):
    return "".join(f"Trace 0: 0x7f00 [0000000000000000/{a:016x}/08c0cab0/ff020201] name\n"
                   for a in addresses)


def test_a_logged_sample_lies_between_the_last_two_counters():
    code = mock.Mock(counters={0x100, 0x200}, repeats=set())
    code.function = lambda address: "f" if address < 0xffffffff80000010 else "g"
    text = _log(0x100, 0x101, 0x200, 0x1, 0xffffffff80000000, 0xffffffff80000010,
                0xffffffff80000014, 0x2, 0x100, 0x3)
    split = trace._split(text, code)
    assert (split.user, split.kernel, dict(split.by_function)) == (2, 3, {"f": 1, "g": 2})
    assert trace._split(_log(0x100), code).kernel == 0


def test_an_instruction_logged_but_not_executed():
    undone = "Stopped execution of TB chain before 0x7f00 [0000000000000002] name\n"
    text = _log(1, 2) + undone + _log(2, 3)
    assert trace._executed(text, ()) == [1, 2, 3]
    assert trace._executed(_log(1, 2, 2, 3, 3, 3, 4), {3}) == [1, 2, 3, 3, 3, 4]


def test_table_says_what_is_over_its_bound():
    over, aim, ok = (Result(_ROW, v, 1, 2) for v in (201, 140, 150))
    lines = table.results([over, aim, ok])
    assert lines[1].endswith("OVER") and lines[2].endswith("aim") and lines[3].endswith("ok")
    assert " 0.50 " in lines[1]


def test_scale_is_shown_by_count():
    results = [Result(rows.Row(f"scale_{what}_{n}_call", ""), 100 + n)
               for what in ("threads", "caps", "services") for n in (10, 1000)]
    results += [Result(rows.Row(name, ""), 7) for name in (
        "scale_threads_tcb_bytes", "scale_threads_bytes_each", "scale_services_bytes_each",
        "scale_caps_slot_bytes")]
    blocks = list(scale.blocks(results))
    assert blocks[0] == [["with so many threads", "10", "1,000"], ["call", "110", "1,100"]]
