# SPDX-License-Identifier: MIT
"""Sections of the manifest, etc/kozo.conf, as text, for archives that tests change.

    boot.add(manifest.service("late", "bin/rogue", args="/ crash-later"))
    boot.set("service hello", "memory", "64K")
"""

import re


def section(head, **fields):
    """`[head]` and its fields."""
    return f"\n[{head}]\n" + "".join(f"{name} = {value}\n" for name, value in fields.items())


def service(name, binary, **fields):
    """A service that runs `binary`, and may write to the log where `fields` say nothing else."""
    usual = {"binary": binary, "sha256": "auto", "memory": "512K", "capabilities": "log"}
    return section(f"service {name}", **usual | fields)


def rule(name, subject, what, rights, decision="allow", **fields):
    """A rule of policy's: what it says of `rights` on the object `what`."""
    return section(f"rule {name}", subject=subject, object=what, rights=rights, decision=decision,
                   **fields)


def with_field(text, head, name, value):
    """The manifest `text` with that value of a field of `[head]`; None takes the field away."""
    before, begin, rest = text.partition(f"[{head}]\n")
    if not begin:
        raise ValueError(f"the manifest has no section [{head}]")
    body, *others = re.split(r"(?m)^(?=\[)", rest, maxsplit=1)
    body = re.sub(rf"(?m)^{name}\s*=.*\n", "", body)
    field = "" if value is None else f"{name} = {value}\n"
    return before + begin + field + body + "".join(others)
