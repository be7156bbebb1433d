"""The worker's side: one request after another, within the memory and the processor time that were given.

Owns what one process does with a request, and keeps the rule sets it was told of. Started by `pool` as ``python -m gateway.workers``.
"""

import contextlib
import faulthandler
import math
import resource
import signal
import socket
import traceback
from pathlib import Path

from gateway import inspection
from gateway.errors import Mistakes
from gateway.extract import anatomy, extract, safe_html
from gateway.extract import warm_up as warm_up_extract
from gateway.rehearsal.drafting import drafted
from gateway.rehearsal.explanation import explain
from gateway.rehearsal.judging import Judge, Sample
from gateway.workers.messages import (
    LENGTH,
    READY,
    Answer,
    Drafted,
    DraftRequest,
    Explained,
    ExplainRequest,
    Extracted,
    ExtractRequest,
    Failed,
    Judged,
    JudgeRequest,
    LaidOut,
    LayoutRequest,
    Loaded,
    LoadRequest,
    Looked,
    LookRequest,
    NotLoaded,
    Request,
    allowed_cpu_s,
    encoder,
    requests,
)


class _Desk:
    """What one worker process does with a request."""

    def __init__(self) -> None:
        self._judges: dict[str, Judge] = {}

    def answer(self, request: Request) -> Answer:
        if isinstance(request, JudgeRequest | DraftRequest) and request.rules_hash not in self._judges:
            return NotLoaded(rules_hash=request.rules_hash)
        return self._done(request)

    def _done(self, request: Request) -> Answer:
        match request:
            case ExtractRequest():
                return _read(request)
            case LayoutRequest():
                return LaidOut(html=safe_html(anatomy(request.raw, request.limits).html))
            case LoadRequest():
                return self._load(request)
            case ExplainRequest():
                return Explained(explanation=explain(self._judges[request.rules_hash], _sample(request)))
            case DraftRequest():
                return self._draft(request)
            case JudgeRequest():
                engine = self._judges[request.rules_hash].engine
                found = engine.judge(request.authored, request.parties, request.history, request.at)
                return Judged(inspection=found)

    def _load(self, request: LoadRequest) -> Loaded:
        bundle = inspection.Bundle.from_json(request.bundle)
        try:
            judge = self._judges.get(bundle.hash) or Judge(bundle, language=request.language)
            if request.language:
                inspection.remember(request.encoder_windows)
        except Mistakes as wrong:
            return Loaded(rules_hash=bundle.hash, model_hash="", mistakes=wrong.mistakes)
        kept = {name: self._judges[name] for name in request.beside if name in self._judges}
        self._judges = kept | {bundle.hash: judge}
        engine = judge.engine
        return Loaded(rules_hash=engine.rules_hash, model_hash=engine.model_hash, mistakes=())

    def _draft(self, request: DraftRequest) -> Drafted:
        judge = self._judges[request.rules_hash]
        sample = None if request.sample is None else _sample(request.sample)
        try:
            draft = drafted(judge, request.rule, sample, language=request.language, at=request.at)
        finally:
            inspection.load.cache_clear()  # what was pasted is not kept; the sets in force are `_judges`'s
        return Drafted(draft=draft)


def _read(request: ExtractRequest) -> Extracted:
    authored = extract(request.raw, request.limits, request.style)
    if not isinstance(request, LookRequest):
        return Extracted(authored=authored)
    return Looked(authored=authored, anatomy=anatomy(request.raw, request.limits))


def _sample(request: ExplainRequest) -> Sample:
    """Return the message of a request; it was read elsewhere, so its bytes are not here."""
    return Sample(
        name="", raw=b"", authored=request.authored, parties=request.parties, history=request.history,
        at=request.at, limits=request.limits,
    )  # fmt: skip


def _limit(memory_bytes: int) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def _allow_cpu(seconds: int) -> None:
    """Let the process use ``seconds`` more of processor time; past it the kernel sends SIGXCPU."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(used.ru_utime + used.ru_stime) + seconds, hard))


def _read_exactly(sock: socket.socket, count: int) -> bytearray:
    data = bytearray(count)
    view, filled = memoryview(data), 0
    while filled < count:
        got = sock.recv_into(view[filled:])
        if not got:
            raise EOFError
        filled += got
    return data


def main(arguments: list[str]) -> None:
    """Serve requests on the socket ``arguments`` names until the relay closes it."""
    kind, descriptor, memory_bytes, cpu_s = arguments[0], *map(int, arguments[1:])
    faulthandler.enable()
    for number in (signal.SIGINT, signal.SIGTERM):
        # They are the relay's to handle, though a terminal or service manager sends them to all its processes: the
        # message under way is read to its end. A worker ends when the relay closes the socket.
        signal.signal(number, signal.SIG_IGN)
    sock = socket.socket(fileno=descriptor)
    if kind == "extract":
        warm_up_extract()
    else:
        inspection.warm_up(language=kind == "language")
    _limit(memory_bytes)
    sock.sendall(READY)
    desk = _Desk()
    with contextlib.suppress(EOFError, ConnectionError):
        while True:
            (length,) = LENGTH.unpack(_read_exactly(sock, LENGTH.size))
            body = _answer(desk, _read_exactly(sock, length), cpu_s)
            sock.sendall(LENGTH.pack(len(body)) + body)


def _answer(desk: _Desk, body: bytearray, cpu_s: int) -> bytes:
    request = requests.decode(body)
    _allow_cpu(math.ceil(allowed_cpu_s(request, cpu_s)))
    try:
        return encoder.encode(desk.answer(request))
    except MemoryError:
        failed = Failed(detail="It needed more memory than inspection.worker_memory_bytes allows.")
    except RecursionError:
        failed = Failed(detail="It is nested too deeply.")
    except Exception as bug:  # noqa: BLE001 - the edge of this process; the text of the error may quote the mail
        place = traceback.extract_tb(bug.__traceback__)[-1]
        failed = Failed(
            detail=f"A fault of the gateway: {type(bug).__name__} in {Path(place.filename).name}:{place.lineno}."
        )
    return encoder.encode(failed)
