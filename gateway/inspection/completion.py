"""The rule language as a JSON schema: what an editor completes from, and what it underlines while a rule is written.

Owns the translation of `schema`'s models; rules/schema.json is what comes out of `json_schema`, and `gateway rules
schema` prints it. It says a little less than lint: how files hang together, what RE2 takes and whether examples come
true is beyond a schema. It never says more, so that an editor underlines nothing that loads.
"""

import ast
import inspect
import json
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, models_json_schema

from gateway.inspection import schema
from gateway.inspection.cues import CATEGORIES
from gateway.inspection.relations.named import RELATIONS

_DIALECT: Final = "http://json-schema.org/draft-07/schema#"
"""The dialect of the YAML language server."""
_TEXTS: Final[dict[Any, dict[str, Any]]] = {
    schema._stretch: {"type": "string", "pattern": r"^\s*[0-9]+[mhd]\s*$", "examples": ["24h", "21d"]},  # noqa: SLF001 - these two are the language's own
    schema._hours: {"type": "string", "examples": ["06:00-22:00"]},  # noqa: SLF001
}


def json_schema() -> str:
    """Return the text of rules/schema.json: rules, lists and policy.yaml under one name, told apart by their keys."""
    models = (schema.RuleEntry, schema.ListEntry, schema.PolicyEntry)
    _, whole = models_json_schema(
        [(model, "validation") for model in models],
        ref_template="#/definitions/{model}",
        schema_generator=_Generator,
    )
    definitions = whole["$defs"]
    _describe(definitions)
    definitions["CueCondition"]["properties"]["cue"]["enum"] = sorted((*CATEGORIES, *RELATIONS))
    definitions["RuleEntry"]["allOf"] = _kinds_of_rule()
    definitions["RuleEntry"]["properties"]["match"]["additionalProperties"] = False
    for definition in definitions.values():
        definition.pop("title", None)
        for said in definition.get("properties", {}).values():
            _count_items(said)
    rule, named, policy = ({"$ref": f"#/definitions/{model.__name__}"} for model in models)
    shape = {
        "$schema": _DIALECT,
        "title": "Rules of the victim-contact boundary gateway",
        "if": {"required": ["list"]},
        "then": named,
        "else": {"if": {"required": ["flag_at"]}, "then": policy, "else": rule},
        "definitions": definitions,
    }
    return json.dumps(shape, indent=2, ensure_ascii=False) + "\n"


class _Generator(GenerateJsonSchema):
    """Pydantic's own, and what stands before its types: one value for a list of one, and our ways to write time."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002 - pydantic's face
        """Return that a key needs no title beside its name."""
        return False

    def function_before_schema(self, schema: Any) -> dict[str, Any]:
        """Return what may be written, not what comes out of it."""
        before = schema["function"]["function"]
        if before in _TEXTS:
            return dict(_TEXTS[before])
        inner = self.generate_inner(schema["schema"])
        many = _many(inner)
        return {"anyOf": [many["items"], inner]} if before is _ONE_OR_MANY and many else inner


_ONE_OR_MANY: Final = schema._one_or_many  # noqa: SLF001


def _many(inner: dict[str, Any]) -> dict[str, Any] | None:
    return inner if inner.get("type") == "array" and "items" in inner else None


def _count_items(said: dict[str, Any]) -> None:
    """Bound the items of what may be one text or many: pydantic takes the bounds for those of the text."""
    if "anyOf" in said:
        for wrong, right in (("minLength", "minItems"), ("maxLength", "maxItems")):
            if wrong in said:
                said[right] = said.pop(wrong)


def _kinds_of_rule() -> list[dict[str, Any]]:
    """Return what the kind of a rule asks for beyond the keys that all rules have."""
    kind = {"required": ["kind"], "properties": {"kind": {"const": "pattern"}}}
    safety = {"required": ["kind"], "properties": {"kind": {"const": "safety"}}}
    return [
        {"if": kind, "then": {"required": ["of", "at_least", "within"]}, "else": {"required": ["match"]}},
        {"if": safety, "else": {"required": ["severity", "points"]}},
    ]


def _describe(definitions: dict[str, Any]) -> None:
    """Give each key what is written below it in `schema`; an editor shows it beside the key."""
    for node in ast.parse(inspect.getsource(schema)).body:
        if not isinstance(node, ast.ClassDef) or node.name not in definitions:
            continue
        aliases = _aliases(getattr(schema, node.name))
        properties = definitions[node.name].get("properties", {})
        for field, below in zip(node.body, node.body[1:], strict=False):
            match field, below:
                case (
                    ast.AnnAssign(target=ast.Name(id=name)),
                    ast.Expr(value=ast.Constant(value=str(says))),
                ):
                    properties[aliases[name]]["description"] = inspect.cleandoc(says)


def _aliases(model: type[BaseModel]) -> dict[str, str]:
    return {name: field.alias or name for name, field in model.model_fields.items()}
