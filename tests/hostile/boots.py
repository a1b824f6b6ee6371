# SPDX-License-Identifier: MIT
"""On which machines each program of tests/hostile/guest/ boots; rows as in tests/smoke/boots.py."""

_USUAL = {}
_MAX = {"cpu": "max"}                           # SMEP, SMAP, UMIP, RDRAND
_STEPS = {"extra": ("-singlestep",), "variant": "singlestep"}   # an interrupt between any two instructions

BOOTS = {
    "calls": [_USUAL, _MAX],
    "entry": [_USUAL, _MAX, _STEPS],
    "exceptions": [_USUAL, _MAX, _STEPS],
    "ground": [_USUAL, _MAX],
}
