# SPDX-License-Identifier: MIT
"""A guest in QEMU.

Console (COM1) on QEMU's stdin and stdout, TAP on a pipe behind the debug console port 0xe9, the
monitor (QMP) on a socket pair. All three are connected before QEMU starts, so nothing is lost.
One thread per guest reads everything and keeps it; `wait` and `wait_for` look at what it kept.

A kernel that panics says so to QEMU's pvpanic device, which stops the machine; over a monitor of
its own the thread then has the kernel's memory written to a file, and lets the machine end.
"""

import json
import os
import re
import select
import shlex
import shutil
import socket
import subprocess
import threading
import time

from kozo import qemu
from kozo.errors import EnvironmentProblem
from kozo.harness import corefile

TAP_PORT = "0xe9"
# The kernel's last line. A program may print it as well, but then the machine goes on.
PANIC_LINE = re.compile(rb"^KOZO PANIC\s*\Z", re.MULTILINE)
PANIC_TAIL = 64         # bytes of the console that hold it
PANIC_GRACE = 10.0      # seconds a panicking kernel has to leave through debug-exit

_running = set()
_running_lock = threading.Lock()


class GuestError(Exception):
    """A guest did not do what a test waited for; `kind` as in results."""

    def __init__(self, kind, text):
        super().__init__(text)
        self.kind = kind


def stop_all():
    """End every guest that still runs: for an interrupted run."""
    with _running_lock:
        guests = list(_running)
    for vm in guests:
        qemu.stop(vm.process)


class Vm:
    """One boot. Ends at `limit` seconds at the latest.
    Use it as a context manager, or call `close`.

    With core=False nobody watches for panics.
    """

    def __init__(self, machine, limit=60.0, extra=(), core=True):
        self.machine = machine
        self._watch = corefile.Watch(machine.kernel) if core else None
        self.limit = limit
        self.console = bytearray()
        self.tap_lines = []             # (seconds since start, text)
        self.errors = bytearray()
        self.timed_out = False
        self._partial = b""
        self._position = 0
        self._changed = threading.Condition()
        self._finished = False
        self.panic_grace = PANIC_GRACE
        self._panic_seen = None
        self._qmp_in = None
        self._start(list(extra))

    # ---- start and end -------------------------------------------------------------------

    def _line(self, tap_fd, qmp_fd, extra):
        return qemu.command(self.machine) + (self._watch.arguments() if self._watch else []) + [
            "-chardev", "stdio,id=console,signal=off", "-serial", "chardev:console",
            "-chardev", f"file,id=tap,path=/dev/fd/{tap_fd}",
            "-device", f"isa-debugcon,iobase={TAP_PORT},chardev=tap",
            "-chardev", f"socket,id=qmp,fd={qmp_fd}", "-mon", "chardev=qmp,mode=control",
            *extra]

    def _start(self, extra):
        tap_read, tap_write = os.pipe()
        self._qmp, theirs = socket.socketpair()
        self.command = self._line(tap_write, theirs.fileno(), extra)
        self.started = time.monotonic()
        try:
            self.process = subprocess.Popen(
                self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                pass_fds=(tap_write, theirs.fileno(), *(self._watch.fds() if self._watch else ())),
                start_new_session=True)
        except FileNotFoundError as e:
            raise EnvironmentProblem(qemu.MISSING) from e
        finally:
            os.close(tap_write)
            theirs.close()
            if self._watch:
                self._watch.started()
        self._tap_fd = tap_read
        with _running_lock:
            _running.add(self)
        self._reader = threading.Thread(target=self._read_all, daemon=True)
        self._reader.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """End the guest if it still runs."""
        qemu.stop(self.process)
        self._reader.join()
        with _running_lock:
            _running.discard(self)
        self._qmp.close()
        if self._watch:
            self._watch.close()
        if self.process.stdin and not self.process.stdin.closed:
            try:
                self.process.stdin.close()
            except OSError:
                pass

    # ---- reading -------------------------------------------------------------------------

    def _deadline(self):
        """When the guest is ended: at its limit, or soon after a panic that does not end it."""
        end = self.started + self.limit
        if not self._said_last():
            self._panic_seen = None
            return end
        self._panic_seen = self._panic_seen or time.monotonic()
        return min(end, self._panic_seen + self.panic_grace)

    def _said_last(self):
        """Whether the console ends with the line that ends a panic."""
        return PANIC_LINE.search(self.console, max(0, len(self.console) - PANIC_TAIL)) is not None

    def _read_all(self):
        try:
            self._read_until_closed()
        finally:
            qemu.stop(self.process)
            os.close(self._tap_fd)
            self.process.stdout.close()
            self.process.stderr.close()
            with self._changed:
                if self._partial:
                    self._take_tap(b"\n")
                self._finished = True
                self._changed.notify_all()

    def _read_until_closed(self):
        takers = {self.process.stdout.fileno(): self._take_console, self._tap_fd: self._take_tap,
                  self.process.stderr.fileno(): self.errors.extend}
        if self._watch:
            takers[self._watch.fileno()] = self._watch.take
        while takers:
            ready, _, _ = select.select(list(takers), [], [], 0.2)
            for fd in ready:
                try:
                    data = os.read(fd, 65536)
                except ConnectionResetError:    # QEMU has ended
                    data = b""
                if not data:
                    del takers[fd]
                    continue
                with self._changed:
                    takers[fd](data)
                    self._changed.notify_all()
            if self.process.poll() is None and time.monotonic() > self._deadline():
                self.timed_out = True
                qemu.stop(self.process)
        self.process.wait()

    def _take_console(self, data):
        self.console.extend(data)

    def _take_tap(self, data):
        *lines, self._partial = (self._partial + data).split(b"\n")
        now = time.monotonic() - self.started
        for line in lines:
            self.tap_lines.append((now, line.decode("utf-8", "replace").rstrip("\r")))

    # ---- what a test asks ----------------------------------------------------------------

    @property
    def text(self):
        """Everything on the console so far."""
        return self.console.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n")

    @property
    def seconds(self):
        return time.monotonic() - self.started

    def wait(self):
        """Wait until QEMU has ended; its exit status, or None when it was ended at the limit."""
        with self._changed:
            while not self._finished:
                self._changed.wait(1.0)
        self.close()
        return None if self.timed_out else self.process.returncode

    def ended(self, seconds):
        """Whether QEMU has ended, within `seconds` from now."""
        with self._changed:
            return self._finished or (self._changed.wait_for(lambda: self._finished, seconds))

    def _search(self, pattern):
        text = self.text
        found = pattern.search(text, self._position)
        if not found or not self._finished and self._may_go_on(pattern, text, found):
            return None
        self._position = found.end()
        return found

    @staticmethod
    def _may_go_on(pattern, text, found):
        """Whether `$` matched where the text ends so far, and a character more would make the match
        longer: of `N=[0-9]+$` in "N=3" the 6 of "N=36" may be on its way."""
        if not pattern.pattern.endswith("$") or found.end() < len(text) or text.endswith("\n"):
            return False
        longer = (pattern.search(text + more, found.start()) for more in ("0", "a", " "))
        return any(match and match.end() > found.end() for match in longer)

    def wait_for(self, pattern):
        """Wait for a regular expression on the console, after what the last wait_for matched.

        Returns the match. Raises GuestError when the guest ends, panics or reaches its limit first.
        """
        pattern = re.compile(pattern, re.MULTILINE)
        with self._changed:
            while True:
                found = self._search(pattern)
                if found:
                    return found
                if self._finished:
                    break
                self._changed.wait(1.0)
        raise GuestError(*self._why_ended(pattern.pattern))

    def wait_for_all(self, *patterns):
        """Wait for several regular expressions, in whichever order they come.

        What two programs print has none. Each is looked for after what the last wait_for matched;
        the next one looks after all of them.
        """
        begin, ends = self._position, []
        for pattern in patterns:
            self._position = begin
            self.wait_for(pattern)
            ends.append(self._position)
        self._position = max(ends)

    def _why_ended(self, wanted):
        if self.panicked(None if self.timed_out else self.process.returncode):
            return "panic", f"the kernel panicked; expected on the console: {wanted}"
        if self.timed_out:
            return "hang", f"not seen on the console within {self.limit:g} s: {wanted}"
        status = self.process.returncode
        return "fail", f"the guest ended (QEMU status {status} {self.said()}) before: {wanted}"

    def panicked(self, status):
        """Whether the kernel did: QEMU's exit status says so, or, where it was ended (None), the
        kernel's last line."""
        if status is None:
            return self._said_last()
        return status == qemu.exit_status(qemu.EXIT_PANIC)

    def send(self, text):
        """Type `text` at the console."""
        self.process.stdin.write(text.encode())
        self.process.stdin.flush()

    def expect_exit(self, status=0):
        """Wait for the end; `status` is the guest's own (poweroff N), or one of the strings panic,
        failed, reset."""
        values = {"failed": qemu.EXIT_FAILED, "panic": qemu.EXIT_PANIC, "reset": qemu.EXIT_RESET,
                  0: qemu.EXIT_OK}
        own = qemu.EXIT_STATUS_BASE + status if isinstance(status, int) else None
        value = values.get(status, own)
        got = self.wait()
        if got is None:
            raise GuestError("hang", f"the guest did not end within {self.limit:g} s")
        if got != qemu.exit_status(value):
            kind = "panic" if got == qemu.exit_status(qemu.EXIT_PANIC) else "fail"
            words = qemu.outcome(got).text or "the guest ended well"
            raise GuestError(kind, f"expected exit status {status}: {words}")

    # ---- monitor -------------------------------------------------------------------------

    def qmp(self, command, **arguments):
        """Run a monitor command (inject-nmi, dump-guest-memory, ...); returns what it returns."""
        if self._qmp_in is None:
            self._qmp.settimeout(60)
            self._qmp_in = self._qmp.makefile("r")
            self._qmp_in.readline()
            self._qmp_call({"execute": "qmp_capabilities"})
        return self._qmp_call({"execute": command, "arguments": arguments})

    def _qmp_call(self, request):
        name = request["execute"]
        try:
            self._qmp.sendall(json.dumps(request).encode() + b"\n")
            for line in self._qmp_in:
                answer = json.loads(line)
                if "return" in answer:
                    return answer["return"]
                if "error" in answer:
                    raise GuestError("qemu", f"{name}: {answer['error']['desc']}")
        except OSError as e:
            raise GuestError("qemu", f"{name}: no answer from QEMU: {e}") from e
        raise GuestError("qemu", f"{name}: QEMU ended without an answer")

    def dump_memory(self, path):
        """Write an ELF core of the guest's memory to `path`, for gdb."""
        self.qmp("dump-guest-memory", paging=False, protocol=f"file:{path}")

    @property
    def core(self):
        """The file with the kernel's memory at its panic, or None. It goes when this object does:
        `keep` it."""
        return self._watch.path if self._watch else None

    # ---- what is kept --------------------------------------------------------------------

    def said(self):
        """QEMU's own messages, in one line."""
        return "; ".join(self.errors.decode("utf-8", "replace").split("\n")).strip("; ")

    def tap_text(self):
        return "".join(f"{line}\n" for _, line in self.tap_lines)

    def keep(self, folder, core=True):
        """Keep command line, console, TAP and QEMU's messages in `folder`, and a panic's memory
        if `core`."""
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        (folder / "command").write_text(shlex.join(self.command) + "\n")
        (folder / "console.log").write_bytes(bytes(self.console))
        (folder / "tap.log").write_text(self.tap_text())
        if self.errors:
            (folder / "qemu.log").write_bytes(bytes(self.errors))
        if core and self.core:
            corefile.keep(self.core, folder)
