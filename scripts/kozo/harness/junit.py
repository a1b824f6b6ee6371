# SPDX-License-Identifier: MIT
"""The report for CI: JUnit XML as the strictest readers (junit-10) accept it.

testcase has the attributes name, classname and time alone, and classname + name is unique in the
file: CPU model, machine and repeat number are part of the classname. What a reader shows is the
body of a failure, so file:line and the end of the log are there.
"""

import re
import xml.etree.ElementTree as ET

from kozo.harness.results import ERROR, FAIL, SKIP

# Everything XML 1.0 does not allow.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ESCAPES = re.compile("\x1b\\[[0-9;?]*[A-Za-z]")


def clean(text):
    """`text` without terminal escapes and without characters XML forbids."""
    return _FORBIDDEN.sub("", _ESCAPES.sub("", text))


def classname(result):
    """suite.group, then the variant's words, dots inside them replaced."""
    parts = [result.suite, result.group, *result.variant.split()]
    return ".".join(clean(p).replace(".", "_") for p in parts)


def _seconds(value):
    return f"{value:.3f}"


def _verdict(case, result):
    """Add the child that says what happened; a pass has none."""
    if result.status == SKIP:
        ET.SubElement(case, "skipped", message=clean(result.message))
    elif result.status in (FAIL, ERROR):
        tag = "failure" if result.status == FAIL else "error"
        child = ET.SubElement(case, tag, message=clean(result.message),
                              type=result.kind or result.status)
        log = f"log: {result.log}" if result.log else ""
        child.text = clean("\n".join(t for t in (result.message, result.body, log) if t))


def _suite(parent, name, results, taken):
    suite = ET.SubElement(
        parent, "testsuite", name=name, tests=str(len(results)),
        failures=str(sum(r.status == FAIL for r in results)),
        errors=str(sum(r.status == ERROR for r in results)),
        skipped=str(sum(r.status == SKIP for r in results)),
        time=_seconds(sum(r.seconds for r in results)))
    for r in results:
        name = clean(r.name)
        copies = taken[classname(r), name] = taken.get((classname(r), name), 0) + 1
        if copies > 1:
            name = f"{name} ({copies})"
        case = ET.SubElement(suite, "testcase", classname=classname(r), name=name,
                             time=_seconds(r.seconds))
        _verdict(case, r)


def document(results):
    """The whole report as an element; suites in the order in which they first occur."""
    root = ET.Element(
        "testsuites", name="kozo", tests=str(len(results)),
        failures=str(sum(r.status == FAIL for r in results)),
        errors=str(sum(r.status == ERROR for r in results)),
        time=_seconds(sum(r.seconds for r in results)))
    taken = {}
    for suite in dict.fromkeys(r.suite for r in results):
        _suite(root, suite, [r for r in results if r.suite == suite], taken)
    return root


def write(results, path):
    """Write the report to `path`, making its folder."""
    tree = ET.ElementTree(document(results))
    ET.indent(tree)
    path.parent.mkdir(parents=True, exist_ok=True)
    tree.write(path, encoding="utf-8", xml_declaration=True)
