# SPDX-License-Identifier: MIT
"""Starts `python -m softswitch.server` for tests and reads what it says."""

import json
import signal
import subprocess
import sys
import threading
from pathlib import Path

ROOT = Path(__file__).parents[3]
DEADLINE_S = 30


class SwitchProcess:
    """A switch of its own process; a context manager that ends it."""

    def __init__(self, *arguments):
        command = [sys.executable, "-m", "softswitch.server", *map(str, arguments)]
        self.process = subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        watchdog = threading.Timer(DEADLINE_S, self.process.kill)
        watchdog.start()
        self.ready = self.process.stdout.readline()
        watchdog.cancel()
        assert self.ready.startswith("ready: "), self.ready + self.process.stderr.read()

    @property
    def address(self):
        return self.ready.split("P4Runtime on ")[1].split(",")[0]

    @property
    def packet_address(self):
        return self.ready.split("packets on ")[1].split(",")[0]

    def stats(self):
        self.process.send_signal(signal.SIGUSR1)
        return json.loads(self.process.stdout.readline())

    def stop(self):
        """End it with SIGTERM; return the exit status."""
        self.process.terminate()
        return self.process.wait(DEADLINE_S)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(DEADLINE_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process.stdout.close()
        self.process.stderr.close()


def fails(*arguments):
    """Run a switch that cannot start; return (exit status, standard error)."""
    done = subprocess.run(
        [sys.executable, "-m", "softswitch.server", *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
    )
    assert done.stdout == ""
    return done.returncode, done.stderr
