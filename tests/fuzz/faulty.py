"""Readers with a fault, for the fuzzer to find: its own tests examine with these instead of the gateway."""

import os
import signal
from types import SimpleNamespace

from invariants import Broken

from gateway.model import Authored

_hoard = []


def _answer():
    return SimpleNamespace(
        authored=Authored(), verdict=SimpleNamespace(action="pass"), marker="read", octets=lambda: b"x"
    )


def _is_odd(raw):
    return b"Vexquilt" in raw


def raises(raw, **_):
    if _is_odd(raw):
        raise Broken("extract raises OddError in reading.py:read")
    return _answer()


def loops(raw, **_):
    while _is_odd(raw):
        pass
    return _answer()


def hoards(raw, **_):
    while _is_odd(raw):
        _hoard.append(bytes(50_000_000))  # not touched: address space is what is bounded
    return _answer()


def dies(raw, **_):
    if _is_odd(raw):
        os.kill(os.getpid(), signal.SIGSEGV)
    return _answer()
