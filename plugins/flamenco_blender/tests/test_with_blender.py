"""With a real Blender, whichever this machine has."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import pytest
from flamenco_blender import worker
from flamenco_blender.single_image_render import SingleImageRender
from PIL import Image, ImageChops, ImageStat

from flamenco_core import CommandError, Submission
from flamenco_core.pictures.shrink import shrunk

pytestmark = pytest.mark.blender


@pytest.fixture
def render(run_command, blender, tiny_scene):
    async def run(*args: object, blendfile: str = tiny_scene):
        # By path: looking for it again would start it once more for each test.
        parameters = {
            "exe": blender[0],
            "argsBefore": [*blender[1:], "-b", "-y"],
            "blendfile": blendfile,
            "args": list(args),
        }
        return await run_command("blender-render", parameters, [worker])

    return run


def size(path: str) -> tuple[int, int]:
    with Image.open(path) as image:
        return image.size


async def test_a_task_that_says_blender_gets_the_one_that_is_there(run_command):
    parameters = {"exe": "blender", "exeArgs": "-b", "blendfile": "", "args": ["--version"]}
    record = await run_command("blender-render", parameters, [worker])
    assert any(line.startswith("Blender ") for line in record.lines)


async def test_each_frame_is_one_step_and_one_picture(render, tmp_path):
    record = await render("-o", f"{tmp_path}/out/####", "-F", "PNG", "-f", "1,3..4")
    pictures = [str(tmp_path / "out" / name) for name in ("0001.png", "0003.png", "0004.png")]
    assert (record.steps, record.outputs) == (3, pictures)
    assert record.activities == ["Frame 1", "Frame 3", "Frame 4"]
    assert record.frames == [1, 3, 4]
    assert size(pictures[0]) == (95, 53)


async def test_an_exr_looks_as_blender_itself_shows_it(render, tmp_path):
    """With all its passes, and with Blender's default view."""
    plain = "import bpy; bpy.context.scene.view_settings.view_transform = 'AgX'"
    files = []
    for format in ("PNG", "OPEN_EXR", "OPEN_EXR_MULTILAYER"):
        out = ("-o", f"{tmp_path}/{format}/#", "-F", format, "-f", 1)
        files += (await render("--python-expr", plain, *out)).outputs
    with Image.open(files[0]) as opened:
        shown = opened.convert("RGB")
    for file in files[1:]:
        (large,) = shrunk(Path(file).read_bytes(), "EXR", [(1920, 1080)])
        difference = ImageChops.difference(shown, Image.open(io.BytesIO(large)))
        assert max(ImageStat.Stat(difference).mean) < 6


async def test_a_whole_range_can_be_rendered_and_its_frames_kept(render, tmp_path):
    keep = "import bpy; bpy.context.scene.render.use_overwrite = False"
    args = ("--python-expr", keep, "-o", f"{tmp_path}/##", "-s", 2, "-e", 4, "-j", 2, "-a")
    assert (await render(*args)).outputs == [str(tmp_path / "02.png"), str(tmp_path / "04.png")]
    again = await render(*args)
    assert (again.steps, again.outputs) == (2, [])


async def test_missing_frames_only_are_rendered_again(render, tmp_path):
    keep = "import bpy; bpy.context.scene.render.use_overwrite = False"
    args = ("--python-expr", keep, "-o", f"{tmp_path}/##", "-s", 1, "-e", 3, "-a")
    await render(*args)
    (tmp_path / "02.png").unlink()
    again = await render(*args)
    assert (again.steps, again.outputs) == (3, [str(tmp_path / "02.png")])


@pytest.mark.parametrize(
    ("args", "reason"),
    [
        (["-E", "NO_SUCH_ENGINE", "-f", 1], "code 1: there is no render engine 'NO_SUCH_ENGINE'"),
        (
            ["--python-exit-code", 7, "--python-expr", "raise KeyError('x')"],
            "code 7: KeyError: 'x'",
        ),
        (["--python-expr", "import sys; sys.exit(5)"], "code 5"),
        (["-S", "Nowhere", "-f", 1], "there is no scene 'Nowhere'"),
        (["-S", "Empty", "-f", 1], "the scene has no camera"),
        (["-f", "x"], "not a number '-f / --render-frame x'"),
        (["-o", "/dev/null/x/##", "-f", 1], "cannot save /dev/null/x/01.png"),
    ],
)
async def test_failures_are_failures_and_say_why(render, args, reason):
    with pytest.raises(CommandError) as caught:
        await render(*args)
    assert reason in str(caught.value)


async def test_a_missing_file_is_named(render, tmp_path):
    with pytest.raises(CommandError, match=r"code 1: cannot open .*gone\.blend"):
        await render("-f", 1, blendfile=str(tmp_path / "gone.blend"))


async def test_what_is_no_blend_file_is_named(render, tmp_path):
    (tmp_path / "text.blend").write_text("hello")
    with pytest.raises(CommandError, match=r"code 1: not a blend file.*text\.blend"):
        await render("-f", 1, blendfile=str(tmp_path / "text.blend"))


async def test_an_error_in_a_script_alone_fails_nothing(render):
    record = await render("--python-expr", "raise KeyError('x')")
    assert record.steps == 0


async def test_scripts_find_their_arguments(render):
    record = await render("--python-expr", "import sys; print('got', sys.argv[-2:])", "--", "a", 1)
    assert "got ['a', '1']" in record.lines


def shim(*args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "flamenco_blender.bpy_blender", *args],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def wheel():
    pytest.importorskip("bpy", reason="NO BPY: pip install 'flamenco-blender[bpy]'")


@pytest.mark.usefixtures("wheel")
def test_the_wheel_says_what_a_blender_says(tiny_scene, tmp_path):
    done = shim("-b", tiny_scene, "-o", f"{tmp_path}/##", "-f", "2", "-F", "JPEG", "-f", "2")
    lines = done.stdout.splitlines()
    assert done.returncode == 0
    assert lines[0].startswith("Blender ")
    assert any("Read blend: " in line for line in lines)
    assert sum(line.lstrip().startswith("Time: ") for line in lines) == 2
    assert lines[-1] == "Blender quit"
    assert sorted(path.name for path in tmp_path.glob("0*")) == ["02.jpg", "02.png"]


@pytest.mark.usefixtures("wheel")
def test_the_wheel_answers_without_a_file_and_leaves_none(monkeypatch, tmp_path):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    assert shim("--help").stdout.startswith("Usage: flamenco-blender")
    version = shim("-b", "--version")
    assert (version.returncode, version.stdout[:8]) == (0, "Blender ")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("wheel")
def test_the_wheel_warns_of_bad_values_and_goes_on(tiny_scene, tmp_path):
    done = shim(
        "-b", tiny_scene, "-s", "q", "-x", "2", "-F", "NOPE", "-o", f"{tmp_path}/#", "-f", "1"
    )
    assert done.returncode == 0
    assert "Error: not a number '-s / --frame-start q'." in done.stdout
    assert "Error: Use '-x 1 / -x 0'" in done.stdout
    assert "Error: Format from '-F / --render-format' not known" in done.stdout
    assert (tmp_path / "1.png").exists()


@pytest.mark.usefixtures("wheel")
def test_handlers_of_scripts_do_not_keep_the_wheel_from_ending(tiny_scene):
    leave = "import bpy; bpy.app.handlers.render_pre.append(lambda *_: None)"
    done = shim("-b", tiny_scene, "--python-expr", leave)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "Blender quit")


async def test_tiles_put_together_are_the_whole_picture(render, tiny_scene, tmp_path):
    script = tmp_path / "prepare.py"
    script.write_text(
        "import bpy\n"
        "render = bpy.context.scene.render\n"
        "render.film_transparent = True\n"
        "render.image_settings.color_mode = 'RGBA'\n"
        "render.dither_intensity = 0\n"
        "bpy.context.scene.cycles.samples = 2\n"
    )
    prepare = ("--python", str(script))
    settings = {
        "frame": 2,
        "tile_columns": 2,
        "tile_rows": 2,
        "render_output_path": f"{tmp_path}/it's/image-####",
        "blendfile": tiny_scene,
        "format": "PNG",
        "image_file_extension": ".png",
    }
    job = await SingleImageRender.offered().compile(
        Submission(job_id="j", name="J", type="t", priority=50, created=0, settings=settings)
    )
    for task in job.tasks:
        record = await render(*prepare, *task.commands[0].parameters["args"])
    assert record.outputs == [str(tmp_path / "it's" / "image-0002.png")]
    await render(*prepare, "-o", f"{tmp_path}/whole-####", "-F", "PNG", "-f", 2)
    with Image.open(record.outputs[0]) as merged, Image.open(tmp_path / "whole-0002.png") as whole:
        assert (merged.size, merged.mode) == (whole.size, whole.mode) == ((95, 53), "RGBA")
        apart = ImageChops.difference(merged, whole).getextrema()
        assert max(high for _, high in apart) <= 2
        # There is something to see, and something to see through.
        assert whole.getextrema()[3] == (0, 255)
        assert whole.getextrema()[0][1] > 50


def test_the_sample_scene_is_built_and_renders(blender, tmp_path):
    import flamenco_blender

    script = Path(flamenco_blender.__file__).with_name("demo_scene.py")
    argv = [*blender, "-b", "--python-exit-code", "3", "--python", str(script)]
    path = tmp_path / "demo.blend"
    subprocess.run([*argv, "--", str(path)], check=True, timeout=120)
    fast = (
        "import bpy; scene = bpy.context.scene; scene.cycles.samples = 1; "
        "scene.render.resolution_percentage = 20"
    )
    argv = [*blender, "-b", str(path), "--python-exit-code", "3", "--python-expr", fast]
    subprocess.run([*argv, "-o", f"{tmp_path}/##", "-f", "1,24"], check=True, timeout=120)
    with Image.open(tmp_path / "01.png") as first, Image.open(tmp_path / "24.png") as last:
        assert len(first.resize((16, 9)).getcolors()) > 60
        assert ImageChops.difference(first, last).getbbox()
