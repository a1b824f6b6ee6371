# SPDX-License-Identifier: MIT
"""The report has the shape that strict readers ask for."""

import re
import tempfile
import xml.etree.ElementTree as ET
from pathlib import Path

from kozo.harness import junit
from kozo.harness.results import Result

_ALLOWED = {
    "testsuites": {"name", "tests", "failures", "errors", "time"},
    "testsuite": {"name", "tests", "failures", "errors", "skipped", "time"},
    "testcase": {"name", "classname", "time"},
    "failure": {"message", "type"},
    "error": {"message", "type"},
    "skipped": {"message"},
}

_SOME = [
    Result("smoke", "ipc", "call", "pass", seconds=0.0000001),
    Result("smoke", "ipc", "call", "pass", "max"),
    Result("smoke", "ipc", "call", "pass", "max r2", seconds=12345678.9),
    Result("smoke", "ipc", "send", "fail", message="a.c:1: no\x00pe",
           body="\x1b[31mred\x07 <&>\ufffe"),
    Result("smoke", "ipc", "hang", "error", kind="hang", message="hang: 60 s", log="x/y.log"),
    Result("unit", "cdt", "skip", "skip", message="not now"),
    Result("unit", "cdt", "skip", "pass"),
]


def _report():
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "deep" / "junit.xml"
        junit.write(_SOME, path)
        return ET.parse(path).getroot()


def test_attributes():
    for element in _report().iter():
        assert set(element.attrib) <= _ALLOWED[element.tag], (element.tag, element.attrib)
        time = element.get("time")
        assert time is None or re.fullmatch(r"\d+\.\d{3}", time), time


def test_counts():
    root = _report()
    assert [s.get("name") for s in root] == ["smoke", "unit"]
    assert {k: root.get(k) for k in ("tests", "failures", "errors")} == \
        {"tests": "7", "failures": "1", "errors": "1"}
    assert root[1].get("skipped") == "1"


def test_names_are_unique():
    names = [(c.get("classname"), c.get("name")) for c in _report().iter("testcase")]
    assert len(set(names)) == len(names), names
    assert ("smoke.ipc.max.r2", "call") in names


def test_text_is_clean_and_complete():
    root = _report()
    failure = root.find(".//failure").text
    assert failure == "a.c:1: nope\nred <&>", repr(failure)
    assert "x/y.log" in root.find(".//error").text
