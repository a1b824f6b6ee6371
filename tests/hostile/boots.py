# SPDX-License-Identifier: MIT
"""On which machines each program of tests/hostile/guest/ boots; rows as in tests/smoke/boots.py."""

from kozo import grinding

_USUAL = {}
_MAX = {"cpu": "max"}                           # SMEP, SMAP, UMIP, RDRAND
# An interrupt between any two instructions.
_STEPS = {"extra": ("-singlestep",), "variant": "singlestep"}

BOOTS = {
    "calls": [_USUAL, _MAX],
    "entry": [_USUAL, _MAX, _STEPS],
    "exceptions": [_USUAL, _MAX, _STEPS],
    "exhaust": [_USUAL, _MAX],
    # A minute and a while, each from another seed in each run; the console's log tells which.
    "grind": [{**_MAX, "append": grinding.words(60, grinding.seed()), "seconds": 240},
              {"append": grinding.words(10, grinding.seed()), "seconds": 120}],
    "ground": [_USUAL, _MAX],
    "leaks": [_USUAL, _MAX],
    "storms": [_USUAL, _MAX],
    "transfers": [_USUAL, _MAX, _STEPS],
}
