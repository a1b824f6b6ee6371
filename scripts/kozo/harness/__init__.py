# SPDX-License-Identifier: MIT
"""The parts a test run is made of.

    results   what became of a test, the closing line
    tap       reading the Test Anything Protocol
    vm        a guest in QEMU: its console, its TAP port, its monitor
    verdict   from a finished guest to results
    staging   archives made of chosen files
    scripted  tests written in Python that drive a guest
    junit     the report for CI
    select    -k patterns
    runner    runs suites, prints, counts
"""
