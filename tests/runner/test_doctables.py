# SPDX-License-Identifier: MIT
"""Tables made from .def files."""

from kozo import doctables


def test_rows_of_the_real_tables():
    for name in ("errors", "faults", "kinds", "rights", "syscalls"):
        columns, rows = doctables.rows(name)
        assert rows and all(len(r) == len(columns) for r in rows), name
    columns, rows = doctables.rows("errors")
    assert rows[0] == ["0", "OK", "no error"], rows[0]


def test_a_stale_table_is_replaced():
    text = "x\n<!-- table: errors NAME text -->\nold\n<!-- end table -->\ny\n"
    new = doctables.fill(text)
    assert "| NAME | text |\n|---|---|\n| OK | no error |" in new and "old" not in new
    assert new.startswith("x\n") and new.endswith("<!-- end table -->\ny\n")
    assert doctables.fill(new) == new


def test_rows_can_be_chosen():
    text = doctables.table("errors", ["NAME", "NAME=OK|KIND"])
    assert text == "| NAME |\n|---|\n| OK |\n| KIND |\n", text


def test_wrong_markers():
    for marker, words in (("nosuch", "no table nosuch"), ("errors bogus", "has no column bogus"),
                          ("errors NAME bogus=1", "has no column bogus"),
                          ("errors NAME NAME=BOGUS", "has no row with NAME BOGUS")):
        try:
            doctables.fill(f"<!-- table: {marker} -->\n<!-- end table -->")
            raise AssertionError(marker)
        except doctables.TableError as e:
            assert words in str(e), e
