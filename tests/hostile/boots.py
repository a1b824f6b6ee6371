# SPDX-License-Identifier: MIT
"""On which machines each program of tests/hostile/guest/ boots; rows as in tests/smoke/boots.py."""

_USUAL = {}
_MAX = {"cpu": "max"}                           # SMEP, SMAP, UMIP, RDRAND
# An interrupt between any two instructions.
_STEPS = {"extra": ("-singlestep",), "variant": "singlestep"}

BOOTS = {
    "calls": [_USUAL, _MAX],
    "entry": [_USUAL, _MAX, _STEPS],
    "exceptions": [_USUAL, _MAX, _STEPS],
    "exhaust": [_USUAL],
    "grind": [_USUAL, _MAX],
    "ground": [_USUAL, _MAX],
    "leaks": [_USUAL, _MAX],
    "storms": [_USUAL, _MAX],
}
