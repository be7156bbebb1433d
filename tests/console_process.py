"""`gateway console` as a process over a store of its own, and real Chromium to look at it with."""

import json
import os
import shutil
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

from console_visits import Console
from gateway_process import free_port

from gateway.store import Store

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


class ConsoleProcess:
    """`gateway console` with its settings file. ``console`` is what tests put into the same store beside it."""

    def __init__(self, folder, settings, registry_settings, review=None, **console):
        self.port = free_port()
        self.origin = f"http://127.0.0.1:{self.port}"
        self.log = folder / "console.log"
        self.config = folder / "gateway.yaml"
        given = {
            "store": {"url": settings.url, "key_file": str(settings.key_file)},
            "registry": {
                "contacts": str(registry_settings.contacts), "staff": str(registry_settings.staff),
                "domains": ["force.example"], "last_good": str(registry_settings.last_good),
            },
            "inspection": {"extract_workers": 1, "language_workers": 1, "spare_workers": 0},
            "console": {"listen": f"127.0.0.1:{self.port}", "second_factor": "optional", "live_s": 0.2} | console,
            "review": review or {},
        }  # fmt: skip
        self.config.write_text(json.dumps(given))
        self.config.chmod(0o600)
        self.process = None

    def events(self):
        """Return what it has logged, as far as it is JSON."""
        return [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]

    def run(self, *arguments, **given):
        """Run another ``gateway`` command with the same settings."""
        command = [sys.executable, "-m", "gateway", *arguments, "--config", str(self.config)]
        return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, **given)

    @contextmanager
    def running(self):
        """Start it, and end it as an operator would."""
        command = [sys.executable, "-m", "gateway", "console", "--config", str(self.config)]
        with (
            self.log.open("wb") as log,
            subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log) as process,
        ):
            self.process = process
            while not any(one["event"] == "console:ready" for one in self.events()):
                assert process.poll() is None, self.log.read_text()
                try:
                    process.wait(0.1)
                except subprocess.TimeoutExpired:
                    continue
            try:
                yield self
            finally:
                process.send_signal(signal.SIGTERM)
                assert process.wait(60) == 0, self.log.read_text()


@contextmanager
def a_console(folder, peopled, registry_settings, **console):
    """A running console, and the same store opened by the test to put items into it. ``review`` is that section's."""
    folder.mkdir(parents=True, exist_ok=True)
    settings = peopled.copy(folder / "store")
    process = ConsoleProcess(folder, settings, registry_settings, **console)
    with process.running(), Store.open(settings) as store:
        yield process, Console(store, registry_settings)


@contextmanager
def chromium(**context):
    """A page in Debian's Chromium, and the list of what its console and its policy complained of."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        browser = play.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--no-first-run"]
        )
        page = browser.new_context(**context).new_page()
        complaints = []
        page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        try:
            yield page, complaints
        finally:
            browser.close()


def minutes_until(page, address):
    """Move the clock that was installed in a page on, minute by minute, until it asks for ``address`` and is answered."""
    with page.expect_response(address) as answer:
        while not answer.is_done():
            page.clock.run_for(60_000)


def picture(page, name):
    """Keep a picture of the page where PICTURES_OF_TESTS says, for people to look at."""
    folder = os.environ.get("PICTURES_OF_TESTS")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=f"{folder}/{name}.png")
