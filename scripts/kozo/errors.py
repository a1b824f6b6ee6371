# SPDX-License-Identifier: MIT
"""Exit codes of ./kozo, and the exceptions that carry them."""

OK = 0
FAILED = 1
USAGE = 2
ENVIRONMENT = 3
PANIC = 4
TIMEOUT = 5
INTERRUPTED = 130


class KozoError(Exception):
    """Ends ./kozo with one `kozo: error:` line, which says what to do, and with `code`."""

    def __init__(self, text, code=FAILED):
        super().__init__(text)
        self.code = code


class EnvironmentProblem(KozoError):
    """Something of this machine is missing or too old."""

    def __init__(self, text):
        super().__init__(text, ENVIRONMENT)


class UsageProblem(KozoError):
    """The arguments make no sense."""

    def __init__(self, text):
        super().__init__(text, USAGE)


class BuildFailed(KozoError):
    """The source does not build; `log` is what the tools said."""

    def __init__(self, text, log=""):
        super().__init__(text, FAILED)
        self.log = log
