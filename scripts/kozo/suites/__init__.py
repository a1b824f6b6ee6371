# SPDX-License-Identifier: MIT
"""The test suites, one module each, named like the suite.

A module has a docstring (its first line is shown by --help), ORDER, NEEDS_BUILD (whether the
kernel and programs must be built first) and collect(context), which returns the suite's Jobs.
"""

import importlib
import pkgutil


def load():
    """All suites by name, in the order in which they run."""
    modules = [importlib.import_module(f"{__name__}.{m.name}")
               for m in pkgutil.iter_modules(__path__)]
    modules.sort(key=lambda m: (m.ORDER, m.__name__))
    return {m.__name__.rsplit(".", 1)[1]: m for m in modules}
