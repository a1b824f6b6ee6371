# SPDX-License-Identifier: MIT
"""Which tests -k means: a glob over `suite/group.case`, `group.case`, `suite/group`, `group`
or `case`."""

import fnmatch


def _forms(suite, group, case):
    forms = [f"{suite}/{group}", group]
    if case is not None:
        forms += [f"{suite}/{group}.{case}", f"{group}.{case}", case]
    return forms


class Selection:
    """The -k option; None selects everything."""

    def __init__(self, pattern=None):
        self.pattern = pattern

    def has(self, suite, group, case):
        """Whether this case is meant."""
        return self.pattern is None or any(
            fnmatch.fnmatchcase(f, self.pattern) for f in _forms(suite, group, case))

    def may_have(self, suite, group, cases):
        """Whether a case of this group may be meant; `cases` are those known before it runs.

        A pattern that names the group and then a case we do not know of selects the group, too:
        the cases a program has are known for sure only when it runs.
        """
        if self.pattern is None or any(self.has(suite, group, c) for c in [None, *cases]):
            return True
        return any(self.pattern.startswith(f + ".") for f in (f"{suite}/{group}", group))
