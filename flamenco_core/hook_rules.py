"""What a plugin has to keep to, checked when it is loaded and when it answers.

pluggy would find some of these mistakes too, others only when the hook is called, and
some never: an unknown parameter name, an `async def` where nobody awaits it.
"""

from __future__ import annotations

import inspect
from collections.abc import Container, Iterator
from contextlib import AbstractAsyncContextManager
from difflib import get_close_matches
from itertools import count
from types import ModuleType, TracebackType
from typing import Any

import pluggy

from flamenco_core import hookspecs
from flamenco_core.errors import PluginError

__all__ = ["Named", "hook_names", "named_offers", "verified_hooks"]

_MAY_BE_ASYNC = ("find_", "check_", "on_")
# Litestar's route handlers have no names of their own; their paths must differ instead.
_NAMELESS = frozenset({"register_routes"})


def hook_names() -> list[str]:
    """Return the names of all hooks, in the order in which a farm calls them."""
    marker = f"{hookspecs.PROJECT}_spec"
    return [name for name, value in vars(hookspecs).items() if hasattr(value, marker)]


def verified_hooks(pm: pluggy.PluginManager, plugin: object, plugin_name: str) -> tuple[str, ...]:
    """Return the hooks that *plugin* implements.

    Raises `PluginError`, with the cure, for whatever is wrong with one of them.
    """
    if not isinstance(plugin, ModuleType) and type(plugin).__eq__ is not object.__eq__:
        raise PluginError(plugin_name, "a plugin is found by identity; give its class eq=False")
    hooks = []
    for hook, function, options in _implementations(pm, plugin):
        spec = getattr(hookspecs, hook, None)
        if spec is None or hook not in hook_names():
            raise PluginError(plugin_name, f"there is no hook {hook!r}{_nearest(hook)}")
        _refuse_options(plugin_name, hook, options)
        _refuse_parameters(plugin_name, hook, function, spec)
        _refuse_async(plugin_name, hook, function)
        hooks.append(hook)
    if not hooks:
        raise PluginError(plugin_name, "implements no hook; is @hookimpl missing on its functions?")
    return tuple(sorted(hooks))


def _implementations(
    pm: pluggy.PluginManager, plugin: object
) -> Iterator[tuple[str, Any, dict[str, Any]]]:
    for attribute in dir(plugin):
        options: Any = pm.parse_hookimpl_opts(plugin, attribute)
        if options is not None:
            yield options.get("specname") or attribute, getattr(plugin, attribute), options


def _refuse_options(plugin: str, hook: str, options: dict[str, Any]) -> None:
    if options.get("wrapper") or options.get("hookwrapper"):
        raise PluginError(plugin, f"{hook}: pluggy's wrappers are not used here; see wrap_task")
    if options.get("trylast") or options.get("tryfirst"):
        raise PluginError(plugin, f"{hook}: order comes from registration, not tryfirst or trylast")


def _refuse_parameters(plugin: str, hook: str, function: Any, spec: Any) -> None:
    parameters = inspect.signature(function).parameters
    plain = inspect.Parameter.POSITIONAL_OR_KEYWORD
    if any(p.kind is not plain or p.default is not p.empty for p in parameters.values()):
        raise PluginError(plugin, f"{hook}: parameters are plain, without defaults or '*'")
    known = list(inspect.signature(spec).parameters)
    if unknown := sorted(parameters.keys() - set(known)):
        raise PluginError(plugin, f"{hook}: no parameter {unknown}; there are {known}")


def _refuse_async(plugin: str, hook: str, function: Any) -> None:
    if inspect.isasyncgenfunction(function):
        cure = "; is @asynccontextmanager missing?" if hook.startswith("wrap_") else ""
        raise PluginError(plugin, f"{hook} must not be an async generator{cure}")
    if inspect.iscoroutinefunction(function) and not hook.startswith(_MAY_BE_ASYNC):
        raise PluginError(plugin, f"{hook} must not be async")


def _nearest(name: str) -> str:
    close = get_close_matches(name, hook_names(), n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


def named_offers(hook: str, answer: Any, taken: Container[str] = ()) -> dict[str, Any]:
    """Return what one plugin offers by name; *taken* are the names of others.

    Raises `ValueError` for an offer without a name, and for two of one name.
    """
    offers: dict[str, Any] = {}
    for offer in answer or ():
        name = _invented(offer, offers, taken) if hook in _NAMELESS else _name_of(offer)
        if name in offers:
            raise ValueError(f"{name!r} is offered twice")
        offers[name] = offer
    return offers


def _invented(offer: Any, offers: Container[str], taken: Container[str]) -> str:
    named = offer if hasattr(offer, "__qualname__") else getattr(offer, "fn", offer)
    name = f"{getattr(named, '__module__', '')}.{getattr(named, '__qualname__', repr(offer))}"
    candidates = (f"{name}#{number}" if number > 1 else name for number in count(1))
    return next(word for word in candidates if word not in offers and word not in taken)


def _name_of(offer: Any) -> str:
    name = getattr(offer, "name", None)
    if not isinstance(name, str) or not name.strip():
        raise ValueError(f"{offer!r} has no name; set its 'name'")
    return name


class Named(AbstractAsyncContextManager[None]):
    """Wraps a plugin's context manager, so that what it raises names the plugin."""

    def __init__(self, inner: Any, plugin: str, hook: str) -> None:
        self._inner = inner
        self._plugin = plugin
        self._hook = hook

    async def __aenter__(self) -> None:
        try:
            await self._inner.__aenter__()
        # The border to other people's code: the task fails, and says through whom.
        except Exception as error:
            raise PluginError(self._plugin, f"{self._hook}: {error}") from error

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        raised: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # The result is dropped on purpose: a plugin cannot turn a failed task into a good one.
        try:
            await self._inner.__aexit__(kind, raised, trace)
        # The border to other people's code, on the way out.
        except Exception as error:
            if error is raised:
                raise
            raise PluginError(self._plugin, f"{self._hook}: {error}") from error
