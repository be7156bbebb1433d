"""`gateway demo` as a newcomer runs it: three mails, a console to sign in to with what was printed, and an end."""

import re
import signal
import socket
import subprocess
import sys

import httpx2
import pytest
from gateway_process import free_port

from gateway.model import Role
from gateway.settings import load
from gateway.store import Store, records

_SUPERVISOR, _PSD = "helen.brooks@force.example", "judith.marsh@force.example"


class Demo:
    """The command while it runs, and what it has printed until it said how to end it."""

    def __init__(self, folder):
        self.folder = folder
        self.ports = [str(free_port()) for _ in range(3)]
        relay, smarthost, console = self.ports
        self.command = [
            sys.executable, "-m", "gateway", "demo", "--folder", str(folder),
            "--port", relay, "--smarthost-port", smarthost, "--console-port", console,
        ]  # fmt: skip
        self.origin = f"http://127.0.0.1:{console}"
        self.log = folder.parent / "demo.err"

    def __enter__(self):
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, stderr=log, text=True)
        self.printed = ""
        while "Ctrl-C" not in self.printed:
            line = self.process.stdout.readline()
            assert line, self.printed + self.log.read_text()
            self.printed += line
        return self

    def password_of(self, email):
        return re.search(rf"{re.escape(email)} +(\S+)", self.printed.partition("Sign in as")[2])[1]

    def end(self):
        """Press Ctrl-C and return the status."""
        self.process.send_signal(signal.SIGINT)
        self.process.stdout.read()
        return self.process.wait(60)

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.end()
        self.process.stdout.close()


class Browser:
    """Cookies kept by hand: they are marked Secure, which a browser takes from loopback and httpx does not."""

    def __init__(self, origin):
        self.origin = origin
        self.cookies = {}

    def ask(self, method, path, **given):
        header = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        headers = {"Cookie": header} if header else {}
        answer = httpx2.request(method, self.origin + path, headers=headers, timeout=120, **given)
        for kept in answer.headers.get_list("set-cookie"):
            name, _, value = kept.partition(";")[0].partition("=")
            self.cookies[name] = value
        return answer

    def sign_in(self, email, password):
        token = re.search(r'name="csrf" value="([^"]+)"', self.ask("GET", "/sign-in").text)[1]
        return self.ask("POST", "/sign-in", data={"csrf": token, "email": email, "password": password})


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    with Demo(tmp_path_factory.mktemp("demo") / "demo") as running:
        yield running
        assert running.end() == 0
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", int(running.ports[2]))) != 0, (
                "the console outlives the demo"
            )


def test_the_supervisor_sees_the_advance_and_the_kiss(demo):
    """What is printed opens the console, and there wait the held advance and the flagged kiss, and nothing else."""
    browser = Browser(demo.origin)
    assert browser.sign_in(_SUPERVISOR, demo.password_of(_SUPERVISOR)).status_code == 303
    holds, flags = browser.ask("GET", "/holds").text, browser.ask("GET", "/flags").text
    subjects = [re.findall(r'class="subject">(?:<[^>]+>)*([^<]+)', page) for page in (holds, flags)]
    assert subjects == [["Re: Any news on my case?"], ["Statement on Thursday"]]
    item = re.search(r'href="(/items/\w+)"', holds)[1]
    page = browser.ask("GET", item).text
    assert "amazingly hot" in page


def test_somebody_else_is_not_let_in(demo):
    """A password is one person's, and no account is without one."""
    for email, password in ((_SUPERVISOR, demo.password_of(_PSD)), ("amir.khan@force.example", "")):
        browser = Browser(demo.origin)
        assert browser.sign_in(email, password).status_code != 303
        assert browser.ask("GET", "/holds").headers["location"].startswith("/sign-in")


def test_no_password_lies_in_the_folder(demo):
    """Printed once means that: neither settings nor store nor log has it in clear."""
    for email in (_SUPERVISOR, _PSD):
        word = demo.password_of(email).encode()
        assert len(word) >= 16
        assert [one for one in demo.folder.rglob("*") if one.is_file() and word in one.read_bytes()] == []
    with Store.open(load(demo.folder / "gateway.yaml", {}).settings.store) as store:
        accounts = store.read_now(records.list_accounts)
    assert {one.email: one.roles for one in accounts} == {_SUPERVISOR: {Role.REVIEWER}, _PSD: {Role.PSD}}


def test_a_taken_port_is_told_with_the_option(tmp_path):
    """The console's port is looked at before anything starts, and the message names what to change."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        command = Demo(tmp_path / "demo").command
        command[-1] = str(taken.getsockname()[1])
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert f"port {command[-1]} is taken" in done.stderr
    assert "--console-port" in done.stderr
