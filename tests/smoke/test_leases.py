# SPDX-License-Identifier: MIT
"""What comes of a lease: what copies of it may, and what is left of it in policy's next lives."""

CONF = "etc/kozo.conf"
ALLOW = r"\[\?\] allow\? y or n, then Enter \((?:< )?\d+ s\): "


def test_one_use_by_a_narrowed_copy_does_what_the_copy_may(boot):
    boot.write(CONF, boot.read(CONF) + """
[service narrower]
binary       = bin/narrower
sha256       = auto
memory       = 512K
capabilities = log policy
requests     = fs

[rule narrower]
subject  = narrower
object   = fs:/ram
rights   = list create
decision = ask
tier     = critical
""")
    with boot.start() as vm:
        vm.wait_for(r'^\[\?\] narrower asks policy for "fs:/ram"$')
        vm.wait_for(ALLOW)
        vm.send("y\r")
        vm.wait_for(r"^\[narrower\] copied: no error$")
        vm.wait_for(r'^\[fsd\] denied: who=narrower object="fs:/ram/x" asked="create" held="list"')
        vm.wait_for(r"^\[policy\] audit .*who=narrower .*result=used ")
        vm.wait_for(r"^\[narrower\] made: capability lacks a right")
        vm.wait_for(r"^\[narrower\] listed: no capability there")  # a wrong use is a use
        vm.wait_for("kozo> ")
        vm.send("ls /ram; echo empty\r")
        vm.wait_for(r"echo empty\nempty$")
