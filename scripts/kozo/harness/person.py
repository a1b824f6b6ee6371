# SPDX-License-Identifier: MIT
"""A person at the shell's prompt, for tests that boot guests."""

import re

PROMPT = r"kozo> "


class Person:
    """Types lines at the prompt and reads what comes of them."""

    def __init__(self, vm):
        self.vm = vm
        vm.wait_for(PROMPT)

    def line(self, text):
        """What the line prints, without its echo."""
        self.vm.send(text + "\r")
        begin = self.vm.wait_for(re.escape(text) + "\n")
        end = self.vm.wait_for("^" + PROMPT)
        return end.string[begin.end():end.start()]
