"""The words of the receiving stage: its own replies, and the care taken with replies made by others.

Codes are RFC 5321 section 4.2, enhanced codes RFC 3463. Everything that leaves goes through `encode`, so that no
text from a smarthost or an exception can add a line, break the encoding or lack the enhanced code that we promise
at EHLO (RFC 2034).
"""

import re

from gateway.model import Reply

_MAX_TEXT = 504
"""RFC 5321 section 4.5.3.1.5: 512 octets a line, less the code, its separator and CRLF."""

_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
_ENHANCED = re.compile(r"[245]\.\d{1,3}\.\d{1,3}(?: |\Z)", re.ASCII)


class Rejected(Exception):
    """A command or message that this stage refuses by itself. Carries the reply."""

    def __init__(self, code: int, text: str) -> None:
        """Keep the reply ``code text``."""
        super().__init__(f"{code} {text}")
        self.reply = Reply(code, (text,))


def reply(code: int, text: str) -> Reply:
    """Return a reply of one line."""
    return Reply(code, (text,))


OK = reply(250, "2.0.0 Ok")
BYE = reply(221, "2.0.0 Bye")
START_DATA = reply(354, "End data with <CR><LF>.<CR><LF>")
TRY_LATER = reply(451, "4.3.0 Try again later")
BUSY = reply(451, "4.3.2 Too many messages at once, try again later")
NOT_READY = reply(421, "4.3.0 Not ready yet, try again later")
SHUTTING_DOWN = reply(421, "4.3.2 Service shutting down, try again later")
TIMED_OUT = reply(421, "4.4.2 Timed out waiting for the client")
TOO_MANY_ERRORS = reply(421, "4.7.0 Too many errors")
TOO_MANY_COMMANDS = reply(421, "4.7.0 Too many commands in one connection")
TOO_MANY_CONNECTIONS = reply(421, "4.3.2 Too many connections, try again later")
NO_RELAY = reply(550, "5.7.1 Not allowed to relay")
TLS_FIRST = reply(530, "5.7.0 Must issue a STARTTLS command first")
BAD_COMMAND_BYTES = reply(500, "5.5.2 A command ends with CRLF and holds no other CR or LF and no NUL")
COMMAND_TOO_LONG = reply(500, "5.5.2 Command line too long")
NOT_UTF8 = reply(500, "5.5.2 Command is not valid UTF-8")
UNKNOWN_COMMAND = reply(500, "5.5.1 Command not recognised")
NOT_IMPLEMENTED = reply(502, "5.5.1 Command not implemented")
NOT_SMTP = reply(421, "4.7.0 This is a mail server")
NO_ARGUMENT = reply(501, "5.5.4 The command takes no argument")
NEED_ARGUMENT = reply(501, "5.5.4 The command needs an argument")
BAD_HELO = reply(501, "5.5.4 The name must be a domain or an address literal")
EHLO_FIRST = reply(503, "5.5.1 Say EHLO or HELO first")
MAIL_FIRST = reply(503, "5.5.1 Say MAIL first")
RCPT_FIRST = reply(503, "5.5.1 Say RCPT first")
NESTED_MAIL = reply(503, "5.5.1 A transaction is already open")
ALREADY_TLS = reply(503, "5.5.1 TLS is already in use")
NO_RECIPIENTS = reply(554, "5.5.1 No valid recipients")
TOO_MANY_RECIPIENTS = reply(452, "4.5.3 Too many recipients")
CANNOT_VERIFY = reply(252, "2.0.0 Cannot verify, but will accept the message and attempt delivery")
HELP = reply(214, "2.0.0 EHLO HELO MAIL RCPT DATA RSET NOOP VRFY HELP STARTTLS QUIT")
LINE_ENDS = "5.6.11 Bare CR, bare LF or NUL in the message"


def presentable(answer: Reply) -> Reply:
    """Return ``answer`` as it may be given to a client.

    A 421 is about the smarthost's connection, not ours, and becomes 451. What is not a final answer at all (1xx,
    3xx, no text) becomes `TRY_LATER`: it must never be taken for success.
    """
    if answer.code == 421:
        return Reply(451, answer.lines)
    if 200 <= answer.code < 300 or 400 <= answer.code < 600:
        return answer
    return TRY_LATER


def from_text(text: str) -> Reply:
    """Return the reply written as ``451 4.3.0 Try again later``, or `TRY_LATER` if it is not one."""
    code, _, words = text.partition(" ")
    if len(code) == 3 and code.isascii() and code.isdigit():
        return presentable(Reply(int(code), (words,)))
    return TRY_LATER


def encode(answer: Reply, *, enhanced: bool = True, utf8: bool = False) -> bytes:
    """Return the octets of ``answer``, ending in CRLF, safe whatever its text holds.

    Control characters become one space. Characters beyond ASCII become ``?`` unless ``utf8``, which RFC 6531
    section 3.7.4.2 allows only inside a transaction that asked for SMTPUTF8. With ``enhanced`` each line gets a
    code of the right class if it has none; the banner, EHLO and 354 have none (RFC 2034 section 4).
    """
    lines = answer.lines or ("",)
    code = b"%03d" % answer.code
    out = bytearray()
    last = len(lines) - 1
    for number, line in enumerate(lines):
        text = _safe_text(line, answer.code, enhanced=enhanced)
        octets = _cut(text.encode("utf-8" if utf8 else "ascii", "replace"))
        out += code
        out += b" " if number == last else b"-"
        out += octets
        out += b"\r\n"
    return bytes(out)


def _safe_text(line: str, code: int, *, enhanced: bool) -> str:
    """Return ``line`` without control characters and, if asked, with an enhanced code."""
    text = line if line.isprintable() else _UNSAFE.sub(" ", line)
    if enhanced and code // 100 in (2, 4, 5) and not _ENHANCED.match(text):
        text = f"{code // 100}.0.0 {text}"
    return text


def _cut(octets: bytes) -> bytes:
    """Return at most one line's worth of ``octets``, whole UTF-8 characters only."""
    if len(octets) <= _MAX_TEXT:
        return octets
    return octets[:_MAX_TEXT].decode("utf-8", "ignore").encode()
