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
from importlib.metadata import entry_points
from typing import Any, Literal

import attrs
import pluggy

from flamenco_core import hookspecs
from flamenco_core.errors import DuplicateName, MissingPlugin, PluginError
from flamenco_core.hook_rules import Named, named_offers, verified_hooks
from flamenco_core.offers.problem import Problem

__all__ = ["Origin", "PluginInfo", "Plugins", "Side"]

log = logging.getLogger(__name__)

HELD_UP = 0.25
"""Seconds that a hook which is told something may take at once."""

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
        self._homonyms: list[PluginInfo] = []
        self._asked: dict[str, list[pluggy.HookImpl]] = {}
        self._offers: dict[str, dict[str, Any]] = {}
        self._owners: dict[tuple[str, str], str] = {}
        self.blocked = frozenset(blocked)
        for name in self.blocked:
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
        self._load(PluginInfo(name=name, origin=origin, version=version), lambda: plugin)

    def load_installed(self) -> None:
        """Load the entry points of group ``flamenco.<side>``, by name."""
        for point in sorted(entry_points(group=f"flamenco.{self.side}")):
            version = point.dist.version if point.dist else None
            self._load(PluginInfo(name=point.name, origin="installed", version=version), point.load)

    def off(self, name: str, origin: Origin, error: BaseException) -> None:
        """Note a plugin that could not even be imported."""
        self._fail(PluginInfo(name=name, origin=origin), error)

    def turn_off(self, name: str, error: PluginError) -> None:
        """Turn off a plugin whose offers turn out to be of no use."""
        self._fail(self._infos[name], error)

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

    def _load(self, info: PluginInfo, load: Callable[[], object]) -> None:
        if info.name in self.blocked:
            self._infos[info.name] = attrs.evolve(info, state="blocked")
            return
        try:
            self._add(load(), info)
        # The border to other people's code: whatever it raises, the farm starts. A module
        # that calls sys.exit() when it is imported is one more way to be broken.
        except (Exception, SystemExit) as error:
            self._fail(info, error)

    def _add(self, plugin: object, info: PluginInfo) -> None:
        if self._pm.is_registered(plugin):
            return
        hooks = verified_hooks(self._pm, plugin, info.name)
        if known := self._infos.get(info.name):
            raise DuplicateName(
                info.name,
                f"there is another plugin of this name ({known.origin}); rename one of the two",
            )
        self._pm.register(plugin, info.name)
        self._asked.clear()
        self._infos[info.name] = attrs.evolve(info, hooks=hooks)

    def _fail(self, info: PluginInfo, error: BaseException) -> None:
        text = str(error) if isinstance(error, PluginError) else repr(error)
        off = attrs.evolve(info, state="off", error=text, offers=())
        known = self._infos.get(info.name)
        if known and known is not info:
            # The name is taken; the one that has it stays as it is, so both are listed.
            if known.error != text:
                self._homonyms.append(off)
        else:
            self._drop(info.name)
            self._infos[info.name] = off
        if self.strict:
            raise error
        log.error("plugin %r is off: %s", info.name, text)

    def _drop(self, name: str) -> None:
        if self._pm.has_plugin(name):
            self._pm.unregister(name=name)
            self._asked.clear()
        for hook, offers in self._offers.items():
            for offer in [o for o in offers if self._owners[hook, o] == name]:
                del offers[offer], self._owners[hook, offer]

    def __iter__(self) -> Iterator[PluginInfo]:
        known = [*self._infos.values(), *self._homonyms]
        return iter(sorted(known, key=lambda info: info.name))

    def __getitem__(self, name: str) -> PluginInfo:
        return self._infos[name]

    # -- calling: one method for each verb ---------------------------------------

    def registered(self, hook: str, **arguments: object) -> dict[str, Any]:
        """Call a ``register_*`` hook; return what is offered, by name.

        When a plugin fails in a later hook, its offers vanish from this dictionary too:
        use it when all hooks of the start are called, and do not copy it before.

        Raises `DuplicateName` when two plugins offer one name: which of the two is meant
        is for a person to say.
        """
        offers = self._offers[hook] = {}
        for impl in self._impls(hook, first_asked_first=False):
            try:
                offered = named_offers(hook, _call(impl, arguments), offers)
            # The border to other people's code. Generators fail here, while iterated.
            except Exception as error:
                broken = PluginError(impl.plugin_name, f"{hook}: {error!r}")
                self._fail(self._infos[impl.plugin_name], broken)
                continue
            for name, offer in offered.items():
                self._refuse_duplicate(hook, name, impl.plugin_name)
                offers[name] = offer
                self._owners[hook, name] = impl.plugin_name
            self._note_offers(impl.plugin_name)
        return offers

    def _refuse_duplicate(self, hook: str, name: str, plugin: str) -> None:
        if name in self._offers[hook]:
            raise DuplicateName(
                plugin,
                f"{name!r} is already offered by plugin {self._owners[hook, name]!r};"
                f" add one of the two to 'blocked:' in the settings",
            )

    def _note_offers(self, plugin: str) -> None:
        names = tuple(name for (_, name), owner in self._owners.items() if owner == plugin)
        self._infos[plugin] = attrs.evolve(self._infos[plugin], offers=names)

    def owner_of(self, hook: str, offer: str) -> str | None:
        """Return the name of the plugin that made an offer."""
        return self._owners.get((hook, offer))

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
                problems = _problems(await _acall(impl, arguments), name)
            # The border to other people's code: a broken check must not open the door.
            except Exception as error:
                self._count_failure(name, hook)
                problems = [Problem(f"plugin {name!r} failed in {hook}: {error!r}", plugin=name)]
            found += problems
        return found

    async def wrap(self, stack: AsyncExitStack, hook: str, **arguments: object) -> None:
        """Enter every plugin's context manager on *stack*.

        What one of them raises, on the way in or out, names its plugin. None of them can
        hide an error of the work inside.
        """
        for impl in self._impls(hook):
            try:
                manager = _call(impl, arguments)
            # The border to other people's code: the task fails, and says through whom.
            except Exception as error:
                raise PluginError(impl.plugin_name, f"{hook}: {error}") from error
            if manager is not None:
                await stack.enter_async_context(Named(manager, impl.plugin_name, hook))

    async def tell(self, hook: str, **arguments: object) -> None:
        """Call an ``on_*`` hook; a plugin that raises is logged and the rest still hear."""
        for impl in self._impls(hook):
            try:
                await _acall(impl, arguments)
            # The border to other people's code: what has happened has happened.
            except Exception:
                self._count_failure(impl.plugin_name, hook)

    def listeners(self, hook: str) -> list[str]:
        """Return the names of the plugins that implement a hook."""
        return [impl.plugin_name for impl in self._impls(hook)]

    async def tell_one(self, name: str, hook: str, limit: float, **arguments: object) -> bool:
        """Call one plugin's ``on_*`` hook; say whether it went well within *limit* seconds.

        A failure is logged and counted. A plugin that is off by now is not called.
        """
        from asyncio import get_running_loop, timeout

        impl = next((impl for impl in self._impls(hook) if impl.plugin_name == name), None)
        try:
            if impl is not None:
                started = get_running_loop().time()
                async with timeout(limit):
                    waits = impl.function(*map(arguments.__getitem__, impl.argnames))
                    took = get_running_loop().time() - started
                    if inspect.isawaitable(waits):
                        await waits
                _refuse_holding_up(name, hook, took)
        # The border to other people's code: what has happened has happened.
        except Exception:
            self._count_failure(name, hook)
            return False
        return True

    def note(self, name: str, error: str) -> None:
        """Let the list of plugins say what is wrong with one that stays on."""
        log.error("plugin %r: %s", name, error)
        self._infos[name] = attrs.evolve(self._infos[name], error=error)

    def listens(self, hook: str) -> bool:
        """Say whether anybody but a built-in implements the hook."""
        return any(self._infos[impl.plugin_name].origin != "built-in" for impl in self._impls(hook))

    def _count_failure(self, name: str, hook: str) -> None:
        log.exception("plugin %r failed in %s", name, hook)
        info = self._infos[name]
        self._infos[name] = attrs.evolve(info, failures=info.failures + 1)

    def _impls(self, hook: str, *, first_asked_first: bool = True) -> list[pluggy.HookImpl]:
        # Looked up in every request; the list changes only when a plugin comes or goes.
        if (asked := self._asked.get(hook)) is None:
            asked = self._asked[hook] = getattr(self._pm.hook, hook).get_hookimpls()[::-1]
        return list(asked if first_asked_first else asked[::-1])


def _problems(answer: Any, plugin: str) -> list[Problem]:
    problems = list(answer or ())
    for problem in problems:
        if not isinstance(problem, Problem):
            raise TypeError(f"expected Problem, not {problem!r}")
    return [p if p.plugin else attrs.evolve(p, plugin=plugin) for p in problems]


def _call(impl: pluggy.HookImpl, arguments: dict[str, object]) -> Any:
    result = impl.function(*(arguments[name] for name in impl.argnames))
    if inspect.iscoroutine(result):
        result.close()
        raise PluginError(impl.plugin_name, f"{impl.function.__name__} must not be async")
    return result


def _refuse_holding_up(name: str, hook: str, seconds: float) -> None:
    if seconds > HELD_UP:
        raise PluginError(
            name, f"{hook} held everybody up for {seconds:.1f} s; make it async, or use a thread"
        )


async def _acall(impl: pluggy.HookImpl, arguments: dict[str, object]) -> Any:
    # In every request, several times: no generator, and no question about None.
    result = impl.function(*map(arguments.__getitem__, impl.argnames))
    if result is None:
        return None
    return await result if inspect.isawaitable(result) else result
