# SPDX-License-Identifier: MIT
"""Results as text."""

from kozo import term

_HEAD = ("operation", "total", "kernel", "min", "max", "seL4", "ratio", "bound", "aim", "")


def _number(value):
    return "" if value is None else f"{value:,}"


def _ratio(r):
    return f"{r.value / r.row.sel4:.2f}" if r.row.sel4 and r.value else ""


def _verdict(r):
    if r.row.bound is None:
        return ""
    if r.value > r.row.bound:
        return "OVER"
    return "aim" if r.value <= r.row.aim else "ok"


def _cells(r):
    unit = "" if r.row.unit == "instructions" else f" {r.row.unit}"
    return (r.name, _number(r.value) + unit, _number(r.kernel), _number(r.least), _number(r.most),
            _number(r.row.sel4), _ratio(r), _number(r.row.bound), _number(r.row.aim), _verdict(r))


def aligned(lines):
    """Rows of cells as lines, the first column to the left and the others to the right."""
    lines = list(lines)
    columns = max(len(line) for line in lines)
    lines = [[*line, *[""] * (columns - len(line))] for line in lines]
    widths = [max(len(line[i]) for line in lines) for i in range(columns)]
    for line in lines:
        first, *others = (cell.ljust(w) if i == 0 else cell.rjust(w)
                          for i, (cell, w) in enumerate(zip(line, widths)))
        yield "  ".join([first, *others]).rstrip()


_COLOURS = {"OVER": "red", "aim": "green"}


def _painted(line):
    last = line.rsplit(" ", 1)[-1]
    return line[:-len(last)] + term.paint(last, _COLOURS[last]) if last in _COLOURS else line


def results(found):
    """The table of ./kozo bench, as lines."""
    return [_painted(line) for line in aligned([_HEAD, *(_cells(r) for r in found)])]


def markdown(found):
    """The table of docs/PERFORMANCE.md, as lines."""
    yield "| row | what | ours | kernel's part | seL4 | ratio | at most | aim |"
    yield "|---|---|---:|---:|---:|---:|---:|---:|"
    for r in found:
        unit = "" if r.row.unit == "instructions" else f" {r.row.unit}"
        yield "| " + " | ".join((
            f"`{r.name}`", r.row.what, _number(r.value) + unit, _number(r.kernel),
            _number(r.row.sel4), _ratio(r), _number(r.row.bound), _number(r.row.aim))) + " |"


def changes(found):
    """A comparison, as lines."""
    lines = [("operation", "before", "now", "change")]
    for c in found:
        change = "new" if c.before is None else f"{c.share:+.1%}" + (" ROSE" if c.rose else "")
        lines.append((c.name, _number(c.before), _number(c.now), change))
    return list(aligned(lines))


def where(name, split):
    """Where the instructions of a row go, as lines."""
    lines = [(f"{name}: {split.kernel + split.user}", ""), ("user", str(split.user))]
    lines += [(function, str(n)) for function, n in split.by_function.most_common()]
    return list(aligned(lines))
