"""The ``variables`` section of the settings, in the form that Flamenco 3 has."""

from __future__ import annotations

import logging
from typing import Any

from flamenco_core.config.nodes import Items, Scalar, Section, Wrong
from flamenco_core.offers.variable import Variable, VariableValue

__all__ = ["DEFAULT_VARIABLES", "VARIABLES_SCHEMA", "read_variables", "variables_as_written"]

log = logging.getLogger(__name__)

_AUDIENCES = ("all", "workers", "users")

DEFAULT_VARIABLES = (
    Variable(
        name="blender",
        values=(
            VariableValue(value="blender", platform="linux"),
            VariableValue(value="blender.exe", platform="windows"),
            VariableValue(value="blender", platform="darwin"),
        ),
    ),
    Variable(name="blenderArgs", values=(VariableValue(value="-b -y"),)),
)

VARIABLES_SCHEMA = {
    "type": "object",
    "propertyNames": {"pattern": r"^[^{}]+$"},
    "additionalProperties": {
        "type": "object",
        "properties": {
            "is_twoway": {
                "type": "boolean",
                "default": False,
                "description": "Whether the values are one folder, recognized in paths too.",
            },
            "values": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["value"],
                    "properties": {
                        "audience": {"enum": [*_AUDIENCES], "default": "all"},
                        "platform": {"examples": ["all", "linux", "windows", "darwin"]},
                        "platforms": {"type": "array", "items": {"type": "string"}},
                        "value": {"type": "string"},
                    },
                },
            },
        },
    },
}
"""JSON schema of the section."""


def read_variables(node: Any) -> tuple[Variable, ...]:
    """Read the section; raises `Wrong` for what cannot be one.

    What is only useless, such as a value without a platform, is logged.
    """
    if not isinstance(node, Section):
        raise Wrong("must be a section with one name per variable", node)
    return tuple(_read_variable(name, variable) for name, variable in node.items())


def _read_variable(name: str, node: Any) -> Variable:
    if not isinstance(node, Section):
        raise Wrong("must be a section with 'values'", node, (name,))
    twoway = node.get("is_twoway", Scalar("false", False))
    if not isinstance(getattr(twoway, "value", None), bool):
        raise Wrong("must be true or false", twoway, (name, "is_twoway"))
    values = node.get("values", Items())
    if not isinstance(values, Items):
        raise Wrong("must be a list of values", values, (name, "values"))
    made = tuple(part for value in values for part in _read_values(name, value))
    return Variable(name=name, values=made, is_twoway=twoway.value)


def _read_values(name: str, node: Any) -> list[VariableValue]:
    value = node.get("value") if isinstance(node, Section) else None
    if not isinstance(value, Scalar):
        raise Wrong("must have a 'value', which is a text", node, (name, "values"))
    audience = _word(node, "audience") or "all"
    if audience not in _AUDIENCES:
        log.warning("%s: variable %r: nobody is audience %r", node.where, name, audience)
    if not (platforms := _platforms(node)):
        log.warning("%s: variable %r: a value without 'platform' is not used", node.where, name)
    text = "" if value.value is None else value.text
    return [VariableValue(value=text, audience=audience, platform=p) for p in platforms]


def _platforms(node: Section) -> list[str]:
    several = node.get("platforms")
    nodes = [node.get("platform"), *(several if isinstance(several, Items) else [several])]
    words = [item.text.strip().lower() for item in nodes if isinstance(item, Scalar)]
    return [word for word in dict.fromkeys(words) if word]


def _word(node: Section, key: str) -> str:
    found = node.get(key)
    return found.text.strip().lower() if isinstance(found, Scalar) else ""


def variables_as_written(variables: tuple[Variable, ...]) -> dict[str, Any]:
    """Return the section as plain values, to write it to a file or to show it."""
    return {
        variable.name: {
            **({"is_twoway": True} if variable.is_twoway else {}),
            "values": [
                {"audience": v.audience, "platform": v.platform, "value": v.value}
                for v in variable.values
            ],
        }
        for variable in variables
    }
