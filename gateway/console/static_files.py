"""The style sheet, the modules and the pictures: read once at start, served from memory under names of their own.

A request can only name what was read, so no path leads outside. The name holds a hash of the content, so a browser
may keep a file for a year and still gets a new one after an upgrade.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

_TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}


@dataclass(frozen=True, slots=True)
class Static:
    """One file."""

    content: bytes
    content_type: str
    hash: str


@dataclass(frozen=True, slots=True)
class Statics:
    """Every file by its name."""

    files: Mapping[str, Static]

    def address(self, name: str) -> str:
        """Return the path of a file, with its hash. Raises KeyError for one that is not there: a mistake of ours."""
        return f"/static/{name}?v={self.files[name].hash}"

    async def serve(self, request: Request) -> Response:
        """Answer a request for ``/static/{name}``. Needs no sign-in: the files are those of the public source."""
        file = self.files.get(request.path_params["name"])
        if file is None:
            return PlainTextResponse("There is no such page.\n", status_code=404)
        fresh = request.query_params.get("v") == file.hash
        kept = "public, max-age=31536000, immutable" if fresh else "public, max-age=60"
        return Response(file.content, headers={"Content-Type": file.content_type, "Cache-Control": kept})


def load() -> Statics:
    """Read the folder static/ of the package."""
    folder = Path(__file__).parent / "static"
    found = {}
    for path in sorted(folder.iterdir()):
        if path.suffix in _TYPES:
            content = path.read_bytes()
            found[path.name] = Static(content, _TYPES[path.suffix], hashlib.sha256(content).hexdigest()[:16])
    return Statics(found)
