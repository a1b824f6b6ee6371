# SPDX-License-Identifier: MIT
"""The program that grinds the kernel (tests/hostile/guest/grind.c):
how it is started, and replayed."""

import random

PROGRAM = "hostile-grind"
SEEDS = 1 << 32

# Time is counted in instructions, and so is the real-time clock's, which begins on the same day.
EXACT = ("-icount", "shift=0,sleep=off", "-rtc", "base=2000-01-01,clock=vm")


def seed():
    """One that was not used before, most likely."""
    return random.SystemRandom().randrange(1, SEEDS)


def words(seconds, number):
    """The option for the command line of a guest; `seconds` may be milliseconds, as 100ms."""
    return f"kozo.grind={seconds},{number:#x}"
