#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""mkhelp.py OUT PROGRAMS PAGE... - make what the shell's `help` tells out of docs/commands/*.md.

A page is `# NAME`, an indented line with the usage, a line that sums it up, and any more text:

    # cat

        cat FILE...

    Print files.

PROGRAMS are the names of programs, parted by commas. OUT is entries of C: struct help_page. What
the usage calls FILE, with or without `...` and brackets, is what the shell gives a program as a
file.
"""

import re
import sys
import textwrap
from pathlib import Path

PAGE = re.compile(r"# (\S+)\n\n    (\S[^\n]*)\n\n(.+)\Z", re.DOTALL)


class HelpError(Exception):
    """A page that does not have this form; the text says which and why."""


def read(path):
    """(name, usage, summary, text) of a page."""
    match = PAGE.match(path.read_text())
    if not match or match.group(1) != path.stem:
        raise HelpError(f"{path}: not `# {path.stem}`, an indented usage and text")
    name, usage, text = match.groups()
    if "\x00" in text or not text.isascii():
        raise HelpError(f"{path}: help is text in ASCII")
    first = text.split("\n\n", 1)[0].replace("\n", " ").strip().rstrip(".")
    return name, usage, first[:1].lower() + first[1:], text


def first_file(usage):
    """Which argument is the first that is a FILE, 0 if none is; all after `FILE...` are."""
    words = usage.removeprefix("run ").split()
    places = [i for i, word in enumerate(words) if word.strip("[].") == "FILE"]
    if places and (len(places) > 1 or places[0] != len(words) - 1 or "..." not in words[-1]):
        raise HelpError(f"`{usage}`: FILE is not its last word, as FILE...")
    return places[0] if places else 0


def _plain(text):
    """Markdown as a terminal of 80 columns shows it: paragraphs filled anew, no links,
    no table rules."""
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text)
    return "\n\n".join(_fill(block) for block in text.strip("\n").split("\n\n")) + "\n"


def _fill(block):
    if block.startswith("    "):
        return block
    if block.startswith("|"):
        return "\n".join(line for line in block.split("\n")
                         if not re.fullmatch(r"\|[-|: ]+\|", line))
    items = re.split(r"\n(?=- )", block)
    return "\n".join(textwrap.fill(" ".join(item.split()), 78, break_long_words=False,
                                   break_on_hyphens=False,
                                   subsequent_indent="  " if item.startswith("- ") else "")
                     for item in items)


def _string(text):
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    escaped = escaped.replace("\n", "\\n").replace("?", "\\?")
    return f'"{escaped}"'


def entries(pages, programs):
    """The lines of OUT."""
    for page in sorted(pages):
        name, usage, summary, text = read(page)
        fields = ", ".join(_string(s) for s in (name, usage, summary, _plain(text)))
        program = name in programs
        yield f"{{ {fields}, {str(program).lower()}, {first_file(usage) if program else 0} }},\n"


def main(args):
    if len(args) < 3:
        print(__doc__.split("\n", 1)[0], file=sys.stderr)
        return 2
    out, programs, *pages = args
    try:
        text = "".join(entries([Path(p) for p in pages], programs.split(",")))
    except (HelpError, OSError) as e:
        print(f"mkhelp.py: error: {e}", file=sys.stderr)
        return 1
    Path(out).write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
