"""Real Postfix instances on loopback, each with its own configuration, queue and log, for tests that need a neighbour.

Debian's postfix package must be installed and the tests must run as root: Postfix's master refuses anything else.
"""

import asyncio
import contextlib
import os
import pwd
import shutil
import socket
import subprocess
from pathlib import Path

MASTER = """\
127.0.0.1:{port} inet n - n - - smtpd
pickup    unix n - n 60 1 pickup
cleanup   unix n - n - 0 cleanup
qmgr      unix n - n 300 1 qmgr
tlsmgr    unix - - n 1000? 1 tlsmgr
rewrite   unix - - n - - trivial-rewrite
bounce    unix - - n - 0 bounce
defer     unix - - n - 0 bounce
trace     unix - - n - 0 bounce
verify    unix - - n - 1 verify
flush     unix n - n 1000? 0 flush
proxymap  unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
smtp      unix - - n - - smtp
relay     unix - - n - - smtp
showq     unix n - n - - showq
error     unix - - n - - error
retry     unix - - n - - error
discard   unix - - n - - discard
virtual   unix - n n - - virtual
anvil     unix - - n - 1 anvil
scache    unix - - n - 1 scache
postlog   unix-dgram n - n - 1 postlogd
"""

MAIN = """\
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
maillog_file = {folder}/mail.log
maillog_file_prefixes = {folder}
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = {name}.example
mydomain = {name}.example
mydestination =
local_recipient_maps =
alias_maps =
alias_database =
mynetworks = 127.0.0.0/8
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_tls_security_level = none
smtp_tls_security_level = none
smtp_dns_support_level = disabled
smtp_host_lookup = native
minimal_backoff_time = 1s
maximal_backoff_time = 2s
queue_run_delay = 1s
header_size_limit = 4096000
message_size_limit = 40960000
smtputf8_enable = yes
always_add_missing_headers = no
biff = no
"""


def is_installed() -> bool:
    """True when Debian's Postfix is here and we may start it."""
    return os.geteuid() == 0 and Path("/usr/lib/postfix/sbin/master").exists()


def free_port() -> int:
    """Return a loopback port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Postfix:
    """One Postfix: ``front`` relays all to the gateway, ``back`` keeps all in one Maildir."""

    def __init__(self, folder: Path, name: str, extra: str) -> None:
        self.folder = folder
        self.name = name
        self.port = free_port()
        self._extra = extra
        self._config = folder / "etc"

    @classmethod
    def front(cls, folder: Path, *, gateway_port: int) -> "Postfix":
        return cls(folder, "front", f"relayhost = [127.0.0.1]:{gateway_port}\n")

    @classmethod
    def back(cls, folder: Path) -> "Postfix":
        user = pwd.getpwnam("postfix")
        return cls(
            folder,
            "back",
            f"virtual_mailbox_domains = static:all\nvirtual_mailbox_maps = static:inbox/\n"
            f"virtual_mailbox_base = {folder}\nvirtual_minimum_uid = 1\nvirtual_mailbox_limit = 0\n"
            f"virtual_uid_maps = static:{user.pw_uid}\nvirtual_gid_maps = static:{user.pw_gid}\n",
        )

    @classmethod
    def smarthost(cls, folder: Path, *, next_port: int) -> "Postfix":
        """Return a smarthost as Debian sets it up: routes through itself and localhost are followed, the rest goes on."""
        return cls(
            folder,
            "back",
            f"mydestination = $myhostname, localhost.$mydomain, localhost\nrelayhost = [127.0.0.1]:{next_port}\n"
            "smtpd_error_sleep_time = 0\nsmtpd_hard_error_limit = 10000\nsmtpd_soft_error_limit = 10000\n",
        )

    def start(self) -> None:
        """Return once Postfix listens; it stays until `stop`."""
        for part in ("etc", "queue", "data", "inbox"):
            (self.folder / part).mkdir(parents=True, exist_ok=True)
        for part in (self.folder, *self.folder.parents):
            with contextlib.suppress(PermissionError):
                part.chmod(part.stat().st_mode | 0o055)
        for part in ("data", "inbox"):
            shutil.chown(self.folder / part, "postfix", "postfix")
        (self._config / "main.cf").write_text(MAIN.format(folder=self.folder, name=self.name) + self._extra)
        (self._config / "master.cf").write_text(MASTER.format(port=self.port))
        self._run("start")

    def stop(self) -> None:
        """Stop this instance and nothing else."""
        with contextlib.suppress(subprocess.CalledProcessError):
            self._run("stop")

    def flush(self) -> None:
        """Try every queued mail now."""
        subprocess.run(
            ["postqueue", "-c", str(self._config), "-f"], check=False, capture_output=True, timeout=60
        )

    def queued(self) -> list[str]:
        """Return what still waits, one JSON line a mail."""
        done = subprocess.run(
            ["postqueue", "-c", str(self._config), "-j"],
            check=True,
            capture_output=True,
            text=True,
            timeout=60,
        )
        return done.stdout.splitlines()

    def inbox(self) -> list[bytes]:
        """Return the mails that were delivered, oldest first, CRLF line ends restored."""
        files = sorted((self.folder / "inbox" / "new").glob("*"), key=lambda file: file.stat().st_mtime_ns)
        return [file.read_bytes().replace(b"\n", b"\r\n") for file in files]

    async def wait_for(self, count: int, *, timeout_s: float = 60) -> list[bytes]:
        """Return the inbox once it has ``count`` mails; raises TimeoutError with Postfix's log."""
        try:
            async with asyncio.timeout(timeout_s):
                while len(self.inbox()) < count:
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise TimeoutError(f"{len(self.inbox())} of {count} mails came\n{self.log()}") from None
        return self.inbox()

    def log(self) -> str:
        """Return Postfix's own log."""
        return (self.folder / "mail.log").read_text(errors="replace")

    def _run(self, verb: str) -> None:
        subprocess.run(
            ["postfix", "-c", str(self._config), verb], check=True, capture_output=True, timeout=120
        )
