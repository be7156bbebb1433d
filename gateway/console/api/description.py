"""The API's description: OpenAPI 3.1, made from the operations, the problems and the registry's columns.

What is told of a field here is what docs/registry.md tells of its column; whether a value will do is the registry's
affair, so the schema is a help for those who write a client and not the judge.
"""

import re
from typing import Any

from starlette.responses import Response

from gateway import __version__
from gateway.console.api.calls import ENTRY, Call, Operation, answer
from gateway.console.api.entries import LISTS, YES_OR_NO
from gateway.console.api.problems import MEDIA, Kind
from gateway.model import CaseStatus, ContactRole, ItemKind, ItemState, StaffRole
from gateway.registry import COLUMNS
from gateway.store.pushed import SetName

PATH = "/api/openapi.json"
_ROLES = {SetName.CONTACTS: ContactRole, SetName.STAFF: StaffRole}
_SCHEMAS = {SetName.CONTACTS: "Contact", SetName.STAFF: "Member"}
_DATES = frozenset({"opened", "closed"})
_TEXT = {"type": "string"}
_TIME = {"type": "string", "format": "date-time"}
_COUNT = {"type": "integer", "minimum": 0}
_ALWAYS = (Kind.NO_TOKEN, Kind.NOT_ALLOWED, Kind.TOO_OFTEN, Kind.FAULT, Kind.BUSY)
_BODY = (
    Kind.MALFORMED,
    Kind.TOO_SLOW,
    Kind.CONFLICT,
    Kind.CHANGED,
    Kind.TOO_LARGE,
    Kind.NO_JSON,
    Kind.MISTAKES,
)
_SAYS = {
    "readRegistry": "What was pushed, and which registry is in force where mail is judged.",
    "readContacts": "What is known of the pushed contacts; never who they are.",
    "putContacts": "Put all contacts in place of those pushed before.",
    "putContact": "Put one contact and case in place of what was pushed of it before.",
    "removeContact": "Remove one contact and case.",
    "readStaff": "What is known of the pushed staff.",
    "putStaff": "Put all staff in place of those pushed before.",
    "putMember": "Put one member of staff in place of what was pushed of them before.",
    "removeMember": "Remove one member of staff.",
    "listStates": "Items in order of receipt: id, kind, state, times.",
    "readState": "One item: id, kind, state, times.",
    "readDescription": "This description.",
}


def description(operations: tuple[Operation, ...], origin: str) -> dict[str, Any]:
    """Return the description of ``operations`` as served at ``origin``."""
    paths: dict[str, dict[str, Any]] = {}
    for one in operations:
        paths.setdefault(one.path, {})[one.method.lower()] = _operation(one)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Victim-contact boundary gateway: API for other systems",
            "version": __version__,
            "description": "Pushes contacts and staff from the records system; reads the states of items.",
        },
        "servers": [{"url": origin}],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": _schemas(),
            "responses": {kind.component: _problem(kind) for kind in Kind},
        },
    }


def _operation(one: Operation) -> dict[str, Any]:
    kinds = list(_ALWAYS)
    made: dict[str, Any] = {"operationId": one.name, "summary": _SAYS[one.name], "responses": _good(one)}
    parameters = [_path_field(name) for name in re.findall(r"\{(\w+)\}", one.path)]
    if one.method in {"PUT", "DELETE"}:
        kinds += _BODY
        parameters += [
            {"name": name, "in": "header", "schema": _TEXT} for name in ("If-Match", "If-None-Match")
        ]
    if one.method == "PUT":
        made["requestBody"] = {"required": True, "content": {"application/json": {"schema": _sent(one)}}}
        parameters.append(_preference())
    if one.name in {"putContacts", "putStaff"}:
        says = "Take the set over although it has lost more people than registry.max_loss_percent."
        parameters.append(_query("accept_loss", {"type": "boolean", "default": False}, says))
    if one.name == "listStates":
        kinds.append(Kind.MALFORMED)
        parameters.append(_query("after", _TEXT, "The id behind which the page begins."))
        parameters.append(_query("since", _TIME, "Only what was received then or later."))
        parameters.append(
            _query("limit", {"type": "integer", "minimum": 1}, "Items at most; not above api.page_rows.")
        )
    if one.method == "GET" and one.name not in {"readRegistry", "readDescription", "listStates"}:
        kinds.append(Kind.ABSENT)
    if parameters:
        made["parameters"] = parameters
    for kind in sorted(set(kinds), key=lambda kind: kind.status):
        made["responses"][str(kind.status)] = {"$ref": f"#/components/responses/{kind.component}"}
    return made


def _good(one: Operation) -> dict[str, Any]:
    """Return the answers of an operation that went well."""
    if one.method == "DELETE":
        return {"204": {"description": "It is not there any more.", "headers": _etag()}}
    schema = {
        "readRegistry": "Registry", "readContacts": "Set", "readStaff": "Set", "listStates": "States",
        "readState": "State",
    }.get(one.name, "Pushed")  # fmt: skip
    if one.name == "readDescription":
        return {
            "200": {
                "description": "OpenAPI 3.1.",
                "content": {"application/json": {"schema": {"type": "object"}}},
            }
        }
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}
    if one.method == "PUT":
        return {
            "200": {
                "description": "It was taken over, if perhaps in part.",
                "content": content,
                "headers": _etag(),
            },
            "201": {"description": "It is new, and was taken over.", "content": content, "headers": _etag()},
        }
    headers = {"headers": _etag()} if schema == "Set" else {}
    return {"200": {"description": _SAYS[one.name], "content": content} | headers}


def _sent(one: Operation) -> dict[str, Any]:
    name = SetName.CONTACTS if "contacts" in one.path else SetName.STAFF
    entry = {"$ref": f"#/components/schemas/{_SCHEMAS[name]}"}
    if "{entry}" in one.path:
        return entry
    called = {
        "type": "object",
        "required": ["entry"],
        "properties": {"entry": {"type": "string", "pattern": f"^{ENTRY}$"}},
    }
    return {
        "type": "object",
        "required": ["entries"],
        "additionalProperties": False,
        "properties": {"entries": {"type": "array", "items": {"allOf": [called, entry]}}},
    }


def _schemas() -> dict[str, Any]:
    fault = _object({"pointer": _TEXT, "detail": _TEXT, "remedy": _TEXT}, {"entry": _TEXT})
    faults = {"type": "array", "items": {"$ref": "#/components/schemas/Fault"}}
    state = {
        "id": _TEXT,
        "kind": {"enum": [kind.value for kind in ItemKind]},
        "state": {"enum": [state.value for state in ItemState]},
        "received_at": _TIME,
        "decided_at": {"type": ["string", "null"], "format": "date-time"},
    }
    of_set = {
        "set": {"enum": list(SetName)},
        "revision": _TEXT,
        "entries": _COUNT,
        "changed_at": _TIME,
        "pushed_at": _TIME,
    }
    in_force = _object({"version": _TEXT, "since": _TIME, "contacts": _COUNT, "staff": _COUNT}, {})
    told = {
        "set": {"enum": list(SetName)},
        "revision": _TEXT,
        "taken_over": {"enum": ["whole", "in-part"]},
        "kept": {"type": "array", "items": _TEXT},
        "mistakes": faults,
        "warnings": faults,
    }
    counts = dict.fromkeys(("entries", "added", "changed", "removed"), _COUNT)
    return {
        **{_SCHEMAS[name]: _entry(name) for name in SetName},
        "Fault": fault,
        "Problem": _object(
            {
                "type": {"type": "string", "format": "uri"},
                "title": _TEXT,
                "status": {"type": "integer"},
                "detail": _TEXT,
            },
            {"errors": faults},
        ),
        "Pushed": _object(told, counts | {"entry": _TEXT}),
        "Set": _object(of_set, {}),
        "Registry": _object(
            {
                "source": {"enum": ["files", "api"]},
                "sets": {"type": "array", "items": {"$ref": "#/components/schemas/Set"}},
                "in_force": {"anyOf": [in_force, {"type": "null"}]},
            },
            {},
        ),
        "State": _object(state, {}),
        "States": _object(
            {"items": {"type": "array", "items": {"$ref": "#/components/schemas/State"}}}, {"next": _TEXT}
        ),
    }


def _entry(name: SetName) -> dict[str, Any]:
    """Return the schema of an entry. Extra fields are allowed by it for the one that names the entry in a set."""
    columns = COLUMNS[name]
    fields = {field: _field(field, name) for field in (*columns.required, *columns.optional)}
    return {"type": "object", "required": list(columns.required), "properties": fields}


def _field(field: str, name: SetName) -> dict[str, Any]:
    if field in LISTS:
        return {
            "type": ["string", "array", "null"],
            "items": _TEXT,
            "description": "Addresses; text has them with semicolons.",
        }
    if field in YES_OR_NO:
        return {"type": ["string", "boolean", "null"], "description": "true or false; as text yes or no."}
    if field in _DATES:
        return {"type": ["string", "null"], "description": "A date, as 2026-03-31; empty when there is none."}
    if field == "role":
        return {"type": ["string", "null"], "description": f"One of {', '.join(_ROLES[name])}."}
    if field == "case_status":
        return {"type": ["string", "null"], "description": f"One of {', '.join(CaseStatus)}; empty: open."}
    return {"type": ["string", "null"]}


def _object(required: dict[str, Any], optional: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "required": list(required),
        "properties": required | optional,
        "additionalProperties": False,
    }


def _problem(kind: Kind) -> dict[str, Any]:
    content = {MEDIA: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {"description": kind.title, "content": content}


def _path_field(name: str) -> dict[str, Any]:
    pattern = {"entry": f"^{ENTRY}$", "item": "^[a-z2-7]{20}$"}[name]
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string", "pattern": pattern}}


def _preference() -> dict[str, Any]:
    says = "handling=strict: nothing is taken over when there is a mistake (RFC 7240); without it what is good is."
    return {"name": "Prefer", "in": "header", "schema": _TEXT, "description": says}


def _query(name: str, schema: dict[str, Any], says: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "schema": schema, "description": says}


def _etag() -> dict[str, Any]:
    return {"ETag": {"description": "The revision of the set, for If-Match.", "schema": _TEXT}}


def operation(others: tuple[Operation, ...]) -> Operation:
    """Return the operation that answers with the description of ``others`` and of itself."""

    async def read(call: Call) -> Response:
        return answer(description((*others, made), call.desk.origin))

    made = Operation(method="GET", path=PATH, name="readDescription", may=None, handle=read)
    return made
