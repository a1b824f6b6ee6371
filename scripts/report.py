#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""report.py BUILD - write BUILD/report.json and BUILD/report.txt on what is built there
(ninja -C BUILD report)."""

import sys

sys.dont_write_bytecode = True

from kozo.bench import report  # noqa: E402

if len(sys.argv) != 2:
    sys.exit("usage: report.py BUILD")
report.main(sys.argv[1])
