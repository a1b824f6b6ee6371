# SPDX-License-Identifier: MIT
"""Ends and restarts of services: tests/smoke/guest/warden.c does it, often to victim.c; this reads
what it says."""

import re
import tempfile

from kozo.bench import symbols
from kozo.harness import gdb, manifest
from kozo.harness.scripted import limit

VICTIM = "bin/victim"
WARDEN = "log system process fs policy"


def add(boot, name, args, capabilities="log", **fields):
    """Add a service that runs bin/warden (or fields["binary"])."""
    fields = {"binary": "bin/warden", "priority": "150", "args": args,
              "capabilities": capabilities} | fields
    boot.add(manifest.service(name, **fields))


def watched(boot, *wanted, **how):
    """Boot until the warden powers off; all its checks were right.

    Lines match `wanted`, in order."""
    with boot.start(**how) as vm:
        vm.wait_for("^KOZO READY$")
        for pattern in wanted:
            vm.wait_for(pattern)
        vm.wait_for(r"^\[warden\] warden is done, ")
        assert "wrong" not in vm.text.replace("done, 0 wrong", ""), \
            re.findall(r".*wrong.*", vm.text)
        vm.expect_exit(0)
        assert vm.text.count("KOZO READY") == 1 and "KOZO FAILED" not in vm.text
        return vm.text


def test_a_server_is_restarted_and_its_clients_reconnect(boot):
    boot.set("service fsd", "restart", "always")
    boot.set("service fsd", "restart_backoff_ms", "2000")
    add(boot, "warden", "reconnect", WARDEN)
    text = watched(boot,
                   r'^\[init\] denied: who=warden object="process" asked="kill" '
                   r'held="log look control" ',
                   r"^\[init\] service fsd: restarted by warden$",
                   r"^\[init\] service fsd: begins life 2$",
                   r'^\[init\] denied: who=warden object="console" ',
                   r"^\[init\] service fsd: killed by warden; restart 1 of 3 in 2000 ms$",
                   r"^\[init\] service fsd: killed by warden; restart 2 of 3 in 4000 ms$",
                   r"^\[init\] service fsd: killed by warden; not restarted$")
    # Ten in a second, and then how many more there were.
    lines = text.count("denied: who=warden object=")
    hidden = re.findall(r"^\[init\] denied: who=warden and (\d+) more since", text, re.M)
    more = sum(map(int, hidden))
    assert lines >= 10 and lines + more == 52, (lines, more)


def test_what_was_granted_on_lease_outlives_policy(boot):
    add(boot, "warden", "leases", WARDEN, requests="fs")
    boot.add(manifest.rule("again", "warden", "fs:/etc/motd", "read", tier="low", lease_ms=3000),
             manifest.rule("below", "warden", "fs:/etc", "read list", tier="low", lease_ms=3000,
                           depth="any"))
    watched(boot, r"^\[policy\] goes on with the leases of an earlier life$")


def test_what_a_service_gave_is_taken_back(boot):
    add(boot, "warden", "keep", WARDEN, provides="keep")
    add(boot, "giver", "give", "log fs keep", binary=VICTIM, untyped="64K")
    boot.set("service policy", "binary", VICTIM)
    boot.set("service policy", "args", "give-power")
    boot.set("service policy", "capabilities", "log leases process keep")
    boot.set("service hello", "binary", VICTIM)      # without policy there is no demonstration
    boot.set("service hello", "args", "stay")
    boot.set("service hello", "capabilities", "log system")
    boot.set("init", "demo", None)
    add(boot, "brief", "stay", "log system", binary=VICTIM, provides="brief")
    add(boot, "late", "stay", "log system brief fs", binary=VICTIM, provides="late", threads="2",
        untyped="16K")
    watched(boot, r"^\[init\] service giver: killed by warden",
            r"^\[init\] service policy: restarted by warden",
            r"^\[init\] service brief: killed by warden")


def test_a_right_to_end_services_is_bound_to_one(boot):
    add(boot, "mark", "stay", "log system", binary=VICTIM, restart="always",
        restart_backoff_ms="0", restart_limit="9")
    add(boot, "binder", "check", "log system process", binary="bin/binder", provides="bound",
        threads="2",
        untyped="64K")
    add(boot, "giver", "give", "log process bound", binary="bin/binder")
    with boot.start() as vm:
        vm.wait_for("^KOZO READY$")
        vm.wait_for(r'^\[init\] denied: who=binder object="process:kill/mark" asked="kill" '
                    r'held="kill" rule=none '
                    r'hint="it is bound to mark, to kill, restart and crash that alone"$')
        for line in (r"^\[init\] service mark: killed by binder; restart 1 of 9 in 0 ms$",
                     r"^KOZO FAULT service mark: .*, as binder wanted$",
                     r"^\[init\] service mark: restarted by binder$",
                     r"^\[init\] service mark: restarted by hello through binder$",
                     r"^\[init\] service mark: restarted by hello/program through binder$",
                     r"^KOZO FAULT service mark: .*, as hello through binder wanted$",
                     r"^\[init\] service mark: restarted by giver$"):
            vm.wait_for(line)
        vm.wait_for(r"^\[binder\] binder is done, 0 wrong$")
        vm.expect_exit(0)
        assert not re.search(r"service (?!hello|mark|giver)\w+: ", vm.text), vm.text


def test_a_section_gets_no_more_than_it_names(boot):
    boot.set("service shell", "capabilities",
             "log console:write,read fs:read,list system policy initrd")
    with boot.start(append='kozo.run="ls /; caps shell; poweroff"') as vm:
        vm.wait_for("^KOZO READY$")
        vm.expect_exit(0)
        assert re.search(r"^shell +\d+ fs +Endpoint +-wg-- 05 ", vm.text, re.M), vm.text
        assert re.search(r"^shell +\d+ console +Endpoint +-wg-- 03 ", vm.text, re.M), vm.text


def test_a_service_that_crashes_again_and_again_is_given_up(boot):
    add(boot, "warden", "limit", WARDEN)
    add(boot, "late", "crash", "log system", restart="on-failure", restart_backoff_ms="10",
        binary=VICTIM)
    watched(boot, r"^  restart 1 of 3 in 10 ms$", r"^\[init\] service late: begins life 2$",
            r"^  restart 2 of 3 in 20 ms$", r"^  restart 3 of 3 in 40 ms$",
            r"^  not restarted: 3 restarts without 10 s of good running, restart_limit = 3$")


def test_a_fault_is_reported_for_who_has_to_mend_it(boot):
    for how in ("fall", "jump", "plain", "constant"):
        add(boot, how, f"crash {'' if how == 'plain' else how}", "log system", binary=VICTIM)
    with boot.start() as vm:
        vm.wait_for("^KOZO READY$")
        for _ in range(4):
            vm.wait_for(r"not restarted: restart = never")
        text = vm.text

    def report(name):
        return re.search(rf"(?ms)KOZO FAULT service {name}: .*?restart = never", text).group(0)

    def trace(name):
        return re.findall(r"  #(\d+) 0x([0-9a-f]{16}) (\w+)\+0x[0-9a-f]+$", report(name), re.M)

    def has(name, pattern):
        assert re.search(pattern, report(name), re.M), text

    has("plain", r"page fault, write to 0x8 \(a null pointer\), at ip 0x4")
    has("plain", r"r12 1234567890abcdef")
    assert [f[2] for f in trace("plain")][:3] == ["inner", "outer", "main"], trace("plain")
    has("fall", r"page fault, write to 0x203[0-9a-f]{3} "
                r"\(\d+ bytes below the stack of fall: stack overflow\)")
    assert [f[2] for f in trace("fall")] == ["fall"] * 16, trace("fall")
    has("jump", r"page fault, jump to 0x0 \(a null pointer\), at ip 0x0,")
    has("jump", r"^.*  #0 0x0000000000000000 \?$")
    assert [f[2] for f in trace("jump")][:3] == ["inner", "outer", "main"], trace("jump")
    has("constant", r"\(in the start page of constant, which is not writable\)")
    has("plain", r"first thread, serial \d+, life 1$")


def test_a_further_threads_fault_ends_the_service_and_a_foreign_one_does_not(boot):
    """By `fault`, which every service with threads has, not by `log`,
    which it may give to others."""
    for name, how, priority in (("many", "thread", "150"), ("liar", "thread-lies", "155"),
                                ("lender", "thread-by-log", "160")):
        add(boot, name, how, "log system", binary=VICTIM, threads="3", untyped="128K", memory="1M",
            priority=priority)
    with boot.start() as vm:
        vm.wait_for("^KOZO READY$")
        vm.wait_for_all(r"\[lender\] lives on after the second$", *(
            rf"^KOZO FAULT service {name}: (?s:.*?)restart = never$" for name in ("many", "liar")))
        vm.send("\x15caps lender; poweroff 7\r")
        vm.expect_exit(7)
        text = vm.text
    assert re.search(r"^lender +\d+ fault +Endpoint +-w--- 20 ", text, re.M), text
    assert re.search(r"\[many\] lives on after the first$", text, re.M), text
    traces = {}
    for name in ("many", "liar"):
        report = re.search(rf"(?ms)KOZO FAULT service {name}: page fault, write to 0x8 "
                           ".*?restart = never$", text)[0]
        assert re.search(r"^  a further thread, serial \d+, life 1$", report, re.M), text
        traces[name] = re.findall(r"^  #\d+ 0x[0-9a-f]{16} (\w+)\+0x[0-9a-f]+$", report, re.M)
    assert traces["many"][:2] == ["inner", "outer"] and traces["many"][-1] == "enter", traces
    assert traces["liar"] == ["inner"], "a stack that cannot be found"
    assert "[many] lives on after the second" not in text, text
    assert "KOZO FAULT service lender" not in text, text
    assert re.search(r'\[init\] denied: who=lender object="fault" asked="fault" held="write" ',
                     text), text


def test_the_terminal_comes_back(boot):
    add(boot, "warden", "terminal", WARDEN)
    with boot.start() as vm:
        vm.wait_for(r"^\[init\] service console: restarted by warden$")
        vm.wait_for(r"^\[init\] service shell: restarted by warden$")
        vm.wait_for("both begin again")
        vm.wait_for("kozo> ")
        vm.send("echo two\x7f\x7f\x7fthe keyboard, too\r")
        vm.wait_for("^the keyboard, too$")
        vm.send("poweroff 3\r")
        vm.expect_exit(3)


def test_who_runs_the_commands_must_not_die_over_them(boot):
    boot.set("service shell", "binary", VICTIM)
    boot.set("service shell", "args", "crash-with-commands")
    boot.set("service shell", "capabilities", "log system process")
    with boot.start(append='kozo.run="poweroff"') as vm:
        vm.wait_for("^KOZO READY$")
        vm.wait_for(r"^\[init\] service policy: begins life 2$")
        vm.wait_for("^.shell. dies over the commands$")
        vm.wait_for("^KOZO FAULT service shell: invalid opcode, at ip ")
        vm.wait_for("^KOZO FAILED: commands, expected the end of those in kozo.run, "
                    "got shell: invalid opcode")
        vm.expect_exit("failed")


def test_who_reads_the_kernels_log_takes_nothing_from_the_console(boot):
    """What a console that shows nothing was not told of, init says again in its place."""
    boot.set("service console", "binary", VICTIM)
    boot.set("service console", "args", "stay")
    add(boot, "lender", "thread-by-log", "log system", binary=VICTIM, threads="3", untyped="128K",
        memory="1M")
    add(boot, "reader", "read-kernel", "log system kernel-log", binary=VICTIM)
    with boot.start() as vm:
        vm.wait_for(r"^thread \d+ \(lender\) stopped: page fault at ")
        vm.expect_exit(5)
        assert "KOZO READY" in vm.text, vm.text


WC = r"^ +2 +9 +51 /etc/motd$"
SAID_NO = "who=asker .* the person at the console said no"
GREEDY = {"binary": "bin/greedy", "priority": "100", "requests": "fs", "memory": "1M",
          "untyped": "256K"}


def test_one_that_takes_all_it_can_get_harms_nobody_else(boot):
    add(boot, "warden", "greedy", WARDEN, requests="fs", priority="90", provides="keep")
    add(boot, "greedy", "take", "log system fs console:write policy keep", threads="12", **GREEDY)
    add(boot, "asker", "ask", "log system policy", **GREEDY)
    for name, decision in (("greedy", "allow"), ("warden", "allow"), ("asker", "ask")):
        boot.add(manifest.rule(f"{name}-{decision}", name, "fs:/etc/motd", "read", decision,
                               tier="low", lease_ms=1000))
    with boot.start() as vm:
        vm.wait_for("^KOZO READY$")
        vm.wait_for(r"\[warden\] ok and who asks, too")
        vm.send("\x15run wc /etc/motd; write /ram/begin it\r")
        vm.wait_for(WC)
        vm.wait_for(r"took 6 busy threads, 5 idle, \d+ grants, 8 objects, \d+ files at /ram, "
                    r"\d+ mappings, \d+ open files, \d+ of memory")
        vm.wait_for(r"\[warden\] all answer")
        next_word = r"allow\? y or n|asked \d+ times: its share of the audit is full"
        while "allow" in vm.wait_for(next_word).group():
            vm.send("n\r")
            vm.wait_for(SAID_NO)
        assert len(re.findall(SAID_NO, vm.text)) <= 6, "it was left in peace"
        vm.send("\x15echo the shell, too; run wc /etc/motd; ps; write /ram/enough it is\r")
        vm.wait_for("^the shell, too$")
        vm.wait_for(WC)
        vm.wait_for("^greedy +ready ")
        vm.wait_for(r"\[warden\] warden is done, 0 wrong")
        vm.expect_exit(0)
        assert re.search(r"denied: who=greedy and \d+ more since", vm.text), vm.text


def test_one_with_many_capabilities_to_threads_costs_who_looks_little(boot):
    add(boot, "hoard", "hoard", "log system keep", binary=VICTIM, threads="4", untyped="64K")
    add(boot, "warden", "hoard", WARDEN, provides="keep")
    watched(boot, extra=("-icount", "shift=0,sleep=off"))


def test_whatever_is_said_to_init_takes_nothing_of_it(boot):
    """63,000 messages by who is more urgent: all operations, versions, lengths, with capabilities,
    called and sent."""
    add(boot, "abuser", "abuse", "log system process", binary=VICTIM, threads="2", untyped="64K",
        priority="50")
    with boot.start() as vm:
        vm.wait_for("^KOZO READY$")
        vm.wait_for(r"\[abuser\] it took 0 slots and 0 capabilities$")
        vm.expect_exit(9)
        assert not re.search(r"KOZO FA|service (?!hello)\w+: ", vm.text), vm.text
        assert re.search(r"denied: who=abuser and \d+ more since", vm.text), vm.text


DIRECT_MAP, RAM = 0xffff_8000_0000_0000, 256 << 20


def spoil(vm, client, path):
    """Overwrite the first bytes of a file of the archive, where the loader has put that."""
    size = int(re.search(r"^initrd: (\d+) bytes", vm.text, re.M)[1])
    at = DIRECT_MAP + RAM - (size + (1 << 20) & -4096)
    while client.word_at(at).to_bytes(8, "little")[:6] != b"070701":
        at += 4096
    data = b""
    while (name := data.find(path.encode() + b"\0")) < 0:
        data += bytes.fromhex(client.ask(b"m%x,400" % (at + len(data))).decode())
    client.set_word(at + (name + len(path) + 1 + 3 & -4), 0)


def test_a_service_that_cannot_begin_again_leaves_time_to_others(boot):
    """Its binary is spoilt once it has been verified;
    with no backoff init would try it without a pause."""
    boot.set("service console", "restart_limit", "1000000")
    boot.set("service console", "restart_backoff_ms", "0")
    add(boot, "warden", "unable", WARDEN)
    with tempfile.TemporaryDirectory(prefix="kozo-gdb-") as folder:
        extra = ("-S", *gdb.arguments(f"{folder}/gdb"))
        with boot.start(extra=extra) as vm, gdb.connect(f"{folder}/gdb") as client:
            # of the first service
            client.run_to(symbols.addresses(boot.tree.kernel)["sys_thread_start"])
            spoil(vm, client, "bin/console")
            client.let_go()
            line = r"\[init\] service console: "
            vm.wait_for(rf"^{line}killed by warden; restart 1 of 1000000 in 0 ms$")
            vm.wait_for(rf"^(?:kozo> )?{line}start console, expected .*, got .*$")
            vm.wait_for(rf"^{line}it could not be started; restart 2 of 1000000 in 2000 ms$")
            vm.wait_for(r"^\[warden\] warden is done, 0 wrong$")
            vm.expect_exit(0)


@limit(480)
def test_a_thousand_crashes_leave_nothing_behind(boot):
    """A page fault ends each life, where the first thread stands;
    hello is the service of the demonstration."""
    services = ("fsd", "policy", "console", "shell", "hello")
    for name in services[:-1]:
        boot.set(f"service {name}", "restart_limit", "1000000")
        boot.set(f"service {name}", "restart_backoff_ms", "0")
    # of 4M: its pages are most of what a life of it costs
    boot.set("service fsd", "heap", "512K")
    add(boot, "warden", f"lives 1000 {' '.join(services)}", f"{WARDEN} policy-admin")
    text = watched(boot)
    for name in services:
        assert re.search(rf"1000 lives of {name} in \d+ ms", text), name
        assert re.search(
            rf"(?m)^(kozo> )?KOZO FAULT service {name}: page fault, jump to 0x4\w+ "
            rf"\(in the text of {name}\), at ip 0x4\w+, sp 0x2\w+, as warden wanted$", text), name
