# SPDX-License-Identifier: MIT
"""Tables in the documents that are made from the .def tables of the source.

In a document below docs/, and in README.md:

    <!-- table: errors number NAME text -->
    ... made, never written by hand ...
    <!-- end table -->

names a table (sys/abi/kozo/errors.def, sys/include/kozo/ for those of kozo-sys, or docs/spec) and
the columns to show. The columns' names stand in the .def file's comment:
`KOZO_ERROR(number, NAME, text)`.
COLUMN=VALUE|VALUE shows only the rows that have one of these values there.
"""

import re

from kozo.errors import KozoError
from kozo.paths import SOURCE

_BLOCK = re.compile(r"(<!-- table: (\S+)((?: [^\s>]+)*) -->\n)(.*?)(<!-- end table -->)", re.DOTALL)
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_ROW = re.compile(r"^\s*(\w+)\((.*)\)\s*$", re.MULTILINE)
_FOLDERS = ("sys/abi/kozo", "sys/include/kozo", "docs/spec")


class TableError(KozoError):
    """A marker or a table that cannot be used; the text says where and why."""


def _definition(name):
    """The text of the .def file of table `name`."""
    for folder in _FOLDERS:
        path = SOURCE / folder / f"{name}.def"
        if path.exists():
            return path.read_text()
    raise TableError(f"no table {name}: there is no {name}.def in {' or '.join(_FOLDERS)}")


def _heading(text, name):
    """(macro, column names) from the comment of a .def file."""
    comment = " ".join(_COMMENT.findall(text))
    found = re.search(r"\b([A-Z]+_[A-Z_]+)\(([^)]*)\)", comment)
    if not found:
        raise TableError(f"{name}.def: its comment does not name the columns")
    return found.group(1), [c.strip() for c in found.group(2).split(",")]


def _split(arguments):
    """The arguments of one row: quoted strings or plain words, separated by commas."""
    values, rest = [], arguments.strip()
    while rest:
        found = re.match(r'((?:\s*"(?:[^"\\]|\\.)*")+|[^,]*)\s*(?:,|$)', rest, re.DOTALL)
        word = found.group(1).strip()
        parts = re.findall(r'"((?:[^"\\]|\\.)*)"', word) if word.startswith('"') else [word]
        values.append("".join(parts))
        rest = rest[found.end():].strip()
    return values


def rows(name):
    """(column names, rows) of a table."""
    text = _definition(name)
    macro, columns = _heading(text, name)
    found = []
    for word, arguments in _ROW.findall(_COMMENT.sub("", text)):
        if word != macro:
            continue
        values = _split(arguments)
        if len(values) != len(columns):
            raise TableError(f"{name}.def: {len(values)} columns where {len(columns)} are named: "
                             f"{word}({arguments})")
        found.append(values)
    return columns, found


def _cell(text):
    return text.replace("|", "\\|")


def _index(name, columns, column):
    """The place of a column."""
    if column not in columns:
        raise TableError(f"table {name} has no column {column} (it has: {', '.join(columns)})")
    return columns.index(column)


def _filtered(name, columns, found, conditions):
    """The rows that meet all conditions COLUMN=VALUE|VALUE."""
    for condition in conditions:
        column, _, values = condition.partition("=")
        at, wanted = _index(name, columns, column), values.split("|")
        missing = set(wanted) - {row[at] for row in found}
        if missing:
            raise TableError(f"table {name} has no row with {column} {min(missing)}")
        found = [row for row in found if row[at] in wanted]
    return found


def table(name, chosen=()):
    """The Markdown of a table: of all columns or of those chosen, of all rows or those that meet
    the conditions COLUMN=VALUE|VALUE among them."""
    columns, found = rows(name)
    found = _filtered(name, columns, found, [c for c in chosen if "=" in c])
    chosen = [c for c in chosen if "=" not in c] or columns
    at = [_index(name, columns, c) for c in chosen]
    lines = ["| " + " | ".join(chosen) + " |", "|" + "---|" * len(chosen)]
    lines += ["| " + " | ".join(_cell(row[i]) for i in at) + " |" for row in found]
    return "\n".join(lines) + "\n"


def fill(text):
    """A document's text with its tables made anew."""
    def made(m):
        return m.group(1) + table(m.group(2), m.group(3).split()) + m.group(5)
    return _BLOCK.sub(made, text)


def documents():
    """The documents that may hold tables."""
    return sorted([*(SOURCE / "docs").rglob("*.md"), *SOURCE.glob("*.md")])


def stale():
    """(path, text it should have) of each document whose tables are out of date."""
    found = []
    for path in documents():
        text = path.read_text()
        try:
            new = fill(text)
        except TableError as e:
            raise TableError(f"{path.relative_to(SOURCE)}: {e}") from e
        if new != text:
            found.append((path, new))
    return found
