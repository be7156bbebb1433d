"""The description is OpenAPI 3.1, tells of every operation, and every answer is as it says."""

import re
from pathlib import Path

import jsonschema
import pytest
from api_calls import contacts, staff, without_name
from openapi_spec_validator import OpenAPIV31SpecValidator

from gateway.console.api.description import description
from gateway.console.api.door import OPERATIONS
from gateway.console.api.problems import Kind
from gateway.store.tokens import May

DOCS = Path(__file__).resolve().parents[2] / "docs" / "contacts-api.md"


@pytest.fixture
def everything(api):
    """A caller who may do everything."""
    return api.caller(api.token("all", *May))


async def test_it_is_openapi(everything):
    """A validator of the standard finds nothing wrong with it."""
    said = (await everything.get("/api/openapi.json")).json()
    assert [str(one) for one in OpenAPIV31SpecValidator(said).iter_errors()] == []


def test_it_tells_of_every_operation_and_no_other():
    """Paths and methods are those that the door knows."""
    said = description(OPERATIONS, "https://x.example")
    told = {(method.upper(), path) for path, methods in said["paths"].items() for method in methods}
    assert told == {(one.method, one.path) for one in OPERATIONS}
    assert set(said["components"]["responses"]) == {kind.component for kind in Kind}


async def test_every_answer_is_as_described(api, everything):
    """Each operation is called, well and badly; what comes back fits the schema for its status."""
    item = api.held()
    one, member = without_name(contacts()[0]), without_name(staff()[0])
    calls = [
        ("PUT", "/api/contacts/{entry}", one),
        ("PUT", "/api/staff", {"entries": staff()}),
        ("PUT", "/api/contacts", {"entries": contacts()}),
        ("PUT", "/api/contacts", {"entries": [contacts()[0] | {"opened": "soon"}, *contacts()[1:]]}),
        ("PUT", "/api/contacts", {"entries": []}),
        ("PUT", "/api/contacts", {}),
        ("GET", "/api/contacts", None),
        ("GET", "/api/staff", None),
        ("GET", "/api/registry", None),
        ("PUT", "/api/contacts/{entry}", one),
        ("PUT", "/api/contacts/{entry}", one | {"email": "x"}),
        ("PUT", "/api/staff/{entry}", member | {"role": "boss"}),
        ("DELETE", "/api/contacts/{entry}", None),
        ("DELETE", "/api/staff/{entry}", None),
        ("GET", "/api/states", None),
        ("GET", "/api/states/{item}", None),
        ("GET", "/api/openapi.json", None),
    ]
    said = description(OPERATIONS, "https://x.example")
    assert {(method, path) for method, path, _ in calls} == {(one.method, one.path) for one in OPERATIONS}
    for method, path, body in calls:
        answer = await everything.request(method, path.format(entry="P-1", item=item), json=body)
        described = said["paths"][path][method.lower()]["responses"]
        assert str(answer.status_code) in described, (method, path, answer.status_code, answer.text)
        _fits(said, described[str(answer.status_code)], answer)


def _fits(said, response, answer):
    if "$ref" in response:
        response = said["components"]["responses"][response["$ref"].rpartition("/")[2]]
    if "content" not in response:
        assert answer.content == b""
        return
    media = answer.headers["content-type"]
    schema = response["content"][media]["schema"] | {"components": said["components"]}
    jsonschema.Draft202012Validator(schema).validate(answer.json())


async def test_what_is_pushed_fits_the_schema_of_what_is_sent():
    """The sample lists fit what the description says a push looks like: a client made from it can send them."""
    said = description(OPERATIONS, "https://x.example")
    for path, entries in (("/api/contacts", contacts()), ("/api/staff", staff())):
        schema = said["paths"][path]["put"]["requestBody"]["content"]["application/json"]["schema"]
        validator = jsonschema.Draft202012Validator(schema | {"components": said["components"]})
        validator.validate({"entries": entries})
        with pytest.raises(jsonschema.ValidationError):
            validator.validate({"entries": [{"entry": "x"}]})


def test_the_guide_names_every_operation():
    """docs/contacts-api.md has each path; a status that the API does not have is not in it."""
    text = DOCS.read_text("utf-8")
    for one in OPERATIONS:
        assert f"`{one.method} {one.path}`" in text
    statuses = {int(status) for status in re.findall(r"^\| (\d{3}) \|", text, re.MULTILINE)}
    assert statuses == {kind.status for kind in Kind} | {200, 201, 204}
