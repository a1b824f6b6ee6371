# SPDX-License-Identifier: MIT
"""A person at the shell's prompt, for tests that boot guests."""

import re

PROMPT = r"kozo> "


def enter(vm, text):
    """What the line prints that is typed at the prompt, without its echo: the last one, where a
    line of the log came between and the console took away what was typed, with blanks, and drew it
    again below."""
    vm.send(text + "\r")
    echo = rf"{re.escape(text)}\n(?! {{{len(PROMPT + text)}}}\n)"
    return vm.wait_for(rf"{echo}((?:.*\n)*?){PROMPT}").group(1)


class Person:
    """Types lines at the prompt and reads what comes of them."""

    def __init__(self, vm):
        self.vm = vm
        vm.wait_for(PROMPT)

    def line(self, text):
        return enter(self.vm, text)
