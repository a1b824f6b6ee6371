#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""mkconf.py CONF ROOT OUT - fill in the hashes of a manifest.

In CONF, each line `sha256 = auto` of a section becomes the SHA-256 of the file that the section's
`binary =` line names, looked up below ROOT. Everything else is copied as it is.
"""

import hashlib
import re
import sys
from pathlib import Path

SECTION = re.compile(r"\s*\[")
BINARY = re.compile(r"\s*binary\s*=\s*(\S+)")
AUTO = re.compile(r"(\s*sha256\s*=\s*)auto(\s*(?:[#;].*)?)$")


class ConfError(Exception):
    """A manifest whose hashes cannot be filled in; the text says where and why."""


def _sections(lines):
    """Split `lines` into lists, each starting with its `[section]` line (the first may not)."""
    groups = [[]]
    for number, line in enumerate(lines, 1):
        if SECTION.match(line):
            groups.append([])
        groups[-1].append((number, line))
    return groups


def _hash_of(name, number, root, binary):
    if binary is None:
        raise ConfError(f"{name}:{number}: sha256 = auto, but the section has no `binary =` line")
    try:
        data = (Path(root) / binary.lstrip("/")).read_bytes()
    except OSError as e:
        raise ConfError(f"{name}:{number}: cannot hash {binary}: {e.strerror}") from e
    return hashlib.sha256(data).hexdigest()


def fill(text, root, name="kozo.conf"):
    """`text` with every `sha256 = auto` replaced. Raises ConfError."""
    out = []
    for section in _sections(text.split("\n")):
        binary = next((m.group(1) for _, line in section if (m := BINARY.match(line))), None)
        for number, line in section:
            auto = AUTO.match(line)
            if auto:
                line = auto.group(1) + _hash_of(name, number, root, binary) + auto.group(2)
            out.append(line)
    return "\n".join(out)


def main(args):
    if len(args) != 3:
        print(__doc__.split("\n", 1)[0], file=sys.stderr)
        return 2
    conf, root, out = args
    try:
        Path(out).write_text(fill(Path(conf).read_text(), root, conf))
    except (ConfError, OSError) as e:
        print(f"mkconf.py: error: {e}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
