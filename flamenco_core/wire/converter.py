"""JSON in and out; the one converter of the public contract.

Reading is strict about types (``50.0`` is no integer, ``1`` is no text), ignores keys it
does not know, and names the key that is wrong. Writing leaves out what is `None`.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, TypeVar, get_origin

import attrs
import cattrs
import msgspec
from cattrs.cols import list_structure_factory
from cattrs.errors import BaseValidationError
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override
from cattrs.v import format_exception

from flamenco_core.errors import BadRequest
from flamenco_core.wire.fit import ANSWER, Fitness, refuse_unfit, refuse_unread, too_deep

__all__ = ["decode", "encode", "structure", "unstructure"]

T = TypeVar("T")

_converter = cattrs.Converter()
_encoder = msgspec.json.Encoder()


def _exactly(kind: type, words: str) -> Any:
    def check(value: Any, _: Any) -> Any:
        if type(value) is not kind:
            raise ValueError(f"must be {words}, not {value!r:.60}")
        return value

    return check


def _enum(value: Any, kind: type[StrEnum]) -> StrEnum:
    try:
        return kind(value)
    except ValueError:
        words = ", ".join(member.value for member in kind)
        raise ValueError(f"must be one of {words}; not {value!r:.60}") from None


def _without_none(cls: type[Any]) -> Any:
    optional = {
        field.name: override(omit_if_default=True)
        for field in attrs.fields(cls)
        if field.default is None
    }
    return make_dict_unstructure_fn(cls, _converter, **optional)  # type: ignore[arg-type]


def _checked(kind: type, words: str, inner: Any) -> Any:
    def check(value: Any, cls: Any) -> Any:
        if not isinstance(value, kind):
            raise ValueError(f"must be {words}, not {value!r:.60}")
        return inner(value, cls)

    return check


def _body(cls: type[Any]) -> Any:
    return _checked(dict, "an object", make_dict_structure_fn(cls, _converter))


def _is_list(kind: Any) -> bool:
    return getattr(get_origin(kind), "__name__", "") == "list"


def _list(cls: Any) -> Any:
    return _checked(list, "a list", list_structure_factory(cls, _converter))


def _whole_number(value: Any, _: Any) -> int:
    # What is larger fits neither into the database nor into the other end's integers.
    if type(value) is not int or not -(2**63) <= value < 2**63:
        raise ValueError(f"must be a whole number, not {value!r:.60}")
    return value


_converter.register_structure_hook(int, _whole_number)
for _kind, _words in ((str, "a text"), (bool, "true or false")):
    _converter.register_structure_hook(_kind, _exactly(_kind, _words))
# After str, and by itself: an enum of texts is a text to singledispatch.
_converter.register_structure_hook(StrEnum, _enum)
_converter.register_structure_hook_factory(attrs.has, _body)
_converter.register_structure_hook_factory(_is_list, _list)
_converter.register_unstructure_hook_factory(attrs.has, _without_none)


def _in_words(error: BaseException, kind: Any) -> str:
    return str(error) if isinstance(error, ValueError) else format_exception(error, kind)


def structure(data: Any, kind: type[T]) -> T:
    """Build *kind* from plain data; raises `BadRequest` that names the wrong key."""
    try:
        return _converter.structure(data, kind)
    except BaseValidationError as error:
        problems = "; ".join(cattrs.transform_error(error, kind.__name__, _in_words))
        raise BadRequest(problems) from error
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise BadRequest(f"{kind.__name__}: {error}") from error


def unstructure(value: Any) -> Any:
    """Turn a body into plain data."""
    return _converter.unstructure(value)


def decode(body: bytes, kind: type[T], fitness: Fitness = ANSWER) -> T:
    """Read a JSON body; raises `BadRequest` that names what is wrong with it."""
    refuse_unread(body, fitness)
    try:
        data = msgspec.json.decode(body)
    except RecursionError as error:
        raise too_deep(fitness) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadRequest(f"the body is not valid JSON: {error}") from error
    refuse_unfit(body, data, fitness)
    return structure(data, kind)


def encode(value: Any) -> bytes:
    """Write a body as JSON."""
    return _encoder.encode(_converter.unstructure(value))
