"""Scripts that mean harm: refused with a reason, and nobody else notices."""

from __future__ import annotations

import os
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import anyio
import anyio.to_thread
import pytest
from flamenco_javascript.compiler import Compiler
from flamenco_javascript.definition import Definition
from flamenco_javascript.folder import Script
from flamenco_javascript.job_types import ScriptJobType
from flamenco_javascript.process import Child
from flamenco_javascript.settings import Settings

from flamenco_core.errors import JobTypeError
from flamenco_core.offers import AuthoredJob, Submission

Compile = Callable[..., Awaitable[AuthoredJob]]

SLOW = "test.js: too slow: it ran for more than 1 seconds; does it loop for ever?"
FAT = "too much memory: it needs more than 64 MB; does something grow for ever?"

# The body of compileJob, and what the artist is told.
ATTACKS = {
    "endless loop": ("while (true) {}", SLOW),
    "async loop": ("(async () => { while (true) await null; })();", SLOW),
    "regular expression": ("/^(a+)+$/.test('a'.repeat(40) + 'b')", SLOW),
    "getter that loops": (
        "Object.defineProperty(job.settings, 'x', {enumerable: true, get() { while (true) {} }})",
        SLOW,
    ),
    "toJSON that loops": ("Object.prototype.toJSON = () => { while (true) {} };", SLOW),
    "stack that loops": ("Error.prepareStackTrace = () => { while (true) {} }; null.x;", SLOW),
    "large array": ("job.settings.x = new Array(3e8).fill(1.5).map(String)", (SLOW, FAT)),
    "many arrays": (
        "const a = []; while (true) a.push(new Array(10000).fill(Math.random()));",
        FAT,
    ),
    "typed arrays": (
        "const a = []; while (true) a.push(new Uint8Array(1 << 26).fill(1));",
        f"test.js:3:35: {FAT}",
    ),
    "memory of WebAssembly": (
        "const a = []; while (true) a.push(new WebAssembly.Memory({initial: 1600}));",
        "ReferenceError: WebAssembly is not defined (test.js:3:39)",
    ),
    "result of 500 MB": ("job.settings.x = 'x'.repeat(5e8)", ("too large: it comes to", FAT)),
    "result of many texts": (
        "job.settings.x = []; const big = 'x'.repeat(1e6);"
        " for (let i = 0; i < 1000; i++) job.settings.x.push(big);",
        "test.js: too large: it comes to more than 4 MB",
    ),
    "list without end": (
        "job.settings.x = new Proxy([], {get: (list, key) => key === 'length' ? 2 ** 50 : 1})",
        ("too large: it comes to more than 4 MB", SLOW, FAT),
    ),
    "deep recursion": (
        "const f = () => f(); f();",
        "RangeError: Maximum call stack size exceeded (test.js:3:17)",
    ),
    "deep settings": (
        "let x = {}; for (let i = 0; i < 1e5; i++) x = {x}; job.settings.x = x;",
        "nested too deeply",
    ),
    "ten million tasks": (
        "for (let i = 0; i < 1e7; i++) job.addTask(author.Task('a' + i, 'misc'));",
        "test.js:3:35: too large: it makes more than 100000 tasks (plugins: javascript: tasks)",
    ),
    "endless frames": (
        "frameChunker('1-9999999999', 1)",
        'invalid range "1-9999999999": more than 1000000 frames (limits: frames_per_range)',
    ),
    "poisoned prototypes": (
        "Object.prototype.toJSON = () => 1; Array.prototype.includes = null;",
        "test.js: this is no job",
    ),
}

LIMITS = Settings(
    seconds=1, kill_after=5, memory_mb=64, process_mb=300, answer_mb=4, at_once=3, queue=100
)


class Watched:
    """Starts children, and remembers who they were."""

    def __init__(self) -> None:
        self.pids: list[int] = []

    def __call__(self) -> Child:
        child = Child()
        self.pids.append(child.pid)
        return child


def job_type(compiler: Compiler, body: str) -> ScriptJobType:
    source = f'const JOB_TYPE = {{label: "T"}};\nfunction compileJob(job) {{\n{body}\n}}'
    return ScriptJobType(
        name="test",
        source_hash="",
        definition=Definition(label="T", description="", settings=()),
        script=Script(name="test", path=Path("test.js"), source=source),
        compiler=compiler,
        new_id=lambda: "00000000-0000-4000-8000-000000000001",
    )


def own_memory() -> float:
    """Return this process's resident memory in MB; 0 where it cannot be told."""
    statm = Path("/proc/self/statm")
    return (
        int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
        if statm.exists()
        else 0
    )


def lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


class Pulse:
    """Beats in the event loop; a late beat is a blocked loop."""

    def __init__(self) -> None:
        self.worst = 0.0
        self.memory = 0.0

    async def beat(self) -> None:
        while True:
            start = time.perf_counter()
            await anyio.sleep(0.01)
            self.worst = max(self.worst, time.perf_counter() - start - 0.01)
            self.memory = max(self.memory, own_memory())


@pytest.fixture
def pulse() -> Pulse:
    return Pulse()


async def test_no_attack_succeeds_and_nobody_else_notices(
    submission: Callable[..., Submission], pulse: Pulse
) -> None:
    start = Watched()
    compiler = Compiler(LIMITS, start)
    told: dict[str, str] = {}

    async def attack(name: str) -> None:
        try:
            await job_type(compiler, ATTACKS[name][0]).compile(submission())
        except JobTypeError as error:
            told[name] = str(error)

    # Threads and their stacks come with the first run; they are no attack's doing.
    await job_type(compiler, "").compile(submission())
    before = own_memory()
    async with anyio.create_task_group() as group:
        group.start_soon(pulse.beat)
        async with anyio.create_task_group() as attacks:
            for name in ATTACKS:
                attacks.start_soon(attack, name)
        group.cancel_scope.cancel()

    assert told.keys() == ATTACKS.keys(), "these were let through"
    for name, (_, expected) in ATTACKS.items():
        reasons = (expected,) if isinstance(expected, str) else expected
        assert any(reason in told[name] for reason in reasons), (name, told[name])
    assert not any(lives(pid) for pid in start.pids)
    assert len(start.pids) == len(ATTACKS) + 1
    assert pulse.memory - before < 20
    # Generous, for machines that do other things as well; idle, it is a few milliseconds.
    assert pulse.worst < 0.5


async def test_a_script_cannot_put_its_own_words_in_place_of_the_answer(
    compiled: Compile,
) -> None:
    job = await compiled(
        """
        JSON.stringify = () => '{"job": "mine"}'; JSON.parse = null;
        globalThis.eval = null; Promise.prototype.then = null;
        job.addTask(author.Task('a', 'misc'));
        """
    )
    assert [task.name for task in job.tasks] == ["a"]


async def test_with_the_default_limits_a_loop_ends_within_six_seconds(compiled: Compile) -> None:
    start = time.perf_counter()
    with pytest.raises(JobTypeError, match="too slow: it ran for more than 3 seconds"):
        await compiled("while (true) {}")
    assert 2.5 < time.perf_counter() - start < 6


async def test_an_ordinary_memory_hog_is_told_the_limit(compiled: Compile) -> None:
    with pytest.raises(JobTypeError, match="too much memory: it needs more than 256 MB"):
        # Filling that much memory takes a while on a busy machine; the time is not the matter.
        await compiled(
            "const a = []; while (true) a.push({a: [1, 2, 3]});",
            limits=Settings(seconds=60, kill_after=90),
        )


@pytest.mark.skipif(os.name != "posix", reason="other systems have no such limits")
async def test_the_child_has_given_up_its_rights(tmp_path: Path) -> None:
    # The program itself, with a script's place taken by a look at its own limits.
    from flamenco_javascript import process

    program = tmp_path / "spy.py"
    source = process._CHILD.read_text().replace(
        "    answer(run(context, host, request.decode()))",
        "    names = ('CPU', 'FSIZE', 'CORE', 'NOFILE', 'NPROC')\n"
        "    found = [resource.getrlimit(getattr(resource, 'RLIMIT_' + n))[1] for n in names]\n"
        "    found += [dict(os.environ), os.getcwd(), os.getsid(0) == os.getpid()]\n"
        "    answer('{\"ok\":' + json.dumps(found) + '}')",
    )
    program.write_text(source.replace('Path(__file__).with_name("js")', repr_path(process._CHILD)))
    compiler = Compiler(Settings(), lambda: Child(program))
    script = Script(name="x", path=Path("x.js"))
    answer = await compiler.ask(script, "describe")
    assert answer.replace(b" ", b"") in (
        b'[6,0,0,0,0,{},"/",true]',
        b'[6,0,0,0,0,{"LC_CTYPE":"C.UTF-8"},"/",true]',
    )


def repr_path(child: Path) -> str:
    return f"Path({str(child.with_name('js'))!r})"
