# SPDX-License-Identifier: MIT
"""docs/sys: a page for each header of kozo-sys, with a man-like entry for each call.

The headers say what a call does, its units, the rights it needs and its errors. Here that text is
taken apart, never written: an entry is the comment above a declaration, and a declaration that
follows another without a blank line shares its comment.
"""

import itertools
import re
import textwrap
from dataclasses import dataclass, field

from kozo.paths import SOURCE

HEADERS = SOURCE / "sys" / "include" / "kozo"
PAGES = SOURCE / "docs" / "sys"

# Not for programs: how a call enters the kernel, all in one.
_INTERNAL = ("enter.h", "kozo.h")
_NAME = re.compile(r"\b([a-z_][a-z0-9_]*)\s*\(")
_ATTRIBUTES = re.compile(r"\[\[.*?\]\]\s*")
_PROTOCOL = re.compile(r"^#define KOZO_PROTO (\w+)$", re.MULTILINE)
_OPERATION = re.compile(r"^KOZO_OP\((.*?)\)\n(?=KOZO_OP|\s*\Z|\s*/\*)", re.MULTILINE | re.DOTALL)
_FIELD = re.compile(r"KOZO_(U64|STR|BYTES|CAP|NONE)(?:\(([^)]*)\))?")
_HEAD = re.compile(r"^(Owns|Not here|Callers|Cost|Spec):\s+")


@dataclass
class Call:
    """One function of a header."""
    name: str
    synopsis: list
    text: list = field(default_factory=list)


@dataclass
class Header:
    """What one header says."""
    name: str
    title: str
    facts: dict
    text: list
    calls: list
    protocol: str = ""

    def all_calls(self):
        """The names of its calls, those made from the protocol's table too."""
        return [c.name for c in self.calls] + [f"{self.protocol}_call_{o[2]}"
                                               for o in _table(self.protocol)]


def _words(comment):
    """The paragraphs of a comment, each one line; what is indented in it keeps its lines, as one
    paragraph."""
    lines = [re.sub(r"^\s*(/\*|\*/|\*) ?", "", line.rstrip()).removesuffix("*/").rstrip()
             for line in comment.splitlines()]
    paragraphs = []
    for indented, group in itertools.groupby(lines, lambda line: line and line.startswith("  ")):
        if indented:
            paragraphs.append(textwrap.indent(textwrap.dedent("\n".join(group)), "    "))
        elif indented is False:
            paragraphs.append(" ".join(group))
    return paragraphs


def _head(comment, name):
    """(title, facts, text) of the comment a header begins with."""
    text = re.sub(r"^\s*(/\*|\*/|\*) ?", "", comment, flags=re.MULTILINE)
    paragraphs = [p for p in re.split(r"\n\s*\n", text.strip()) if p.strip()]
    title = " ".join(paragraphs[0].split()).removeprefix(f"{name} - ")
    facts, rest = {}, []
    for paragraph in paragraphs[1:]:
        if not _HEAD.match(paragraph):
            rest += _words(paragraph)
            continue
        key = None
        for line in paragraph.splitlines():
            found = _HEAD.match(line)
            if found:
                key = found[1]
                line = line[found.end():]
            facts[key] = (facts.get(key, "") + " " + line.strip()).strip()
    return title, facts, rest


def _declarations(body):
    """(comment, text) of each function at the top level;
    comment "" when it shares the one above."""
    lines, at = body.splitlines(), 0
    comment, fresh = "", False
    while at < len(lines):
        line = lines[at]
        if line.startswith("/*"):
            begin = at
            while "*/" not in lines[at]:
                at += 1
            comment, fresh = "\n".join(lines[begin:at + 1]), True
        elif line == "":
            comment, fresh = "", False
        elif line.startswith("#"):
            while lines[at].endswith("\\"):
                at += 1
            comment, fresh = "", False
        elif line[0] not in " {}" and "=" not in line.partition("(")[0]:
            begin = at
            while at < len(lines) and not re.search(r"[;{]\s*$|[;{]\s*/\*.*\*/$", lines[at]) \
                    and lines[at] != "{":
                at += 1
            text = "\n".join(lines[begin:at + 1])
            is_type = re.match(r"(struct|enum|union|typedef|static_assert|extern)\b[^()]*[{;]|"
                               r"typedef|static_assert|extern", text)
            inline = at < len(lines) and lines[at] in ("{",) or text.rstrip().endswith("{")
            if inline:
                while lines[at] not in ("}", "};") and not lines[at].startswith("} "):
                    at += 1
            if not is_type and _NAME.search(_ATTRIBUTES.sub("", text)):
                yield (comment if fresh else ""), text
                fresh = False
        at += 1


def _synopsis(text):
    """A declaration as a program sees it."""
    text = _ATTRIBUTES.sub("", text)
    text = re.sub(r"\s*/\*.*?\*/\s*$", "", text.strip())
    text = re.sub(r"\bstatic inline\s+", "", text).rstrip("{;\n ").strip()
    return " ".join(text.split()) + ";"


def read(path):
    """A header, taken apart."""
    text = path.read_text()
    found = re.search(r"/\*\n(.*?)\n \*/", text, re.DOTALL)
    title, facts, rest = _head(found[0].removeprefix("/*").removesuffix("*/"), path.name)
    protocol = _PROTOCOL.search(text)
    header = Header(path.name, title, facts, rest, [], protocol[1] if protocol else "")
    said = []
    for comment, declaration in _declarations(text[found.end():]):
        said = _words(comment) if comment else said
        synopsis = _synopsis(declaration)
        name = _NAME.search(synopsis)[1]
        header.calls.append(Call(name, [synopsis], said))
    return header


def headers():
    """All headers for programs, by name."""
    return [read(p) for p in sorted(HEADERS.glob("*.h")) if p.name not in _INTERNAL]


def _errors(text):
    """(text before, list of errors) of a paragraph that ends with `Errors: A what; B what.`"""
    before, _, after = text.partition("Errors: ")
    return before.strip(), [e.strip().rstrip(".") for e in re.split(r";\s+", after) if e.strip()]


def _entry(call, header):
    lines = [f"### {call.name}", "", "```c", f"#include <kozo/{header.name}>", "", *call.synopsis,
             "```", ""]
    errors = []
    for paragraph in call.text:
        before, found = _errors(paragraph)
        errors += found
        if before:
            lines += [before, ""]
    if errors:
        lines += ["Errors:", "", *[f"- {e}" for e in errors], ""]
    return lines


def _fields(text):
    """`path` (text, 255 bytes), `rights`: the fields of a message."""
    shown = []
    for kind, arguments in _FIELD.findall(text):
        name, _, limit = (a.strip() for a in arguments.partition(","))
        extra = {"STR": f" (text, at most {limit} bytes)", "BYTES": f" (at most {limit} bytes)",
                 "CAP": " (a capability)"}.get(kind, "")
        if name:
            shown.append(f"`{name}`{extra}")
    return ", ".join(shown) or "nothing"


def _table(protocol):
    """(number, NAME, name, rest) of each operation of a protocol; of none: nothing."""
    if not protocol:
        return []
    text = (HEADERS / "proto" / f"{protocol}.def").read_text()
    return [[p.strip() for p in o.split(",", 3)] for o in _OPERATION.findall(text)]


def _operations(protocol):
    """The entries of a protocol's calls, as kozo/make.h makes them from its table."""
    table = (HEADERS / "proto" / f"{protocol}.def").read_text()
    version = re.search(r"^KOZO_VERSION\((\d+), (\d+)\)", table, re.MULTILINE)
    lines = [f"## Protocol `{protocol}`, version {version[1]}.{version[2]}", ""]
    for paragraph in _words(re.search(r"/\*.*?\*/", table, re.DOTALL)[0])[1:]:
        lines += [paragraph, ""]
    for number, _, name, rest in _table(protocol):
        fields, _, summary = rest.partition('"')
        summary = re.sub(r'"\s*"', "", '"' + summary).strip('" \n')
        cut = _halves(fields)
        call = f"{protocol}_call_{name}"
        lines += [f"### {call}", "", "```c",
                  f"enum kozo_err {call}(struct kozo_endpoint to, struct kozo_msg *m,",
                  f"    const struct {protocol}_{name}_req *req, "
                  f"struct {protocol}_{name}_rep *rep);",
                  "```", "", f"Operation {number}: {summary}.", "",
                  f"Request: {_fields(cut[0])}.", "", f"Answer: {_fields(cut[1])}.", ""]
    return lines


def _halves(fields):
    """Request and reply fields: parted by the one comma that is in no parentheses."""
    depth = 0
    for at, char in enumerate(fields):
        depth += {"(": 1, ")": -1}.get(char, 0)
        if char == "," and depth == 0:
            return fields[:at], fields[at + 1:]
    return fields, ""


def page(header):
    """The text of docs/sys/NAME.md."""
    lines = [f"# kozo/{header.name}", "", f"{header.title[:1].upper()}{header.title[1:]}", ""]
    for paragraph in header.text:
        lines += [paragraph, ""]
    for key in ("Owns", "Not here", "Callers", "Cost", "Spec"):
        if key in header.facts:
            lines += [f"**{key}**: {header.facts[key]}", ""]
    for call in header.calls:
        lines += _entry(call, header)
    if header.protocol:
        lines += _operations(header.protocol)
    lines += ["---", f"Made from `sys/include/kozo/{header.name}` by `./kozo docs`.", ""]
    return "\n".join(lines)


def index(found):
    """The text of docs/sys/README.md."""
    lines = ["# kozo-sys: every call", "",
             "`./kozo man NAME` shows an entry. The system calls beneath:",
             "[syscalls.md](../spec/syscalls.md).", "", "| header | |", "|---|---|"]
    lines += [f"| [kozo/{h.name}]({h.name[:-2]}.md) | {h.title} |" for h in found]
    lines += ["", "| call | header |", "|---|---|"]
    rows = sorted((name, h.name) for h in found for name in h.all_calls())
    lines += [f"| [{name}]({h[:-2]}.md#{name}) | kozo/{h} |" for name, h in rows]
    lines += ["", "---", "Made from `sys/include/kozo` by `./kozo docs`.", ""]
    return "\n".join(lines)


def pages():
    """(path, text it should have) of every page."""
    found = headers()
    made = [(PAGES / f"{h.name[:-2]}.md", page(h)) for h in found]
    return [*made, (PAGES / "README.md", index(found))]


def stale():
    """The pages that are out of date, as (path, text); a page without a header has text None."""
    wanted = pages()
    old = [(p, t) for p, t in wanted if not p.exists() or p.read_text() != t]
    paths = {p for p, _ in wanted}
    return old + [(p, None) for p in sorted(PAGES.glob("*.md")) if p not in paths]


def entry(name):
    """The Markdown of a call's entry, None when there is none."""
    for header in headers():
        found = re.search(rf"^### {re.escape(name)}\n.*?(?=^###? |^---$)", page(header),
                          re.MULTILINE | re.DOTALL)
        if found:
            return found[0].rstrip()
    return None


def undocumented():
    """Calls that no comment speaks of, as HEADER: NAME; `main` is the program's."""
    return [f"{h.name}: {c.name}" for h in headers() for c in h.calls
            if not c.text and c.name != "main"]
