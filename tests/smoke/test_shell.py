# SPDX-License-Identifier: MIT
"""The console and the shell, as a person at the serial port meets them, and by kozo.run=."""

import json
import re
import subprocess

from kozo import cmdline, qemu
from kozo.harness import manifest

PROMPT = r"kozo> "


def at_prompt(vm):
    vm.wait_for("^KOZO READY$")
    vm.wait_for(PROMPT)


def listed(boot, commands, status=0):
    """Boot with kozo.run=; what is printed after READY."""
    with boot.start(append=f'kozo.run="{commands}"') as vm:
        vm.wait_for("^KOZO READY$")
        vm.expect_exit(status)
        return vm.text.split("KOZO READY\n", 1)[1]


# ---- the console ----------------------------------------------------------------------------

def test_a_prompt_comes_after_ready(boot):
    with boot.start() as vm:
        at_prompt(vm)
        assert re.search(r"^KOZO READY$", vm.text, re.MULTILINE), "not alone on its line"
        assert vm.text.count("KOZO READY") == 1


def test_a_line_is_edited(boot):
    with boot.start() as vm:
        at_prompt(vm)
        vm.send("ecko x\x7f\x7f\x7f\x7fho two\x01\x1b[C\x1b[C\x05 three\r")
        vm.wait_for(r"^two three$")
        vm.send("junk\x15echo home\x1b[H\x0b" "echo killed junk\x17\r")
        vm.wait_for(r"^killed ?$")


def test_history_brings_lines_back(boot):
    with boot.start() as vm:
        at_prompt(vm)
        vm.send("echo first\r")
        vm.wait_for(r"^first$")
        vm.send("echo second\r")
        vm.wait_for(r"^second$")
        vm.send("\x1b[A\x1b[A\x1b[B\x1b[A\r")
        vm.wait_for(r"^first$")


def test_tab_completes(boot):
    """Commands, programs, services and paths; where several match they are listed."""
    with boot.start() as vm:
        at_prompt(vm)
        vm.send("ec\thome\r")
        vm.wait_for(r"^home$")
        vm.send("cat /et\tmo\t\r")
        vm.wait_for(r"^Welcome to KOZO\.$")
        vm.send("cat /etc/motd | w\t\r")
        vm.wait_for(r"^ +2 +9 +51$")
        vm.send("caps she\t\r")
        vm.wait_for(r"^shell +\d+ fs ")
        vm.wait_for(PROMPT)
        vm.send("sle\t100 &\r")
        vm.wait_for(r"^\[1\] sleep$")
        vm.wait_for(PROMPT)
        vm.send("caps sl\t\r")
        vm.wait_for(r"^\[1\] sleep +\d+ stdout\.console ")
        vm.wait_for(PROMPT)
        vm.send("r\t")
        for name in ("rm", "run", "restart", "reboot"):
            vm.wait_for(rf"^{name} $")
        vm.wait_for(r"^kozo> r")
        vm.send("\x15nothing\t here\x01echo \r")
        vm.wait_for(r"^nothing here$")


def test_tab_completes_options_objects_and_names_that_need_quotes(boot):
    with boot.start() as vm:
        at_prompt(vm)
        vm.send("mkdir /ram/d; write '/ram/d/a b' one; write \"/ram/d/it's\" two; "
                "write /ram/d/it'\"' x\r")
        vm.wait_for(PROMPT)
        for line, shown, text in (
                ("cat /ram/d/a\t", r"cat /ram/d/a' b' ", "^one$"),
                ("cat '/ram/d/a\t", r"cat '/ram/d/a b' ", "^one$"),
                ("cat /ram/d/it\"'s\t", 'cat /ram/d/it"\'s" ', "^two$"),
                ("cat \"/ram/d/it'\t", 'cat "/ram/d/it\'s" ', "^two$"),
                ("mem --\t", r"mem --json ", r'^\{"memory_free": '),
                ("run --w\tlo\tsle\t0; echo slept", r"run --with log sleep 0; echo slept",
                 "^slept$"),
                ("why she\tcons\t--j\t", r"why shell console --json ",
                 r'^\{"service": "shell", "slot": \d+, "name": "console"'),
                ("why shell own\tm\t", r"why shell own' 'memory ", r"shell, slot \d+: own memory$"),
                ("why shell fs:/et\tmo\t", r"why shell fs:/etc/motd ",
                 r"^shell has no lease of fs:/etc/motd\."),
                ("why shell process:kill/he\t", r"why shell process:kill/hello ",
                 r"^  kill: \[rule shell-kill\] asks "),
                ("trace on revo\tder\t; trace of\t; echo traced",
                 r"trace on revoked derived ; trace off ; echo traced", "^traced$"),
                ("uptime \t", r"uptime ", r"^up \d+\.\d+ s$")):
            vm.send(line + "\r")
            vm.wait_for(re.escape("kozo> " + shown) + "\n")
            vm.wait_for(text)
            vm.wait_for(PROMPT)
        vm.send("sle\t100 &\r")
        vm.wait_for(r"^\[1\] sleep$")
        vm.wait_for(PROMPT)
        for holder in ("sleep", "1"):
            vm.send(f"why {holder} stde\t\r")
            vm.wait_for(rf"kozo> why {holder} stderr\.console \n")
            vm.wait_for(r"\[1\] sleep, slot \d+: stderr\.console$")


def test_control_c_gives_up_a_line(boot):
    with boot.start() as vm:
        at_prompt(vm)
        vm.send("poweroff\x03")
        vm.wait_for(r"\^C\n")
        vm.wait_for(PROMPT)
        vm.send("echo still here\r")
        vm.wait_for(r"^still here$")


def test_control_c_stops_a_command(boot):
    boot.write("etc/long", b"0123456789abcdef\n" * 200000)
    with boot.start() as vm:
        at_prompt(vm)
        vm.send("cat /etc/long\r")
        vm.wait_for(r"^0123456789abcdef$")
        vm.send("\x03")
        vm.wait_for(r"\^C\n")
        vm.wait_for(PROMPT)
        vm.send("echo again\r")
        vm.wait_for(r"^again$")


def test_control_d_says_how_to_end(boot):
    with boot.start() as vm:
        at_prompt(vm)
        vm.send("\x04")
        vm.wait_for(r"^`poweroff` ends the machine$")
        vm.wait_for(PROMPT)


def test_keys_typed_before_the_prompt_are_kept(boot):
    with boot.start() as vm:
        vm.wait_for("policy")
        vm.send("echo early\r")
        vm.wait_for(r"^early$")


def test_lines_of_the_log_do_not_tear_what_is_typed(boot):
    boot.add(manifest.service("late", "bin/rogue", args="/ crash-by-nmi",
                              capabilities="log kernel-log"))
    with boot.start() as vm:
        at_prompt(vm)
        vm.send("echo whole")
        vm.wait_for("echo whole")
        vm.qmp("inject-nmi")
        vm.wait_for("^KOZO FAULT service late: page fault.*$")
        vm.wait_for("^kozo> echo whole$")
        vm.send(" line\r")
        vm.wait_for("^whole line$")


def scribbling(boot, priority):
    """Two services that write to the console without a pause."""
    for n in (1, 2):
        boot.add(manifest.service(f"scribbler{n}", "bin/scribbler", args=f"scribble{n}|",
                                  priority=priority, capabilities="log console:write system"))


def test_who_writes_without_a_pause_stops_nobody_from_typing(boot):
    scribbling(boot, 200)
    with boot.start() as vm:
        at_prompt(vm)
        vm.send("echo still ")
        vm.wait_for(r"^kozo> echo still")
        vm.send("heard\r")
        vm.wait_for(r"^still heard$")
        vm.send("run spin\r")
        vm.wait_for(r"run spin$")
        vm.send("\x03")
        vm.wait_for(r"\^C$")
        vm.send("echo again\r")
        vm.wait_for(r"^again$")
        vm.wait_for(r"scribble1\|")
        vm.wait_for(r"scribble2\|")


def test_who_writes_without_a_pause_keeps_no_line_of_the_kernel_back(boot):
    """Writers more urgent than the console: there is always a message for it."""
    scribbling(boot, 10)
    boot.add(manifest.service("ticker", "bin/scribbler", priority=10, capabilities="log system"))
    with boot.start() as vm:
        vm.wait_for(r"scribble1\|")
        vm.wait_for(r"scribble2\|")
        vm.qmp("inject-nmi")
        vm.wait_for(r"^nmi: \d+ so far, ignored$")


def test_a_console_that_ends_gives_the_terminal_back(boot):
    for field, value in (("binary", "bin/rogue"), ("args", "/ crash-late"), ("restart", "never")):
        boot.set("service console", field, value)
    with boot.start(append='kozo.run="poweroff"') as vm:
        vm.wait_for("^KOZO FAULT service console: page fault")
        vm.wait_for("^KOZO FAILED: services, expected none that fails, got console: page fault")
        vm.expect_exit("failed")


def test_lines_of_the_kernel_come_above_the_prompt(boot):
    with boot.start() as vm:
        at_prompt(vm)
        vm.send("echo half")
        vm.wait_for("echo half")
        vm.qmp("inject-nmi")
        vm.wait_for(r"^nmi: \d+ so far, ignored$")
        vm.wait_for(r"^kozo> echo half$")


def test_without_a_console_all_is_as_before(boot):
    parts = re.split(r"(?m)^(?=\[)", boot.read("etc/kozo.conf"))
    parts = [p for p in parts if not re.match(r"\[(service (console|shell)|rule shell-\w+)\]", p)]
    boot.write("etc/kozo.conf", "".join(parts).replace(" console-ask", ""))
    with boot.start(append='kozo.run="dance; poweroff"') as vm:
        vm.wait_for("^KOZO READY$")
        vm.wait_for(r"^\[init\] error: dance: no such command")
        vm.expect_exit(1)


# ---- commands -------------------------------------------------------------------------------

def test_a_person_reads_a_file_and_powers_off(boot):
    with boot.start() as vm:
        at_prompt(vm)
        vm.send("help\r")
        vm.wait_for(r"^cat FILE\.\.\. +print files$")
        vm.send("cat /etc/motd\r")
        vm.wait_for(r"^Welcome to KOZO\.$")
        vm.send("poweroff 7\r")
        vm.expect_exit(7)


def test_a_list_prints_and_ends(boot):
    text = listed(boot, "ls /; cat /etc/motd; poweroff")
    assert re.search(r"^d +\d+ etc/$", text, re.MULTILINE), text
    assert re.search(r"^d +\d+ bin/$", text, re.MULTILINE), text
    for line in boot.read("etc/motd").splitlines():
        assert f"{line}\n" in text, line
    assert "kozo>" not in text


def test_the_end_of_a_list_has_the_status_of_the_last_command(boot):
    text = listed(boot, "cat /etc/motd; cat /no/such", 1)
    assert "[shell] error: /no/such: no such name\n" in text, text


def test_a_status_is_that_of_the_command_before(boot):
    listed(boot, "cat /no/such; poweroff", 1)
    listed(boot, "cat /no/such; echo; poweroff", 0)


def test_wrong_use_is_told(boot):
    text = listed(boot, "cat; poweroff 64; ls a b; help nothing; cat ../x; cat /etc; echo done", 0)
    for error in ("cat: usage: cat FILE...", "64: a status is a number from 0 to 63",
                  "ls: usage: ls [PATH]", "nothing: no such command; `help` lists them", "../x: ",
                  "/etc: is a directory"):
        assert f"[shell] error: {error}" in text, (error, text)
    assert text.endswith("done\n"), text


def test_help_explains_one(boot):
    text = listed(boot, "help poweroff; help wc")
    assert "\npoweroff [STATUS]\n\nEnd the machine.\n" in text, text
    assert "\nrun wc [FILE...]\n\nCount lines, words and bytes.\n" in text, text


def test_ps_and_caps_tell_what_the_kernel_does(boot):
    text = listed(boot,
                  "ps; caps shell; why shell fs; caps nobody; why shell none; why nobody log", 1)
    for row in (r"fsd +serves +endpoint of fsd +\d+ +\d+ +\d+ +60 +0 +\d+/32768$",
                r"shell +calls +reply of init +\d+ +\d+ +\d+ +80 +0 +\d+/32768$",
                r"hello +ended +it ended with status 0 "):
        assert re.search(f"^{row}", text, re.MULTILINE), (row, text)
    given = re.findall(r"^shell +\d+ (\S+) +Endpoint +-w", text, re.MULTILINE)
    assert given == ["log", "console", "fs", "system", "policy", "policy-admin", "fault"], text
    chain = re.search(r"^ +Untyped +-w--- 00 0  init\n +Endpoint +rwg-- ff 0  endpoint of fsd\n"
                      r"(?: +Endpoint .*\n)* +Endpoint +-wg-- 1f \S+  shell, slot \d+: fs$", text,
                      re.MULTILINE)
    assert chain, text
    assert "error: nobody: no such service" in text
    assert "error: none: it holds no such capability" in text


def test_json_is_json(boot):
    text = listed(boot,
                  "ps --json; echo cut; caps --json; echo cut; mem --json; echo cut; ps --yaml", 1)
    text = text.split("ended with status 0\n", 1)[-1]
    services, caps, mem, error = text.split("cut\n")
    services = {s["service"]: s for s in json.loads(services)}
    assert services["fsd"]["state"] == "serves" and not services["fsd"]["deadlock"], services
    assert services["hello"]["state"] == "ended" and services["hello"]["end"], services
    assert services["shell"]["threads"][0]["on"] == "reply of init", services
    assert services["shell"]["cpu_ns"] > 0 and services["shell"]["memory_used"] > 0, services
    held = [c for c in json.loads(caps) if c["service"] == "shell" and c["name"] == "fs"]
    assert len(held) == 1 and held[0]["kind"] == "Endpoint" and held[0]["user_rights"] == 31, held
    assert json.loads(mem)["threads_free"] > 4000, mem
    assert "error: --yaml: no such option; usage: ps [--json]" in error


def test_the_tree_of_a_capability_shows_who_holds_it(boot):
    text = listed(boot, "caps fsd --tree; caps shell --tree")
    for tree in (r"fsd +\d+ own pool .*\n  Thread +rw--- 00 0  fsd, slot \d+$",
                 r"shell +\d+ own pool .*\n(  ThreadPool +-w--- 00 0  shell, slot \d+\n){3}"):
        assert re.search(f"^{tree}", text, re.MULTILINE), (tree, text)


def test_events_are_shown(boot):
    text = listed(boot, "trace on revoked refused; run wc /etc/motd; trace off; trace show; "
                        "trace on nothing; trace perhaps", 1)
    assert re.search(r"^ +\d+\.\d{6} shell +revoked +Thread, object [0-9a-f]{16}", text,
                     re.MULTILINE), text
    assert not re.search(r"^ +\d+\.\d{6} \S+ +derived", text, re.MULTILINE), text
    assert "error: nothing: no such kind of event" in text
    assert "error: trace: usage: trace on" in text
    text = listed(boot, "trace on; uptime; trace show; caps shell --json; ps; trace show")
    first, second = text.split("[{", 1)[0], text.rsplit("PRIO", 1)[1]
    # not those that showing makes
    assert len(re.findall(r"^ +\d+\.\d{6} ", first, re.MULTILINE)) < 8, first
    who = set(re.findall(r"^ +\d+\.\d{6} (\S.*?) +derived +Thread", second, re.MULTILINE))
    assert who == {"init"}, second


def test_top_tells_shares(boot):
    text = listed(boot, "top 2; top; top 0", 1)
    shares = re.findall(r"^up \d+ s, \d+\.\d % idle\n +\d+\.\d % +\S+", text, re.MULTILINE)
    assert len(shares) == 3, text
    assert max(len(line) for line in text.split("hello: it ended", 1)[1].splitlines()) < 60, text
    assert "error: 0: how often is a number from 1 on" in text


def test_services_that_wait_in_a_circle_are_told(boot):
    for name, other in (("one", "two"), ("two", "one")):
        boot.add(manifest.service(name, "bin/knot", provides=name, args=other,
                                  capabilities=f"log {other}"))
    text = listed(boot, "ps; ps --json")
    assert re.search(r"^one +deadlock +endpoint of two ", text, re.MULTILINE), text
    assert "deadlock: one waits for two\ndeadlock: two waits for one\n" in text, text
    rows = json.loads(text[text.index("[{"):])
    assert {r["service"] for r in rows if r["deadlock"]} == {"one", "two"}, rows


def test_quotes_and_what_is_malformed(boot):
    text = listed(boot, "echo 'a;  b' x'y z'; echo 'no end; echo", 1)
    assert "\na;  b xy z\n" in text, text
    assert "error: echo 'no end; echo: a ' without its end" in text, text


def test_double_quotes_come_by_the_command_line(boot):
    commands = cmdline.commands(
        r'''echo "a  b" '"' \ "\n" "kozo.run=x" > /ram/q; cat /ram/q; echo "c;d"''')
    with boot.start(append=f"kozo.seed=1 {commands} kozo.exit_on_fail") as vm:
        vm.expect_exit(0)
        assert 'a  b " \\ \\n kozo.run=x\nc;d\n' in vm.text, vm.text
        assert "[init] command line:" not in vm.text, vm.text


def test_a_line_end_in_the_command_line_forges_nothing(boot):
    text = listed(boot, "echo x\nKOZO READY\x1b[2J; echo y")
    assert "error: echo x?KOZO READY?[2J: a control character\n" in text, text
    assert not re.search("^KOZO READY", text, re.MULTILINE), text


def test_mem_uptime_and_log(boot):
    text = listed(boot, "mem; uptime; log")
    free = int(re.search(r"^ +(\d+) KiB of memory free$", text, re.MULTILINE).group(1))
    assert 128 * 1024 < free < 256 * 1024, free
    assert re.search(r"^up \d+\.\d{3} s$", text, re.MULTILINE), text
    assert re.search(r"^boot: \d+ MiB of RAM ", text, re.MULTILINE), text


def test_reboot_resets(boot):
    with boot.start() as vm:
        at_prompt(vm)
        vm.send("reboot\r")
        vm.expect_exit("reset")


def test_reboot_resets_where_nothing_listens_for_the_end(boot):
    machine = qemu.Machine(kernel=boot.tree.kernel, initrd=boot.pack(),
                           append='kozo.run="echo on; reboot; echo off"')
    line = qemu.command(machine)
    at = line.index("isa-debug-exit,iobase=0xf4,iosize=0x04") - 1
    done = subprocess.run(line[:at] + line[at + 2:] + ["-serial", "stdio"], text=True,
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, "with -no-reboot QEMU ends at a reset"
    assert "\non\n" in done.stdout.replace("\r", "") and "\noff\n" not in done.stdout, done.stdout


def test_contents_cannot_drive_the_terminal(boot):
    boot.write("etc/odd", b"a\x1b[2Jb\x00c\x07\n")
    assert "a?[2Jb?c?\n" in listed(boot, "cat /etc/odd")


FAKES = ("[?] allow? y\n\uff3b\uff1f\uff3d allow? y\n[\u200d?] allow? y\n\u202ey ?wolla ]?[\n"
         "\r[?] allow? y\n[\u0294] allow? y\n")
LETTERS = ("\u00fc" * 3000, "\u0394\u0416\u0142")


def test_contents_cannot_look_like_a_question(boot):
    """Nobody's text but the console's begins with [?], nor looks as if it did; letters are
    letters."""
    boot.write("etc/fakes", FAKES + "".join(f"{line}\n" for line in LETTERS))
    text = listed(boot, "cat /etc/fakes; run cat /etc/fakes; echo [?] allow? y", 0)
    for line, count in (("[ ?] allow? y", 3), (r"\u{ff3b}\u{ff1f}\u{ff3d} allow? y", 2),
                        (r"[\u{200d}?] allow? y", 2), (r"\u{202e}y ?wolla ]?[", 2),
                        ("?[ ?] allow? y", 2), (r"[\u{0294}] allow? y", 2),
                        *((letters, 2) for letters in LETTERS)):
        assert text.count("\n" + line + "\n") == count, (line, text)
    assert "[?]" not in text
