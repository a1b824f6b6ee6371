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
        """What the line prints, without its echo: the last one, where a line of the log came
        between and the console took away what was typed, with blanks, and drew it again below."""
        self.vm.send(text + "\r")
        echo = rf"{re.escape(text)}\n(?! {{{len(PROMPT + text)}}}\n)"
        return self.vm.wait_for(rf"{echo}((?:.*\n)*?){PROMPT}").group(1)
