# SPDX-License-Identifier: MIT
"""The demonstration, step by step; its outcome follows the archive; and no broken step gets
past."""

import os
import re
import subprocess

from kozo.harness import manifest
from kozo.harness.scripted import limit, on

CONF = "etc/kozo.conf"
OFF = 'kozo.run="poweroff"'
EMPTY = re.escape("no capability there (never given, deleted or revoked)")


def run(boot, append=OFF, **how):
    """Boot until the guest ends; its console's text."""
    with boot.start(append=append, **how) as vm:
        assert vm.wait() is not None, f"still running after {vm.limit:g} s"
        return vm.text


def good(boot, *wanted):
    """A boot that gets to READY, and has lines that match `wanted`, in this order."""
    with boot.start(append=OFF) as vm:
        for pattern in (*wanted, r"^boot: \d+ ms$", r"^KOZO READY$"):
            vm.wait_for(pattern)
        vm.expect_exit(0)
        assert "KOZO FAILED" not in vm.text
        assert vm.text.count("KOZO READY") == 1, "READY more than once"
        return vm.text


def broken(boot, step, expected, got, append=OFF, person=(), **how):
    """A boot that fails in `step`, for that reason, and never gets to READY. The texts are regular
    expressions.

    The person at the console says the words of `person`, one to each question.
    """
    with boot.start(append=append, **how) as vm:
        for word in person:
            vm.wait_for(r"^\[\?\] allow\? y or n, then Enter")
            vm.send(f"{word}\r")
        line = vm.wait_for(r"^(KOZO FAILED: .*)\n").group(1)
        vm.expect_exit("failed")
        assert re.fullmatch(f"KOZO FAILED: {step}, expected {expected}, got {got}", line), line
        assert "KOZO READY" not in vm.text, "READY all the same"
        assert vm.text.count("KOZO FAILED") == 1, "FAILED more than once"
        return vm.text


# ---- step by step ---------------------------------------------------------------------------

def test_hello_is_born_with_two_capabilities(boot):
    good(boot, r"^\[init\] step 1 of 6: capabilities: log policy$")


def test_policy_grants_read(boot):
    good(boot, r'^\[policy\] audit seq=1 at_ms=\d+ who=hello object="fs:/etc/motd" rights="read" '
               r'result=granted lease_ms=200 rule=motd why="to print it" '
               r'reason="\[rule motd\] allows read"',
         r"^\[init\] step 2 of 6: read is granted: read on fs:/etc/motd for 200 ms$")


def test_hello_prints_the_file(boot):
    text = good(boot, r"^\[init\] step 3 of 6: contents: \d+ bytes, sha256 [0-9a-f]{64}$")
    for line in boot.read("etc/motd").splitlines():
        assert f"[hello] {line}\n" in text, line


def test_a_copy_has_no_more_rights(boot):
    good(boot, r"^\[init\] step 4 of 6: no more rights: read$")


def test_policy_denies_write_with_reason_and_hint(boot):
    good(boot, r'^\[policy\] audit seq=\d+ at_ms=\d+ who=hello object="fs:/etc/motd" '
               r'rights="write" held="(?:read|none)" result=denied .* reason="[^"]+" '
               r'hint="[^"]+"$',
         r"^\[hello\] denied: no rule gives hello the right to write fs:/etc/motd$",
         r"^\[hello\] hint: \S.*$",
         r"^\[init\] step 5 of 6: write is denied: denied: ")


def test_the_lease_runs_out(boot):
    good(boot, r'^\[policy\] audit seq=\d+ at_ms=\d+ who=hello .* result=expired lease_ms=200 ',
         rf"^\[hello\] reading after the lease: {EMPTY}$",
         rf"^\[init\] step 6 of 6: lease is over: {EMPTY}$")


@on(cpu=("qemu64", "max"), machine=("pc", "q35"), memory=("64M", "1G"))
def test_ready_on(boot):
    good(boot)


def test_ready_without_commands_and_it_stays(boot):
    with boot.start() as vm:
        vm.wait_for("^KOZO READY$")
        assert vm.qmp("query-status")["running"]


def test_all_bytes_of_the_console_are_text(boot):
    run(boot).encode("ascii")


# ---- the outcome follows the archive ----------------------------------------------------------

def move_file(boot, name, contents):
    boot.remove("etc/motd")
    boot.write(name, contents)
    boot.set("service hello", "args", f"/{name}")
    boot.set("rule motd", "object", f"fs:/{name}")


def test_another_file(boot):
    move_file(boot, "srv/some/greeting.txt", "Good morning.\n")
    good(boot, r"^\[hello\] Good morning\.$")


def test_other_contents(boot):
    boot.write("etc/motd", "Gr\u00fc\u00dfe\nwithout a line end")
    text = good(boot, r"^\[hello\] without a line end$")
    assert "[hello] Gr\u00fc\u00dfe\n" in text


def test_contents_that_would_drive_a_terminal(boot):
    boot.write("etc/motd", b"\x1b[2J\x00\x07\xff\xc2\x9b1m\r\n")
    good(boot, r"^\[hello\] \?\[2J\?\?\?\?\?1m\?$")


def test_an_empty_file(boot):
    boot.write("etc/motd", "")
    good(boot, r"contents: 0 bytes, sha256 e3b0c442")


def test_a_long_file(boot):
    boot.write("etc/motd", b"0123456789abcde\n" * 10000)
    boot.set("rule motd", "lease_ms", "2000")
    good(boot, r"contents: 65536 bytes, sha256 ")


def test_another_lease(boot):
    boot.set("rule motd", "lease_ms", "700")
    text = good(boot, r"read on fs:/etc/motd for 700 ms$")
    at = [int(t) for t in re.findall(r"at_ms=(\d+) .* result=(?:granted|expired) ", text)]
    assert len(at) >= 2 and at[1] - at[0] >= 699, at


def test_a_pattern_allows_too(boot):
    boot.set("rule motd", "object", "fs:/etc/*")
    good(boot, r"read on fs:/etc/motd for 200 ms$")


def test_a_rule_denies_in_its_own_words(boot):
    boot.add(manifest.rule("no", "*", "fs:/etc/motd", "write", "deny",
                           reason="the message of the day is not yours", hint="ask its author"))
    good(boot, r"^\[hello\] denied: the message of the day is not yours$",
         r"^\[hello\] hint: ask its author$")


def test_what_needs_consent_is_denied_without_a_console(boot):
    boot.set("rule motd", "rights", "read write")
    boot.set("rule motd", "tier", None)
    good(boot, r"^\[hello\] denied: .*commands come from kozo\.run, nobody is at the terminal$")


def test_what_does_not_reach_its_requester_is_taken_back(boot):
    play(boot, "no-window")
    good(boot, r"^\[policy\] audit seq=\d+ .* result=released "
               r'.* reason="it did not reach its requester"')


def test_services_in_any_order(boot):
    parts = re.split(r"(?m)^(?=\[)", boot.read(CONF))
    head, sections = parts[0], parts[1:]
    boot.write(CONF, head + "".join(reversed(sections)))
    good(boot)


# ---- archives ----------------------------------------------------------------------------------

def cpio(boot, names):
    """The archive that `names | cpio -o -H newc` makes."""
    filled = boot.pack()    # with the hashes; unpacked again beside the files
    tree = boot.root.parent / "plain"
    tree.mkdir()
    with open(filled, "rb") as f:
        subprocess.run(["cpio", "-id", "--quiet"], stdin=f, cwd=tree, check=True)
    listed = subprocess.run(names, cwd=tree, stdout=subprocess.PIPE, check=True).stdout
    out = boot.root.parent / "plain.cpio"
    with open(out, "wb") as f:
        subprocess.run(["cpio", "-o", "-H", "newc", "--quiet"], input=listed, stdout=f, cwd=tree,
                       check=True)
    return out


def good_archive(boot, archive):
    with boot.start(append=OFF, initrd=archive) as vm:
        vm.wait_for("^KOZO READY$")
        vm.expect_exit(0)


def test_an_archive_made_by_find_and_cpio(boot):
    good_archive(boot, cpio(boot, ["find", "."]))


def test_an_archive_without_directories(boot):
    good_archive(boot, cpio(boot, ["find", ".", "-type", "f"]))


def test_an_archive_with_links(boot):
    os.link(boot.path("etc/motd"), boot.path("etc/motd-too"))
    boot.path("etc/motd-link").symlink_to("motd")
    good(boot)


def test_a_hard_linked_file_is_read_under_its_first_name(boot):
    boot.write("etc/z", "shared bytes\n")
    boot.remove("etc/motd")
    os.link(boot.path("etc/z"), boot.path("etc/motd"))
    good_archive(boot, cpio(boot, ["find", "etc", "bin"]))


def test_thousands_of_files(boot):
    for i in range(5000):
        boot.write(f"data/{i % 50}/{i}", f"{i}\n")
    boot.set("service hello", "args", "/data/49/4999")
    boot.set("rule motd", "object", "fs:/data/*")
    good(boot, r"^\[hello\] 4999$")


def test_files_of_many_megabytes(boot):
    boot.write("a/big", os.urandom(1 << 20) * 24)
    boot.write("z/big", os.urandom(1 << 20) * 8)
    good(boot)


# ---- nothing broken gets past -------------------------------------------------------------------

def test_broken_capabilities(boot):
    boot.set("service hello", "capabilities", "log policy fs")
    broken(boot, "capabilities", "log policy", "log policy fs")


def test_broken_grant_by_rule(boot):
    boot.set("rule motd", "decision", "deny")
    broken(boot, "read is granted", "read on fs:/etc/motd", r"denied: \[rule motd\] denies read")


def test_broken_grant_without_rule(boot):
    boot.set("rule motd", "object", "fs:/etc/other")
    broken(boot, "read is granted", "read on fs:/etc/motd",
           "denied: no rule gives hello the right to read fs:/etc/motd")


def test_broken_grant_for_another_service(boot):
    boot.set("rule motd", "subject", "fsd")
    broken(boot, "read is granted", "read on fs:/etc/motd", "denied: no rule gives hello .*")


def test_broken_grant_not_requested(boot):
    boot.set("service hello", "requests", None)
    broken(boot, "read is granted", "read on fs:/etc/motd",
           "denied: hello may not ask for what fs provides")


def test_broken_grant_by_tier(boot):
    boot.set("rule motd", "tier", "medium")
    broken(boot, "read is granted", "read on fs:/etc/motd",
           r"denied: tier medium needs .*: commands come from kozo\.run, nobody is at the terminal")


def test_broken_file_missing(boot):
    boot.remove("etc/motd")
    broken(boot, "read is granted", "read on fs:/etc/motd", "no such name")


def test_broken_file_is_a_link(boot):
    boot.remove("etc/motd")
    boot.path("etc/motd").symlink_to("kozo.conf")
    broken(boot, "read is granted", "read on fs:/etc/motd",
           "not the type of file the operation needs")


def test_broken_file_is_a_directory(boot):
    boot.remove("etc/motd")
    boot.write("etc/motd/file", "x")
    broken(boot, "contents", "0 bytes, sha256 [0-9a-f]+",
           "not the type of file the operation needs")


def test_broken_denial(boot):
    # no rule lets it be written without a person's word
    boot.set("rule motd", "rights", "read write")
    boot.set("rule motd", "lease_ms", "60000")
    broken(boot, "write is denied", "denied, with reason and hint", "read-only",
           append="kozo.exit_on_fail",
           person=["y"])


def test_broken_lease(boot):
    boot.set("rule motd", "lease_ms", "60000")
    boot.set("init", "demo_seconds", "5")
    broken(boot, "lease is over", EMPTY, "nothing within 5 s")


def play(boot, how):
    """Put a program in hello's place that does not do as it should."""
    boot.set("service hello", "binary", "bin/rogue")
    boot.set("service hello", "args", f"/etc/motd {how}")


def test_the_rogue_can_behave(boot):
    play(boot, "honest")
    good(boot)


def test_what_a_lease_was_too_short_for_begins_again(boot):
    play(boot, "dawdle")
    boot.set("rule motd", "lease_ms", "1000")
    good(boot, r"^\[init\] step 2 of 6: read is granted: ", r"result=expired",
         r"^\[init\] step 3 of 6: contents: the lease was over before; again from step 2$",
         r"^\[init\] step 2 of 6: read is granted: ", r"^\[init\] step 3 of 6: contents: \d+ bytes")


def test_broken_order(boot):
    play(boot, "skip-born")
    broken(boot, "capabilities", "this step", "step read is granted")


def other_bytes_printed(boot):
    broken(boot, "contents", r"\d+ bytes, sha256 \w+",
           r".*, but other bytes printed than the archive has")


def test_broken_contents_not_printed(boot):
    play(boot, "print-nothing")
    other_bytes_printed(boot)


def test_broken_contents_other_printed(boot):
    play(boot, "print-else")
    other_bytes_printed(boot)


def test_broken_contents_more_printed(boot):
    play(boot, "print-more")
    other_bytes_printed(boot)


def test_broken_rights(boot):
    play(boot, "more-rights")
    broken(boot, "no more rights", "read", "read write")


def test_broken_denial_never_asked_for(boot):
    play(boot, "never-asked")
    broken(boot, "write is denied", "denied, with reason and hint",
           "denied: because, but no such denial in policy's audit")


def test_broken_denial_with_another_reason(boot):
    play(boot, "other-reason")
    broken(boot, "write is denied", "denied, with reason and hint",
           "denied: out of spite, but another reason than policy's audit gives")


def test_broken_end_that_is_none(boot):
    play(boot, "early")
    boot.set("rule motd", "lease_ms", "60000")
    broken(boot, "lease is over", EMPTY, f"{EMPTY}, but no such end in policy's audit")


def test_broken_by_a_fault(boot):
    play(boot, "crash")
    text = broken(boot, "ready hello", "a report that it is ready",
                  r"page fault, write to 0x8 \(a null pointer\), at ip 0x4\w+, sp 0x2\w+")
    assert re.search(r"^KOZO FAULT service hello: page fault, write to 0x8 ", text, re.M)


def test_broken_by_a_late_fault(boot):
    play(boot, "crash-late")
    broken(boot, "capabilities", "log policy", "page fault, write to 0x8 .*")


def serve_badly(boot, how):
    boot.set("service fsd", "binary", "bin/rogue")
    boot.set("service fsd", "args", f"/ {how}")
    boot.set("service fsd", "restart", "never")


def test_broken_by_a_fault_of_a_server(boot):
    serve_badly(boot, "crash-late")
    broken(boot, "services", "none that fails", "fsd: page fault, write to 0x8 .*")


def test_broken_by_a_server_that_does_not_answer(boot):
    serve_badly(boot, "hang")
    broken(boot, "read is granted", "read on fs:/etc/motd", "deadline passed")


def wakes_clients(boot, how, error):
    serve_badly(boot, how)
    with boot.start() as vm:
        vm.wait_for("^KOZO FAILED: services, expected none that fails, "
                    "got fsd: page fault, write to 0x8 ")
        vm.wait_for(rf'^\[policy\] audit seq=1 .* result=failed .* reason="{error}" ')


def test_a_server_that_dies_wakes_who_waits_for_it(boot):
    wakes_clients(boot, "crash-soon", "the other side is gone")


def test_a_server_that_dies_over_a_call_wakes_its_caller(boot):
    wakes_clients(boot, "crash-on-call",
                  "the (other side is gone|server took the call and will never answer it)")


def test_a_fault_after_ready_ends_that_service_alone(boot):
    boot.add(manifest.service("late", "bin/rogue", args="/ crash-by-nmi",
                              capabilities="log kernel-log"))
    with boot.start() as vm:
        vm.wait_for("^KOZO READY$")
        vm.qmp("inject-nmi")
        vm.wait_for("^KOZO FAULT service late: page fault, write to 0x8 ")
        assert vm.qmp("query-status")["running"]
        assert "KOZO FAILED" not in vm.text and "KOZO PANIC" not in vm.text


def test_broken_by_an_exit(boot):
    play(boot, "exit")
    broken(boot, "ready hello", "a report that it is ready", "it ended with status 1")


def test_broken_by_a_late_exit(boot):
    play(boot, "exit-late")
    broken(boot, "contents", r"\d+ bytes, sha256 \w+", "it ended with status 1")


def test_broken_by_silence(boot):
    play(boot, "silent")
    boot.set("init", "ready_seconds", "5")       # enough for all others, on any machine
    broken(boot, "ready hello", "a report that it is ready", "nothing within 5 s")


# ---- what cannot be started -------------------------------------------------------------------

def test_wrong_hash(boot):
    boot.set("service fsd", "sha256", "0" * 64)
    broken(boot, "start fsd", f"bin/fsd with sha256 {'0' * 64}", "sha256 [0-9a-f]{64}")


def test_changed_binary(boot):
    archive = boot.pack()
    data = archive.read_bytes()
    image = boot.path("bin/policy").read_bytes()
    at = data.index(image) + len(image) // 2
    archive.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1:])
    with boot.start(append=OFF, initrd=archive) as vm:
        vm.wait_for("^KOZO FAILED: start policy, expected bin/policy with sha256 [0-9a-f]{64}, "
                    "got sha256 ")
        vm.expect_exit("failed")
        assert "KOZO READY" not in vm.text


def test_missing_binary(boot):
    boot.set("service fsd", "sha256", "0" * 64)
    boot.remove("bin/fsd")
    broken(boot, "start fsd", "bin/fsd in the archive", "no such file")


def test_binary_that_is_no_program(boot):
    boot.write("bin/hello", "#!/bin/sh\necho hello\n" * 100)
    broken(boot, "start hello", ".*", "bin/hello: .* at byte 0 is .*")


def test_too_little_memory(boot):
    boot.set("service hello", "memory", "64K")
    broken(boot, "start hello",
           r"memory that holds: binary \d+ KiB, heap 16 KiB, stack 32 KiB, untyped 0 KiB, "
           "page tables",
           r"memory = 64 KiB, which is used up at: \w+")


def test_more_memory_than_there_is(boot):
    boot.set("service hello", "memory", "1G")
    broken(boot, "start hello", "the memory of its section, 1048576 KiB",
           r"not enough memory .*: the largest piece left has \d+ KiB")


def test_more_threads_than_there_are(boot):
    boot.set("service hello", "threads", "4096")
    broken(boot, "start hello", "the threads of its section, 4096",
           r"thread pool exhausted: \d+ are left")


def test_no_manifest(boot):
    boot.remove(CONF)
    broken(boot, "manifest", "etc/kozo.conf in the archive", "no such file")


def test_malformed_manifest(boot):
    boot.set("service fsd", "priority", "urgent")
    line = boot.read(CONF).split("priority = urgent")[0].count("\n") + 1
    broken(boot, "manifest", "a number from 1, the most urgent, to 254",
           rf"etc/kozo.conf:{line}: priority = urgent")


def test_malformed_manifest_that_would_drive_a_terminal(boot):
    boot.write(CONF, boot.read(CONF) + "\x1b[2Jcolour = \x1b[31mred\n")
    broken(boot, "manifest", "a field of a rule: subject, object, .*",
           r"etc/kozo.conf:\d+: \?\[2Jcolour = \?\[31mred")


def test_unfilled_hash(boot):
    broken(boot, "manifest", ".*mkconf.py.*", r"etc/kozo.conf:\d+: sha256 = auto", hashes=False)


def test_lease_above_what_the_tier_allows(boot):
    boot.set("rule motd", "lease_ms", "3600001")
    broken(boot, "manifest", "milliseconds, from 1 to 3600000",
           r"etc/kozo.conf:\d+: lease_ms = 3600001")


def test_no_policy(boot):
    text = boot.read(CONF)
    boot.write(CONF, re.sub(r"(?ms)^\[service policy\].*?(?=^# Files)", "", text))
    broken(boot, "manifest", "log, initrd, .*", r"etc/kozo.conf:\d+: capabilities = policy")


@limit(30)
def test_an_index_that_does_not_fit(boot):
    boot.set("service fsd", "restart", "never")
    for i in range(2000):
        boot.write(f"data/{i}", "")
    boot.set("service fsd", "heap", "64K")
    boot.set("service fsd", "restart", "never")
    text = broken(boot, "ready fsd", "a report that it is ready", "it ended with status 1")
    assert re.search(r"^\[fsd\] fsd: an index of \d+ files needs \d+ KiB: "
                     r"give \[service fsd\] more heap$", text, re.M)


# ---- commands ----------------------------------------------------------------------------------

def test_poweroff_carries_a_status(boot):
    with boot.start(append='kozo.run="poweroff 42"') as vm:
        vm.expect_exit(42)


def test_the_end_of_the_list_powers_off(boot):
    with boot.start(append='kozo.run=" ; "') as vm:
        vm.expect_exit(0)


def test_an_unknown_command_is_an_error(boot):
    with boot.start(append='kozo.run="dance wildly"') as vm:
        vm.wait_for("^KOZO READY$")
        vm.wait_for(r"^\[(init|shell)\] error: dance: no such command")
        vm.expect_exit(1)


def test_poweroff_carries_the_status_of_the_command_before(boot):
    with boot.start(append='kozo.run="dance; poweroff"') as vm:
        vm.expect_exit(1)


def test_a_failed_start_ends_only_where_it_is_told_to(boot):
    boot.set("rule motd", "decision", "deny")
    with boot.start() as vm:
        vm.wait_for("^KOZO FAILED: ")
        assert vm.qmp("query-status")["running"]
    with boot.start(append="kozo.exit_on_fail") as vm:
        vm.expect_exit("failed")
