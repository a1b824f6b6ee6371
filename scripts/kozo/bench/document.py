# SPDX-License-Identifier: MIT
"""The JSON form of results, comparisons with earlier ones, and the accepted figures."""

import hashlib
import json
import re
import subprocess
from dataclasses import dataclass

from kozo import paths, qemu
from kozo.bench import rows, table
from kozo.errors import UsageProblem

SCHEMA_VERSION = 1
PAGE = paths.SOURCE / "docs" / "PERFORMANCE.md"
EXPECTED = paths.TESTS / "bench" / "expected.json"
TOLERANCE_PERCENT = 3
HOW_TO_ACCEPT = "accept new figures on purpose with: ./kozo bench --accept"


def _kernel_version(kernel):
    found = re.search(rb"KOZO (\d+\.\d+\.\d+)", kernel.read_bytes())
    version = found[1].decode() if found else "?"
    return f"{version} sha256:{hashlib.sha256(kernel.read_bytes()).hexdigest()[:16]}"


def _qemu_version():
    shown = subprocess.run([qemu.PROGRAM, "--version"], capture_output=True, text=True,
                           check=True).stdout
    return shown.splitlines()[0]


def _entry(r):
    if r.row.unit != "instructions":
        return {"name": r.name, "value": r.value, "unit": r.row.unit}
    entry = {"name": r.name, "instructions": r.value}
    if r.kernel is not None:
        entry["kernel"] = r.kernel
    if r.least is not None:
        entry |= {"min": r.least, "max": r.most, "samples": r.samples}
    return entry


def document(tree, results):
    """What --json writes."""
    return {"schema_version": SCHEMA_VERSION, "kernel": _kernel_version(tree.kernel),
            "qemu": _qemu_version(), "results": [_entry(r) for r in results]}


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=2) + "\n")


def read(path):
    """name -> value, of a file that --json or --accept wrote."""
    try:
        content = json.loads(path.read_text())
        if content["schema_version"] != SCHEMA_VERSION:
            found = content["schema_version"]
            raise UsageProblem(f"{path}: schema_version {found}, not {SCHEMA_VERSION}")
        return {e["name"]: e.get("instructions", e.get("value")) for e in content["results"]}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as e:
        raise UsageProblem(f"{path}: not a result of ./kozo bench --json: {e}") from e


def accept(results, file=EXPECTED):
    """Make `results` the figures that the test suite expects; others stay."""
    kept = read(file) if file.exists() else {}
    kept |= {r.name: r.value for r in results}
    entries = [{"name": r.name,
                "instructions" if r.unit == "instructions" else "value": kept[r.name]}
               for r in rows.ROWS if r.name in kept]
    write(file, {"schema_version": SCHEMA_VERSION, "qemu": _qemu_version(), "results": entries})


def publish(results, file=PAGE):
    """Put the table of all `results` into the page that tells of them."""
    begin, end = "<!-- bench -->\n", "<!-- end bench -->\n"
    before, _, rest = file.read_text().partition(begin)
    _, found, after = rest.partition(end)
    if not found:
        raise UsageProblem(f"{file}: no lines `{begin.strip()}` and `{end.strip()}`")
    file.write_text(before + begin + "\n".join(table.markdown(results)) + "\n" + end + after)


def rises(before, now):
    """Whether `now` is more than 3 % above `before`."""
    return 100 * now > (100 + TOLERANCE_PERCENT) * before


@dataclass(frozen=True)
class Change:
    """A row, then and now."""
    name: str
    before: int | None
    now: int

    @property
    def share(self):
        """The rise, as a share of what it was."""
        if not self.before:
            return 0.0
        return self.now / self.before - 1

    @property
    def rose(self):
        return self.before is not None and rises(self.before, self.now)


def compare(results, before):
    """Each result against `before`, a dict name -> value."""
    return [Change(r.name, before.get(r.name), r.value) for r in results]


def problem(result, expected):
    """What the test suite has against a result, or None. `expected` is the accepted figure."""
    row, value = result.row, result.value
    if row.guard != "none" and row.bound is not None and value > row.bound:
        if row.guard == "bound" or expected is None or expected <= row.bound:
            return f"{value:,} {row.unit}, and {row.bound:,} is the most that it may be"
    if row.guard != "rise":
        return None
    if expected is None:
        return f"{value:,} {row.unit}, and no figure has been accepted yet; {HOW_TO_ACCEPT}"
    change = Change(row.name, expected, value)
    if change.rose:
        return (f"{value:,} {row.unit}, {change.share:+.1%} against the accepted {expected:,}; "
                f"if that is right, {HOW_TO_ACCEPT}")
    return None
