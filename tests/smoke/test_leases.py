# SPDX-License-Identifier: MIT
"""What comes of a lease: what is told of it, when it ends, what copies of it may, and what is left
of it in policy's next lives."""

import json
import re

from kozo.harness import manifest
from kozo.harness.person import PROMPT, Person

ALLOW = r"\[\?\] allow\? y or n, then Enter \((?:< )?\d+ s\): "


def test_one_use_by_a_narrowed_copy_does_what_the_copy_may(boot):
    boot.add(manifest.service("narrower", "bin/narrower", capabilities="log policy", requests="fs"),
             manifest.rule("narrower", "narrower", "fs:/ram", "list create", "ask",
                           tier="critical"))
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


def test_what_a_program_was_granted_ends_with_it(boot):
    """However it ends: nothing waits for the lease to be over."""
    with boot.start() as vm:
        person = Person(vm)
        # "itself": it has no memory for a worker
        for end, more in (("kill", " &"), ("^C", ""), ("itself", " doom 1")):
            vm.send(f"run --with policy petitioner ask fs:/etc/motd 1{more}\r")
            vm.wait_for(r"allow\? y or n")
            vm.send("y\r")
            vm.wait_for("result=granted")
            if end == "kill":
                text = person.line("policy list")
                assert re.search(r"^ +\d+ shell/program .* read fs:/etc/motd$", text,
                                 re.MULTILINE), text
                assert "error: policy: another program asks already" in \
                    person.line("run --with policy asker fs:/etc/motd")
                number = re.match(r"\[(\d+)\] petitioner\n", person.line("jobs")).group(1)
                person.line(f"kill {number}")
            elif end == "^C":
                vm.send("\x03")
                vm.wait_for(r"\^C\n")
                vm.wait_for(PROMPT)
            else:
                vm.wait_for(PROMPT)
                assert person.line("jobs") == ""
            assert "fs:/etc/motd" not in person.line("policy list"), end
            assert re.search(r"^ +\d+ shell/program +released .* read fs:/etc/motd$",
                             person.line("policy audit"), re.MULTILINE)
            person.line("policy drain")


def test_leases_of_the_dead_are_not_listed(boot):
    """Neither of a file whose server has begun a new life, nor of a program whose shell has."""
    with boot.start() as vm:
        person = Person(vm)
        for line in ("restart fsd", "kill shell"):
            vm.send("run --with policy petitioner ask fs:/etc/motd 1 &\r")
            vm.wait_for(r"allow\? y or n")
            vm.send("y\r")
            vm.wait_for("result=granted")
            vm.wait_for(PROMPT)
            head, row = person.line("policy list").splitlines()
            assert re.match(r" +\d+ shell/program low ", row), (head, row)
            assert head.index("TIER") == row.index("low"), (head, row)
            assert head.index("RIGHTS") == row.index("read fs:"), (head, row)
            vm.send(line + "\r")
            vm.wait_for(r"allow\? y or n")
            vm.send("y\r")
            vm.wait_for(r"service (fsd|shell): begins life 2")
            vm.wait_for(PROMPT)
            assert "shell/program low" not in person.line("policy list"), line
            if line == "restart fsd":
                person.line("kill 1")


def check_why_json(person):
    """The same as text, of what [1] petitioner has."""
    def why(words):
        return json.loads(person.line(f"why {words} --json"))

    told = why("petitioner fs:/ram")
    lease, = told["leases"]
    assert (told["holder"], told["object"], told["rules"]) == ("petitioner", "fs:/ram", []), told
    assert lease.items() >= {
        "who": "shell/program", "object": "fs:/ram", "rights": "list", "tier": "low",
        "rule": "shell-files", "by_person": True, "provider": "fsd"}.items(), lease
    assert not why("petitioner fs:/etc/motd")["leases"][0]["by_person"]
    assert 0 < lease["left_ms"] < lease["lease_ms"] == 3600000, lease
    first, *_, above, last = lease["chain"]
    assert (first["service"], first["slot"], first["kind"], first["rights"]) == \
        ("init", None, "Untyped", "-w---"), first
    assert above["lease_slot"] > 0, lease
    assert (last["program"], last["job"], last["user_rights"]) == ("petitioner", 1, 4), lease
    assert why(f"1 {last['slot']}") == {
        **{k: last[k] for k in ("program", "job", "slot", "name")}, "chain": lease["chain"]}
    told = why("shell fs:/etc/kozo.conf")
    assert told["leases"] == [] and told["rules"][:2] == [
        {"rights": "read", "decision": "deny", "rule": "sealed",
         "reason": "[rule sealed] denies read; see [rule sealed] in etc/kozo.conf"},
        {"rights": "write", "decision": "ask", "rule": "shell-files", "tier": "medium",
         "lease_ms": 300000}], told
    chain = why("shell fs")["chain"]
    assert [e["name"] for e in chain[-3:]] == ["endpoint of fsd", "made for shell", "fs"], chain
    assert person.line("why --json shell") == \
        "error: why: usage: why SERVICE|PROGRAM OBJECT [--json]\n"


def test_why_tells_the_lease_of_an_object(boot):
    """Rule, tier, time, consent, provider and chain; of what is not granted, what the rules say."""
    boot.add(manifest.rule("motd-shell", "shell", "fs:/etc/motd", "read"),
             manifest.rule("sealed", "shell", "fs:/etc/kozo.conf", "read", "deny"))
    with boot.start() as vm:
        person = Person(vm)
        asks = "[rule shell-files] asks the person at the console"
        assert person.line("why shell fs:/etc/motd") == (
            "shell has no lease of fs:/etc/motd. A request of shell's would be decided so:\n"
            "  read: [rule motd-shell] allows it, tier low, for 3600000 ms\n"
            f"  write: {asks}, tier medium, for 300000 ms\n"
            f"  list: {asks}, tier low, for 3600000 ms\n"
            f"  create: {asks}, tier medium, for 300000 ms\n"
            f"  remove: {asks}, tier high, for 60000 ms\n")
        assert "  read: [rule sealed] denies it\n" in person.line("why shell fs:/etc/kozo.conf")
        assert "  kill: [rule shell-kill] asks the person at the console, tier critical" in \
            person.line("why shell process:kill/fsd")
        assert person.line("why fsd fs:/") == (
            "fsd has no lease of fs:/. A request of fsd's would be decided so:\n"
            "  read write list create remove: denied: fsd may not ask for what fs provides; "
            "fs is missing under requests in [service fsd] of etc/kozo.conf\n")
        assert person.line("why nobody fs:/") == \
            "error: nobody: no such service or program; `ps` lists them\n"
        vm.send("run --with policy petitioner ask fs:/etc/motd 1 ask fs:/ram 4 &\r")
        vm.wait_for(r"allow\? y or n")
        vm.send("y\r")
        vm.wait_for(r'object="fs:/ram" .*result=granted')
        vm.wait_for(PROMPT)
        told = {}
        for who, what in (("petitioner", "motd"), ("petitioner", "ram"), ("shell", "ram")):
            path = {"motd": "fs:/etc/motd", "ram": "fs:/ram"}[what]
            told[who, what] = person.line(f"why {who} {path}")
        chain = (r"(?: +Untyped +-w--- 00 0  init\n)+ +Endpoint +rwg-- ff 0  endpoint of fsd\n"
                 r"(?: +Endpoint .*\n)+ +Endpoint +-w\S+ {} \S+  lease, in slot \d+\n"
                 r" +Endpoint +-w\S+ {} \S+  \[1\] petitioner, slot \d+\n")
        for (who, what), text in told.items():
            path, rights, rule, bits = {
                "motd": ("fs:/etc/motd", "read", r"\[rule motd-shell\]; nobody was asked", "01"),
                "ram": ("fs:/ram", "list",
                        r"\[rule shell-files\], and the person at the console said yes", "04"),
            }[what]
            assert re.fullmatch(
                rf"lease \d+ of shell/program: {path}, {rights}\n"
                r"  tier low, 3[56]\d{5} of 3600000 ms left\n"
                rf"  {rule}\n  granted by policy, opened by fsd\n" + chain.format(r"\w\w", bits),
                text), (who, what, text)
        check_why_json(person)
        assert person.line("why petitioner fs:/ram/x").startswith(
            told["petitioner", "ram"].split("\n")[0] + "; a directory above it\n")
        assert person.line("why petitioner fs:/ramp").startswith(
            "petitioner has no lease of fs:/ramp. ")
        assert "it was not given policy to ask by" in \
            person.line("spin & ; why spin fs:/ram; kill 2")
        assert re.search(r"endpoint of fsd\n(?: .*\n)* .* shell, slot \d+: fs\n$",
                         person.line("why shell fs")), vm.text
