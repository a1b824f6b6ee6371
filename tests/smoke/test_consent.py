# SPDX-License-Identifier: MIT
"""What needs a person's word: the question at the console, all its ends, and leases under a program
in use."""

import itertools
import json
import re
import time

from kozo.harness import manifest

CONF = "etc/kozo.conf"
ALLOW = r"\[\?\] allow\? y or n, then Enter \((?:< )?\d+ s\): "


def rule(name, what, rights, decision, **fields):
    """A rule for the petitioner."""
    return manifest.rule(name, "petitioner", what, rights, decision, **fields)


def actor(name, args, capabilities="log", **fields):
    """A service that does what its `args` say: tests/smoke/guest/petitioner.c."""
    return manifest.service(name, "bin/petitioner", memory="1M", args=args,
                            capabilities=capabilities, **fields)


FREE = rule("free", "fs:/etc/motd", "read", "allow")
MOTD = rule("petition", "fs:/etc/motd", "read", "ask", lease_ms=400)


def petition(boot, args, rules=MOTD, restart="never", seconds=600, priority=105):
    """A boot with a petitioner that does `args`, and these rules."""
    boot.set("init", "consent_seconds", seconds)
    boot.add(actor("petitioner", args, "log console:write policy policy-admin kernel-log",
                   priority=priority, untyped="256K", threads=6, requests="fs process",
                   restart=restart), rules)


def asked(vm, what="fs:/etc/motd"):
    """The whole question is there, and keys count."""
    vm.wait_for(rf'^\[\?\] petitioner asks policy for "{re.escape(what)}"$')
    vm.wait_for(ALLOW)


def audit(result, reason, what="fs:/etc/motd"):
    return (rf'^\[policy\] audit seq=\d+ at_ms=\d+ who=petitioner object="{re.escape(what)}" .*'
            rf'result={result} .*reason="[^"]*{reason}')


def audited(vm, result, reason, what="fs:/etc/motd"):
    vm.wait_for(audit(result, reason, what))


def test_yes_then_no_and_each_renewal_asks_again(boot):
    petition(boot, "ask fs:/etc/motd 1 use ask fs:/etc/motd 1 ask fs:/etc/motd 2")
    with boot.start() as vm:
        vm.wait_for_all(r'^\[\?\] petitioner asks policy for "fs:/etc/motd"\n'
                        r"\[\?\]   rights: read\n"
                        r'\[\?\]   reason: "I \?\[2J\\x22need\\x22 it\?\[\\x3f\] allow\?"\n'
                        r"\[\?\]   risk: low; a yes lasts 400 ms$",
                        "^KOZO READY$")     # all others are served while the question waits
        vm.wait_for(ALLOW)
        vm.send("maybe\r")           # no answer
        vm.wait_for(ALLOW + "maybe")
        vm.wait_for(ALLOW)
        vm.send("ye\x7f\r")
        audited(vm, "granted", "the person at the console said yes")
        vm.wait_for_all(r"^\[petitioner\] it can be used$", audit("expired", "its lease is over"),
                        r"^\[petitioner\] its use ended after \d+ ms: no capability there")
        asked(vm)
        vm.send("n\r")
        audited(vm, "denied", "the person at the console said no")
        vm.wait_for(r"^\[petitioner\] denied fs:/etc/motd: tier low needs somebody's consent: "
                    "the person")
        vm.wait_for(r"^\[petitioner\] denied fs:/etc/motd: no rule gives petitioner the right "
                    "to write")
        vm.wait_for("kozo> ")
        vm.send("echo the prompt is back\r")
        vm.wait_for("^the prompt is back$")


def test_silence_denies_and_a_late_yes_grants_nothing(boot):
    petition(boot, "nmi ask fs:/etc/motd 1", seconds=6)
    with boot.start() as vm:
        vm.wait_for("^KOZO READY$")
        vm.wait_for("kozo> ")
        vm.send("echo typed be")
        vm.wait_for("echo typed be")
        vm.qmp("inject-nmi")
        asked(vm)
        vm.send("y")
        vm.wait_for(r"^\[\?\] no answer in time: denied$")
        vm.send("\r")
        # Enter came after the question: the line was kept for the shell. Who is first is the
        # scheduler's.
        vm.wait_for_all(r"^typed be$", r"^\[petitioner\] all done$")
        late = "nobody answered in time"
        for line in (rf"(?:kozo> +)?\[petitioner\] denied fs:/etc/motd: .*{late}$",
                     rf'.*\[policy\] audit .*who=petitioner .*result=denied .*{late}'):
            assert re.search(rf"(?m)^{line}", vm.text), line
        assert "result=granted" not in vm.text.split("KOZO READY")[1], "a late yes granted"


def test_an_answer_that_is_too_late_is_told_so(boot):
    petition_a_sloth(boot, "late", MOTD, "critical", seconds=6)
    with boot.start() as vm:
        for n in itertools.count(1):     # until the answer comes while policy waits
            asked(vm, "sloth:/a")
            vm.send("y\r")
            asked(vm)
            # policy waits for the sloth, and until the time is over
            vm.wait_for(rf"\[sloth\] told of the end of {n}$")
            vm.send("y\r")
            how = vm.wait_for(r"^\[\?\] (no answer in time|that answer came too late): "
                              "(the time was over, )?denied$")
            audited(vm, "denied", "nobody answered in time")
            assert vm.text.count("said yes") == n, "a late yes granted"
            if how.group(2):
                return


def test_an_answer_that_races_with_the_limit_has_one_result(boot):
    rounds = 5
    petition(boot, " ".join(["ask fs:/etc/motd 1"] * rounds), seconds=1)
    with boot.start() as vm:
        # A question's keys count half a second after it; on a machine that stands still for as
        # long never.
        while vm.wait_for(rf"{ALLOW}|^\[petitioner\] all done$").group()[:3] == "[?]":
            vm.send("y")
            time.sleep(0.44 + vm.text.count("who=petitioner") * 0.02)
            vm.send("\r")
            vm.wait_for(r"^\[petitioner\] (granted|denied) fs:/etc/motd")
        decided = re.findall(r"who=petitioner .*result=(granted|denied) ", vm.text)
        silent = re.findall(r"who=petitioner .*result=denied .*nobody answered in time", vm.text)
        told = re.findall(r"(?m)^(?:kozo> )?\s*\[petitioner\] (granted|denied) ", vm.text)
        over = re.findall(r"\[\?\] (?:no answer in time|that answer came too late): .*denied",
                          vm.text)
        assert len(decided) == rounds and decided == told, (decided, told)
        assert len(over) == len(silent), (silent, over)


def test_a_requester_that_dies_is_replaced_and_asks_anew(boot):
    petition(boot, "doom-nmi ask fs:/etc/motd 1", restart="always")
    with boot.start() as vm:
        asked(vm)
        vm.qmp("inject-nmi")
        vm.wait_for("^KOZO FAULT service petitioner: page fault")
        vm.wait_for(r"^\[\?\] withdrawn: who asked has ended, or gave up waiting$")
        asked(vm)
        assert "result=cancelled" in vm.text
        vm.send("y\r")
        audited(vm, "granted", "the person at the console said yes")
        vm.wait_for(r"^\[petitioner\] granted fs:/etc/motd for 400 ms$")
        assert vm.text.count("said yes") == 1


def test_one_that_asks_and_gives_up_does_not_keep_the_terminal(boot):
    petition(boot, "impatient fs:/etc/motd")
    with boot.start() as vm:
        vm.wait_for(r"\[petitioner\] denied fs:/etc/motd: "
                    ".*the person has said no, or nothing, too often$")
        assert vm.text.count("result=cancelled") in (5, 6), \
            "the fifth may find the sixth in the queue"


def test_a_requester_that_is_restarted_while_it_waits_is_granted_nothing(boot):
    usurper = actor("usurper", "nmi restart petitioner", "log process kernel-log")
    petition(boot, "ask fs:/etc/motd 1", MOTD + usurper)
    with boot.start() as vm:
        asked(vm)
        vm.qmp("inject-nmi")
        # behind the last line of the question
        vm.wait_for("service petitioner: restarted by usurper$")
        vm.wait_for(r"^\[\?\] withdrawn: who asked has ended, or gave up waiting$")
        asked(vm)                    # its next life's own question: no answer to the first counts
        vm.send("n\r")
        audited(vm, "denied", "the person at the console said no")
        vm.wait_for(r"^\[petitioner\] denied fs:/etc/motd: ")
        assert re.findall("who=petitioner .*result=([a-z]+) ", vm.text) == ["cancelled", "denied"]
        vm.wait_for("kozo> ")
        vm.send("policy list\r")
        assert "petitioner" not in vm.wait_for(r"RIGHTS, OBJECT\n(?s:(.*?))kozo> ").group(1)


def test_a_requester_that_dies_behind_a_yes_leaves_nothing(boot):
    """Its provider ends it after the yes, before policy has what it gives: every time between the
    two."""
    traitor = actor("sloth", "betray petitioner", "log process", provides="sloth")
    petition_a_sloth(boot, "ask sloth:/a 1", "", sloth=traitor)
    left = []
    with boot.start() as vm:
        vm.wait_for("^KOZO READY$")
        for life in range(3):
            asked(vm, "sloth:/a")
            vm.send("y\r")
            vm.wait_for("service petitioner: killed by sloth; not restarted: restart = never$")
            audited(vm, "granted", "said yes", "sloth:/a")
            audited(vm, "released", "it did not reach its requester", "sloth:/a")
            vm.wait_for(r"^(?:kozo> +)?\[sloth\] told of the end of \d+$")
            vm.send("policy list; mem --json\r")
            seen = vm.wait_for(r"RIGHTS, OBJECT\n(?s:(.*?))(\{.*\})$")
            assert "sloth" not in seen.group(1)
            left.append(json.loads(seen.group(2)))
            vm.send("restart petitioner\r")
            vm.wait_for(r'^\[\?\] shell asks policy for "process:kill/petitioner"$')
            vm.wait_for(ALLOW)
            vm.send("y\r")
    for name in ("memory_free", "capabilities", "threads_free"):
        assert left[1][name] == left[2][name], left
    assert "petitioner] granted" not in vm.text


def test_what_a_service_lends_a_program_has_a_name_and_an_end(boot):
    """The name is the service's word, bounded and one word; what asks by it cannot choose another,
    or outlive it."""
    rules = FREE + rule("ask", "fs:/etc/hostname", "read", "ask")
    lender = manifest.service("lender", "bin/lender", memory="1M", untyped="64K", threads=2,
                              capabilities="log policy policy-admin", requests="fs")
    boot.add(rules.replace("petitioner", "lender"), lender)
    with boot.start() as vm:
        vm.wait_for(r"^\[\?\] shell\?asks\?\?\?\?\?x\?\?\?a\?program\?ru "
                    r"\(a program run by lender\)$")
        vm.wait_for(r'^\[\?\]   \|  asks policy for "fs:/etc/hostname"$')
        vm.wait_for(ALLOW)
        vm.wait_for(r"^\[\?\] withdrawn: who asked has ended, or gave up waiting$")
        vm.wait_for(r"\[lender\] all done$")
        assert "[lender] wrong" not in vm.text and "result=cancelled" in vm.text, vm.text
        released = re.findall(r"who=lender/program .*result=released .*its requester has ended",
                              vm.text)
        assert len(released) == 2, vm.text


def test_a_flood_fills_its_own_share(boot):
    petition(boot, "flood fs:/etc/motd nmi forge")
    full = r"^\[petitioner\] denied .*too many questions wait for the person already$"
    with boot.start() as vm:
        vm.wait_for_all("^KOZO READY$", ALLOW, rf"{full}(?s:.*?){full}")
        vm.qmp("inject-nmi")
        # written by the petitioner
        vm.wait_for(r"^\[ \?\] allow\? y or n, then Enter \(30 s\): \?\[2J$")
        vm.wait_for(r"^\[petitioner\] \[ \?\] allow\? y or n")
        assert len(re.findall(full, vm.text, re.MULTILINE)) == 2
        vm.wait_for(ALLOW)
        vm.send("n\r")
        audited(vm, "denied", "the person at the console said no")
        asked(vm)                    # the next one, only now
        vm.send("\x03")
        audited(vm, "denied", "the person at the console said no")
        vm.wait_for("kozo> ")


def test_one_use_and_leases_outlive_policy(boot):
    petition(boot,
             "ask process:kill/hello 16 kill fsd kill hello ask process:kill/policy 16 kill policy",
             rule("power", "process:kill", "kill", "allow"))
    with boot.start() as vm:
        vm.wait_for_all(r'^\[\?\] petitioner asks policy for "process:kill/hello"$',
                        r"^\[\?\]   rights: kill$",
                        r"^\[\?\]   risk: critical; a yes is good for one use, within 60 s$",
                        "^KOZO READY$")
        vm.wait_for(ALLOW)
        vm.send("y\r")
        audited(vm, "granted", "said yes", "process:kill/hello")
        # init's word
        vm.wait_for(r'^\[init\] denied: who=policy object="process:kill/hello" '
                    '.*it is bound to hello, ')
        audited(vm, "used", "it was good for one use", "process:kill/hello")
        vm.wait_for(r"^\[petitioner\] kill fsd: capability lacks a right")  # a wrong use is a use
        vm.wait_for(r"^\[petitioner\] kill hello: no capability there")
        asked(vm, "process:kill/policy")
        vm.send("y\r")
        vm.wait_for(r"^\[petitioner\] kill policy: ")
        vm.wait_for(r"^\[policy\] goes on with the leases of an earlier life$")
        assert "service fsd: " not in vm.text
        assert "service policy: killed by petitioner through policy" in vm.text


def test_commands_of_the_command_line_consent_to_nothing(boot):
    petition(boot, "ask fs:/etc/motd 1", priority=75)    # before the shell, which powers off
    with boot.start(append='kozo.run="restart hello; poweroff"') as vm:
        vm.wait_for(r"^\[petitioner\] denied fs:/etc/motd: "
                    ".*commands come from kozo.run, nobody is at the terminal$")
        vm.wait_for(r"error: hello: denied: .*nobody is at the terminal")
        vm.expect_exit(1)
        assert "[?]" not in vm.text


def test_where_nobody_is_at_the_terminal_nothing_is_asked(boot):
    """Whatever value the word has, and whatever is typed:
    it is denied at once, with that reason."""
    petition(boot, "ask fs:/etc/motd 1")
    with boot.start(append="kozo.unattended=no") as vm:
        vm.wait_for(r"^\[petitioner\] denied fs:/etc/motd: .*: nobody is at the terminal$")
        vm.wait_for("kozo> ")
        vm.send("kill fsd\ry\r")
        vm.wait_for(r"^error: fsd: denied: .*: nobody is at the terminal")
        vm.send("restart policy; poweroff 7\r")
        vm.wait_for(r"^error: policy: denied: .*: nobody is at the terminal")
        vm.expect_exit(7)
        assert "[?]" not in vm.text and "ignored:" not in vm.text


def test_a_full_share_of_the_audit_denies_its_requester_alone(boot):
    petition(boot, "until-refused fs:/etc/none drain until-refused fs:/etc/none", "")
    with boot.start() as vm:
        refused = r"^\[petitioner\] refused after \d+: its share of the audit is full$"
        vm.wait_for_all(rf"{refused}(?s:.*?)^\[petitioner\] drained: some$(?s:.*?)"
                        rf"{refused}(?s:.*?)^\[petitioner\] all done$",
                        # no flood of lines
                        r"^\[policy\] denied: who=petitioner and \d+ more since \d+ ms$")
        vm.wait_for("kozo> ")
        vm.send("\x15restart hello\r")  # the shell is served as ever
        vm.wait_for(ALLOW)
        vm.send("y\r")
        vm.wait_for(r"service hello: restarted by shell through policy")
        vm.wait_for("kozo> ")
        vm.send("run --with policy asker fs:/etc/motd read\r")
        vm.wait_for(ALLOW)
        vm.send("n\r")
        vm.wait_for(r"denied: .*the person at the console said no")


def test_what_the_person_grants_fills_no_share(boot):
    # Of many who may ask each has a small share: three records.
    others = "".join(manifest.service(f"d{n}", "bin/petitioner", memory="1M",
                                      capabilities="log policy") for n in range(14))
    petition(boot, "again fs:/etc/motd until-refused fs:/etc/none", MOTD + others)
    with boot.start() as vm:
        for _ in range(6):
            asked(vm)
            vm.send("y\r")
            audited(vm, "granted", "said yes")
        vm.wait_for(r"^\[petitioner\] refused after 3: its share of the audit is full$")


def test_a_lease_in_use_is_listed_explained_and_revoked(boot):
    petition(boot, "ask fs:/etc/motd 1 use", FREE)
    with boot.start() as vm:
        vm.wait_for_all(r"^\[petitioner\] it can be used$", "^KOZO READY$")
        vm.wait_for("kozo> ")
        vm.send("policy list\r")
        lease = vm.wait_for(r"^ *(\d+) petitioner +low +\d+ +free +read fs:/etc/motd$").group(1)
        vm.wait_for("kozo> ")
        vm.send(f"policy revoke {lease}\r")
        audited(vm, "revoked", "revoked by shell")
        vm.wait_for(r"^\[petitioner\] its use ended after \d+ ms: no capability there")
        vm.send(f"policy explain {lease}; policy drain; policy revoke {lease}\r")
        vm.wait_for(r"^reason +\[rule free\] allows read$")
        vm.wait_for(r"^\d+ drained$")
        vm.wait_for(rf"error: {lease}: ")


def test_what_a_service_held_that_never_comes_back_is_not_listed(boot):
    """It asks nobody any more, so it is init that knows of its end."""
    petition(boot, "ask fs:/etc/motd 1 doom 300 sleep 100000", FREE, restart="never")
    with boot.start() as vm:
        vm.wait_for(r"who=petitioner .*result=granted")
        vm.wait_for(r"^KOZO FAULT service petitioner")
        vm.wait_for("kozo> ")
        vm.send("policy list; echo over\r")
        audited(vm, "released", "its requester has ended")
        end = vm.wait_for(r"^over$")
        assert "LEASE WHO" in end.string, vm.text
        assert not re.search(r"^ *\d+ petitioner +low", vm.text, re.MULTILINE), vm.text


def test_what_is_opened_below_a_directory_ends_with_its_lease(boot):
    """Given back, over, revoked: whoever holds it, and by whatever copy.
    What another lease opened stays."""
    free = {"tier": "low", "depth": "any"}
    petition(boot, "below",
             rule("etc", "fs:/etc", "read list", "allow", **free, lease_ms=3000) +
             rule("bin", "fs:/bin", "read list", "allow", **free))
    over = "no capability there (never given, deleted or revoked)"
    with boot.start() as vm:
        said = [r"granted fs:/etc for 3000 ms", "opened motd: no error", "copied: no error",
                "with account: .*argument.*", "closed: no error", "closed: no error"]
        good = "read: no error; by its copy: no error"
        ended = re.escape(f"read: {over}; by its copy: {over}")
        for line in (*said, good, "released: no error", ended, *said, ended):
            vm.wait_for(rf"^\[petitioner\] {line}$")
        assert "result=expired" in vm.text
        vm.wait_for(r"^\[petitioner\] opened cat: no error$")
        for line in (said[0], "released: no error", good):
            vm.wait_for(rf"^\[petitioner\] {line}$")
        vm.send("\x15policy list\r")
        lease = vm.wait_for(r"^ *(\d+) petitioner +low +\d+ +bin +read list fs:/bin$").group(1)
        vm.wait_for("kozo> ")
        vm.send(f"policy revoke {lease}\r")
        audited(vm, "revoked", "revoked by shell", "fs:/bin")
        vm.wait_for(rf"^\[petitioner\] {ended}$")


SLOTH = actor("sloth", "hang", provides="sloth")


def petition_a_sloth(boot, args, rules, tier="high", seconds=30, sloth=SLOTH):
    """As petition; sloth:/a is of a provider that never answers when it is told of the end of a
    lease."""
    asking = rule("sloth", "sloth:/a", "read", "ask", tier=tier)
    petition(boot, args, sloth + asking + rules, seconds=seconds)
    boot.edit(CONF, "console-ask process", "console-ask process sloth")
    boot.set("service petitioner", "requests", "fs sloth")


def test_a_provider_that_hangs_makes_no_lease_longer(boot):
    petition_a_sloth(boot, "swap", rule("b", "sloth:/b", "read", "ask", lease_ms=2000))
    with boot.start() as vm:
        for name in ("sloth:/a", "sloth:/b"):
            asked(vm, name)
            vm.send("y\r")
            audited(vm, "granted", "said yes", name)
        # The sloth is waited for 1 s, and b ends 100 ms after a was given back: before that is
        # over.
        ended = vm.wait_for(audit("expired", "its lease is over", "sloth:/b"))
        assert "sloth does not answer" not in ended.string[:ended.end()], ended.string
        vm.wait_for(r"^\[policy\] sloth does not answer: "
                    r"told again in \d+ ms which leases are over$")
        vm.wait_for(r"^\[sloth\] told of the end of \d$")
        vm.wait_for(r"^\[policy\] sloth does not answer: "
                    r"told again in [248]000 ms which leases are over$")


def test_what_a_capability_is_not_good_for_is_told(boot):
    petition(boot, "trespass")
    boot.edit(CONF, "lease_ms = 200", "lease_ms = 60000")    # hello's is not over
    line = r'^\[policy\] denied: who=petitioner object='
    with boot.start() as vm:
        for what, has in (("revoke", "request self"), ("drain", "request self"),
                          ("request", "look revoke drain"), ("revoke", "request self")):
            vm.wait_for(
                rf'^\[policy\] denied: who=petitioner object="policy" asked="{what}" held="{has}" '
                'rule=none hint="policy under capabilities in its section of etc/kozo.conf '
                'is to request; ')
        vm.wait_for(r'^\[console\] denied: who=petitioner object="console" asked="read" '
                    'held="write" rule=none hint="con')
        told, lines = 0, 0
        while told < 34:             # ten lines in a second, and then how many there were
            more = vm.wait_for(r"^\[policy\] denied: who=petitioner and (\d+) more since \d+ ms$")
            lines = len(re.findall(line, more.string, re.MULTILINE))
            hidden = re.findall(r"who=petitioner and (\d+) more since", more.string)
            told = lines + sum(map(int, hidden))
        assert told == 34 and lines >= 10, (told, lines)
        lacking = re.findall(r"\[petitioner\] (?:revoke|drain|request|read): .*right", vm.text)
        assert len(lacking) == 4, vm.text
        assert len(re.findall(r"\[petitioner\] release: no such name", vm.text)) == 3, vm.text


def killer(whom):
    """One that asks for the power to end `whom`, whose rule gives it, and uses it on an NMI."""
    power = f"process:kill/{whom}"
    return (actor("killer", f"ask {power} 16 nmi kill {whom}", "log policy kernel-log",
                  requests="process") +
            manifest.rule("killer", "killer", power, "kill", tier="low"))


def asked_while_it_ends(vm, whom):
    """The killer has its grant, and the petitioner's question is on the terminal."""
    vm.wait_for(rf'^\[\?\] killer asks policy for "process:kill/{whom}"$')
    # whatever its rule says
    vm.wait_for(r"^\[\?\]   risk: critical; a yes is good for one use, within 60 s$")
    vm.wait_for(ALLOW)
    vm.send("y\r")
    asked(vm)
    vm.qmp("inject-nmi")


def test_the_console_ends_while_it_asks(boot):
    petition(boot, "sleep 500 ask fs:/etc/motd 1 ask fs:/etc/motd 1", MOTD + killer("console"))
    with boot.start() as vm:
        asked_while_it_ends(vm, "console")
        # behind the last line of the question
        vm.wait_for("service console: killed by killer through policy")
        asked(vm)                    # by the console's next life: the same question
        vm.send("y\r")
        audited(vm, "granted", "said yes")


def test_policy_ends_while_it_asks(boot):
    petition(boot, "sleep 500 ask fs:/etc/motd 1 reconnect ask fs:/etc/motd 1",
             MOTD + killer("policy"))
    with boot.start() as vm:
        asked_while_it_ends(vm, "policy")
        vm.wait_for("service policy: killed by killer through policy")
        vm.wait_for(r"^\[petitioner\] failed fs:/etc/motd: ")
        # what the petitioner asks next; its first question nobody asks again
        asked(vm)
        vm.send("y\r")
        audited(vm, "granted", "said yes")
        vm.wait_for(r"^\[petitioner\] granted fs:/etc/motd for 400 ms$")
        vm.wait_for(r"^\[petitioner\] all done$")
        assert "[?] withdrawn: policy asks no more" in vm.text
        assert len(re.findall("who=petitioner .*result=granted", vm.text)) == 1, "granted twice"


def test_what_is_no_request_harms_nobody(boot):
    petition(boot, "abuse drain ask fs:/etc/motd 1 use",
             rule("free", "fs:/etc/motd", "read", "allow", lease_ms=400) +
             rule("all", "*", "read write list create remove", "deny"))
    with boot.start() as vm:
        vm.wait_for(r"^\[petitioner\] its fault: no error$")
        vm.wait_for(r"^\[petitioner\] drained: some$")
        vm.wait_for(r"^\[petitioner\] granted fs:/etc/motd for 400 ms$")
        vm.wait_for(r"^\[petitioner\] it can be used$")
        vm.wait_for(r"^\[petitioner\] its use ended after \d+ ms: no capability there")
        assert not re.search(r"was (served|granted)", vm.text), vm.text
        assert "service policy: " not in vm.text and "[?]" not in vm.text


def test_a_thousand_requests_keep_nobody_else_from_an_answer(boot):
    neighbour = actor("neighbour", "ask fs:/etc/motd 1 ask fs:/etc/motd 2 use", "log policy",
                      requests="fs")
    petition(boot, "nmi storm fs:/etc/none", MOTD.replace("petitioner", "neighbour") + neighbour)
    with boot.start() as vm:
        vm.wait_for(r'^\[\?\] neighbour asks policy for "fs:/etc/motd"$')
        vm.wait_for(ALLOW)
        vm.qmp("inject-nmi")
        vm.wait_for_all(r"^\[petitioner\] 1000 denied$",
                        r"^\[policy\] denied: who=petitioner and \d+ more since \d+ ms$")
        vm.wait_for(ALLOW)           # the question is there all the time
        vm.send("y\r")
        vm.wait_for(r"^\[policy\] audit .*who=neighbour .*result=granted ")
        vm.wait_for(r"^\[neighbour\] granted fs:/etc/motd for 400 ms$")
        vm.wait_for(r"^\[neighbour\] denied fs:/etc/motd: no rule gives")
        lines = re.findall(r"(?m)^.*\[policy\] .*who=petitioner", vm.text)
        assert len(lines) < 700, "a flood of lines"


class Terminal:
    """What is left on a terminal of 80 columns and a few rows."""

    def __init__(self, rows):
        self.rows = [""] * rows
        self.column = 0

    def feed(self):
        self.rows = self.rows[1:] + [""]
        self.column = 0

    def draw(self, text):
        for char in text:
            if char == "\n":
                self.feed()
            elif char == "\r":
                self.column = 0
            elif char >= " ":
                if self.column == 80:
                    self.feed()
                row = self.rows[-1].ljust(self.column)
                self.rows[-1] = row[:self.column] + char + row[self.column + 1:]
                self.column += 1


def test_text_of_others_scrolls_no_question_away(boot):
    """Two that write without line ends, so that it is the console that puts them, and one whose
    lines are wide."""
    petition(boot, "sleep 300 ask fs:/etc/motd 1")
    for n, text in enumerate(("some", "more", 350 * "x")):
        boot.add(manifest.service(f"scribbler{n}", "bin/scribbler", args=text, priority=200,
                                  capabilities="log console:write system"))
    with boot.start() as vm:
        asked(vm)
        for _ in range(40):
            vm.wait_for(ALLOW)
        drawn = vm.console.decode().split("[?] petitioner asks", 1)[1]
    # as in tests/unit/test_svc_ask.c: the question, seven rows of others, the last line
    terminal = Terminal(12)
    terminal.draw("[?] petitioner asks")
    *pieces, _ = re.split(f"(?<= s\\): )(?=[^\\n])", drawn)
    for piece in pieces:
        terminal.draw(piece)
        assert any(row.startswith('[?] petitioner asks policy for "fs:/etc/motd"')
                   for row in terminal.rows), terminal.rows
        assert terminal.rows[-1].startswith("[?] allow?"), terminal.rows
    assert len(pieces) >= 40 and drawn.count("\n") > 200, (len(pieces), drawn.count("\n"))
