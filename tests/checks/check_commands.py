# SPDX-License-Identifier: MIT
"""The pages in docs/commands are those of the shell's commands and of the small programs."""

import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import tree as source  # noqa: E402

_PAGES = source.SOURCE / "docs" / "commands"


def _commands():
    table = source.read("services/shell/main.c").split("struct command commands[] = {", 1)[1]
    return re.findall(r'^    \{ "(\S+)", \d+, ', table.split("};", 1)[0], re.MULTILINE)


def _programs():
    """(name, what it says of its use) of each program."""
    for path in source.files("services/programs", (".c",)):
        usage = re.search(r'program_begin\(\s*"([^",]+)', source.read(path))
        if path.name != "program.c":
            yield path.stem, usage.group(1) if usage else None


def check_every_command_has_a_page_and_every_page_a_command(_tree):
    pages = {p.stem for p in _PAGES.glob("*.md") if p.stem != "README"}
    names = set(_commands()) | {name for name, _ in _programs()}
    assert len(names) > 20, names
    source.refuse([f"docs/commands/{n}.md: not there" for n in sorted(names - pages)] +
                  [f"docs/commands/{n}.md: no such command or program"
                   for n in sorted(pages - names)])


def check_pages_tell_the_usage_of_programs(_tree):
    source.refuse(f"docs/commands/{name}.md: does not say `{usage}`" for name, usage in _programs()
                  if usage is None or usage not in (_PAGES / f"{name}.md").read_text())


def check_pages_are_built_in(_tree):
    """`help` tells what is in the list of services/meson.build."""
    build = source.read("services/meson.build")
    listed = build.split("shell_page_names = [", 1)[1].split("]", 1)[0]
    pages = {p.stem for p in _PAGES.glob("*.md") if p.stem != "README"}
    assert set(re.findall(r"'(\S+)'", listed)) == pages, \
        "shell_page_names is not docs/commands/*.md"
