"""Find, load, list, block and call plugins; the only module that drives pluggy.

pluggy is the registry. Its call loop is not used: ``firstresult`` takes a coroutine for
an answer, its wrappers wrap only the creation of one, and one implementation that raises
silences the rest. So the implementations are called one by one, with one method for
each verb.
"""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import AsyncExitStack
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Literal

import attrs
import pluggy

from flamenco_core import hookspecs
from flamenco_core.errors import DuplicateName, MissingPlugin, PluginError
from flamenco_core.offers.problem import Problem

__all__ = ["Origin", "PluginInfo", "Plugins", "Side"]

log = logging.getLogger(__name__)

Side = Literal["manager", "worker"]
Origin = Literal["built-in", "installed", "folder", "given"]


@attrs.frozen(kw_only=True)
class PluginInfo:
    """What ``flamenco plugins`` and ``GET /api/v3/plugins`` show of one plugin."""

    name: str
    origin: Origin
    state: Literal["on", "off", "blocked"] = "on"
    version: str | None = None
    hooks: tuple[str, ...] = ()
    offers: tuple[str, ...] = ()
    error: str | None = None
    failures: int = 0


class Plugins:
    """The plugins of one process.

    A plugin is on or off, never half: when loading it or one of its ``register_*``
    hooks raises, none of its offers count. With *strict* the first fault is raised.
    """

    def __init__(self, side: Side, *, blocked: Iterable[str] = (), strict: bool = False) -> None:
        self.side = side
        self.strict = strict
        self._pm = pluggy.PluginManager(hookspecs.PROJECT)
        self._pm.add_hookspecs(hookspecs)
        self._infos: dict[str, PluginInfo] = {}
        self._offers: dict[str, dict[str, tuple[Any, str]]] = {}
        self._blocked = frozenset(blocked)
        for name in self._blocked:
            self._pm.set_blocked(name)

    # -- loading -----------------------------------------------------------------

    def register(
        self,
        plugin: object,
        name: str | None = None,
        *,
        origin: Origin = "given",
        version: str | None = None,
    ) -> None:
        """Add one plugin: a module, or an instance with hook implementations.

        One that is there already, found as an installed package and also given in code,
        is counted once.
        """
        name = name or str(getattr(plugin, "__name__", type(plugin).__name__))
        if self._pm.is_registered(plugin):
            return
        info = PluginInfo(name=name, origin=origin, version=version)
        if name in self._blocked:
            self._infos[name] = attrs.evolve(info, state="blocked")
            return
        self._guarded(info, lambda: self._add(plugin, info))

    def load_installed(self) -> None:
        """Load the entry points of group ``flamenco.<side>``, by name."""
        for point in sorted(entry_points(group=f"flamenco.{self.side}")):
            if not self._pm.has_plugin(point.name):
                self._load(point)

    def off(self, name: str, origin: Origin, error: Exception) -> None:
        """Note a plugin that could not even be imported."""
        self._fail(PluginInfo(name=name, origin=origin), error)

    def require(self, names: Iterable[str]) -> None:
        """Raise `MissingPlugin` unless each of *names* is on."""
        for name in names:
            info = self._infos.get(name)
            if info is None:
                raise MissingPlugin(
                    name, f"is required but not installed; pip install flamenco-{name}"
                )
            if info.state != "on":
                raise MissingPlugin(
                    name, f"is required but {info.state}: {info.error or 'see blocked:'}"
                )

    def _load(self, point: EntryPoint) -> None:
        version = point.dist.version if point.dist else None
        info = PluginInfo(name=point.name, origin="installed", version=version)
        if point.name in self._blocked:
            self._infos[point.name] = attrs.evolve(info, state="blocked")
            return
        self._guarded(
            info,
            lambda: self.register(point.load(), point.name, origin="installed", version=version),
        )

    def _add(self, plugin: object, info: PluginInfo) -> None:
        if info.name in self._infos:
            raise DuplicateName(
                info.name, f"there is another plugin of this name ({self._infos[info.name].origin})"
            )
        self._pm.register(plugin, info.name)
        self._infos[info.name] = attrs.evolve(info, hooks=self._verified_hooks(plugin, info.name))

    def _verified_hooks(self, plugin: object, name: str) -> tuple[str, ...]:
        callers = self._pm.get_hookcallers(plugin) or []
        for hook in callers:
            spec = hook.spec
            if spec is None:
                raise PluginError(name, f"there is no hook {hook.name!r}{_nearest(hook.name)}")
            for impl in hook.get_hookimpls():
                if impl.plugin is plugin:
                    _verify(impl, spec.argnames, name)
        return tuple(sorted(hook.name for hook in callers))

    def _guarded(self, info: PluginInfo, load: Callable[[], None]) -> None:
        try:
            load()
        # The border to other people's code: whatever it raises, the farm starts.
        except Exception as error:
            self._fail(info, error)

    def _fail(self, info: PluginInfo, error: Exception) -> None:
        self._drop(info.name)
        text = str(error) if isinstance(error, PluginError) else repr(error)
        self._infos[info.name] = attrs.evolve(info, state="off", error=text, offers=())
        if self.strict:
            raise error
        log.error("plugin %r is off: %s", info.name, text)

    def _drop(self, name: str) -> None:
        if self._pm.has_plugin(name):
            self._pm.unregister(name=name)
        for offers in self._offers.values():
            for offer in [o for o, (_, owner) in offers.items() if owner == name]:
                del offers[offer]

    def __iter__(self) -> Iterator[PluginInfo]:
        return iter(sorted(self._infos.values(), key=lambda info: info.name))

    def __getitem__(self, name: str) -> PluginInfo:
        return self._infos[name]

    # -- calling: one method for each verb ---------------------------------------

    def registered(self, hook: str, **arguments: object) -> dict[str, Any]:
        """Call a ``register_*`` hook; return what is offered, by name.

        Raises `DuplicateName` when two plugins offer one name: which of the two is meant
        is for a person to say.
        """
        offers = self._offers[hook] = {}
        for impl in self._impls(hook, first_asked_first=False):
            try:
                offered = tuple(_call(impl, arguments) or ())
            # The border to other people's code. Generators fail here, while iterated.
            except Exception as error:
                broken = PluginError(impl.plugin_name, f"{hook}: {error!r}")
                self._fail(self._infos[impl.plugin_name], broken)
                continue
            for offer in offered:
                self._add_offer(offers, offer, impl.plugin_name)
        return {name: offer for name, (offer, _) in offers.items()}

    def _add_offer(self, offers: dict[str, tuple[Any, str]], offer: Any, plugin: str) -> None:
        name = getattr(offer, "name", None) or getattr(offer, "__name__", None) or repr(offer)
        if name in offers:
            owner = offers[name][1]
            raise DuplicateName(
                plugin,
                f"{name!r} is already offered by plugin {owner!r};"
                f" add one of the two to 'blocked:' in the settings",
            )
        offers[name] = (offer, plugin)
        info = self._infos[plugin]
        self._infos[plugin] = attrs.evolve(info, offers=(*info.offers, name))

    def owner_of(self, hook: str, offer: str) -> str | None:
        """Return the name of the plugin that made an offer."""
        found = self._offers.get(hook, {}).get(offer)
        return found[1] if found else None

    async def find(self, hook: str, **arguments: object) -> Any:
        """Return the first answer to a ``find_*`` hook that is not None; let errors out."""
        for impl in self._impls(hook):
            if (answer := await _acall(impl, arguments)) is not None:
                return answer
        return None

    def choose(self, hook: str, **arguments: object) -> Any:
        """Return the first answer to a ``choose_*`` hook; a plugin that raises is passed over."""
        for impl in self._impls(hook):
            try:
                answer = _call(impl, arguments)
            # The border to other people's code: scheduling goes on without it.
            except Exception:
                self._count_failure(impl.plugin_name, hook)
                continue
            if answer is not None:
                return answer
        return None

    async def check(self, hook: str, **arguments: object) -> list[Problem]:
        """Return all problems that any plugin sees; one that raises is a problem itself."""
        found: list[Problem] = []
        for impl in self._impls(hook):
            name = impl.plugin_name
            try:
                problems = tuple(await _acall(impl, arguments) or ())
            # The border to other people's code: a broken check must not open the door.
            except Exception as error:
                self._count_failure(name, hook)
                problems = (Problem(f"plugin {name!r} failed in {hook}: {error!r}"),)
            found += [p if p.plugin else attrs.evolve(p, plugin=name) for p in problems]
        return found

    async def wrap(self, stack: AsyncExitStack, hook: str, **arguments: object) -> None:
        """Enter every plugin's context manager on *stack*; errors name the plugin."""
        for impl in self._impls(hook):
            try:
                if (manager := _call(impl, arguments)) is not None:
                    await stack.enter_async_context(manager)
            # The border to other people's code: the task fails, and says through whom.
            except Exception as error:
                raise PluginError(impl.plugin_name, f"{hook}: {error}") from error

    async def tell(self, hook: str, **arguments: object) -> None:
        """Call an ``on_*`` hook; a plugin that raises is logged and the rest still hear."""
        for impl in self._impls(hook):
            try:
                await _acall(impl, arguments)
            # The border to other people's code: what has happened has happened.
            except Exception:
                self._count_failure(impl.plugin_name, hook)

    def listens(self, hook: str) -> bool:
        """Say whether anybody but a built-in implements the hook."""
        return any(self._infos[impl.plugin_name].origin != "built-in" for impl in self._impls(hook))

    def _count_failure(self, name: str, hook: str) -> None:
        log.exception("plugin %r failed in %s", name, hook)
        info = self._infos[name]
        self._infos[name] = attrs.evolve(info, failures=info.failures + 1)

    def _impls(self, hook: str, *, first_asked_first: bool = True) -> list[pluggy.HookImpl]:
        impls = list(getattr(self._pm.hook, hook).get_hookimpls())
        return impls[::-1] if first_asked_first else impls


def _verify(impl: pluggy.HookImpl, known: tuple[str, ...], plugin: str) -> None:
    name = impl.function.__name__
    if impl.wrapper or impl.hookwrapper:
        raise PluginError(plugin, f"{name}: pluggy's wrappers are not used here; see wrap_task")
    if impl.trylast or impl.tryfirst:
        raise PluginError(plugin, f"{name}: order comes from registration, not tryfirst or trylast")
    if impl.kwargnames or inspect.getfullargspec(impl.function).kwonlyargs:
        raise PluginError(plugin, f"{name}: parameters are plain, without defaults or '*'")
    if unknown := set(impl.argnames) - set(known):
        raise PluginError(
            plugin, f"{name}: no parameter {sorted(unknown)}; there are {sorted(known)}"
        )
    if not name.startswith(("find_", "check_", "on_")) and inspect.iscoroutinefunction(
        impl.function
    ):
        raise PluginError(plugin, f"{name} must not be async")


def _nearest(name: str) -> str:
    from difflib import get_close_matches

    known = [n for n, f in vars(hookspecs).items() if hasattr(f, f"{hookspecs.PROJECT}_spec")]
    close = get_close_matches(name, known, n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


def _call(impl: pluggy.HookImpl, arguments: dict[str, object]) -> Any:
    result = impl.function(*(arguments[name] for name in impl.argnames))
    if inspect.iscoroutine(result):
        result.close()
        raise PluginError(impl.plugin_name, f"{impl.function.__name__} must not be async")
    return result


async def _acall(impl: pluggy.HookImpl, arguments: dict[str, object]) -> Any:
    result = impl.function(*(arguments[name] for name in impl.argnames))
    return await result if inspect.isawaitable(result) else result
