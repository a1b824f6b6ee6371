# SPDX-License-Identifier: MIT
"""What stands behind ./kozo: building, booting and testing KOZO.

Python 3.11, standard library only.

    cli        arguments, errors, exit codes
    commands/  one module per command: add a file to add a command
    packages   the Debian packages that are needed, and how to tell that they are there
    builder    Meson and Ninja
    qemu       the QEMU command line and what its exit status means
    harness/   TAP, results, JUnit, a booted guest
    suites/    one module per test suite: add a file to add a suite
"""
