# SPDX-License-Identifier: MIT
"""Which tests -k means."""

from kozo.harness.select import Selection


def test_forms():
    for pattern in ("smoke/ipc.call", "smoke/*", "ipc.call", "smoke/ipc", "ipc", "call", "c?ll",
                    "*.call"):
        assert Selection(pattern).has("smoke", "ipc", "call"), pattern
    for pattern in ("smoke/ipc.send", "unit/*", "all", "IPC", "ipc.c"):
        assert not Selection(pattern).has("smoke", "ipc", "call"), pattern


def test_groups_whose_cases_are_unknown():
    assert Selection("smoke/ipc.call").may_have("smoke", "ipc", ())
    assert Selection("call").may_have("smoke", "ipc", ("call",))
    assert not Selection("call").may_have("smoke", "ipc", ("send",))
    assert Selection(None).may_have("smoke", "ipc", ())
