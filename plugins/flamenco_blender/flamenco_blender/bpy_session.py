"""Carry out Blender's options with the ``bpy`` module."""

# ruff: noqa: T201 - what this prints is a program's output

from __future__ import annotations

import runpy
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from flamenco_blender.bpy_arguments import BadValue, Quit, help_text, number
from flamenco_blender.bpy_frames import SceneRange, frames_in, moved
from flamenco_blender.bpy_report import FrameReport

__all__ = ["Session"]

# The command line's own names for formats, beside those that files use.
_FORMATS = {
    "TGA": "TARGA",
    "RAWTGA": "TARGA_RAW",
    "JP2": "JPEG2000",
    "EXR": "OPEN_EXR",
    "MULTILAYER": "OPEN_EXR_MULTILAYER",
}
_MEDIA = {"FFMPEG": "VIDEO", "OPEN_EXR_MULTILAYER": "MULTI_LAYER_IMAGE"}


class Session:
    """One Blender: each method carries out one option; see `bpy_arguments.OPTIONS`."""

    def __init__(self, bpy: Any, report: FrameReport) -> None:
        self._bpy = bpy
        self._report = report
        self._use_scripts: bool | None = None
        self._threads: int | None = None
        self._exit_code = 0
        self.file = ""

    @property
    def _scene(self) -> Any:
        return self._bpy.context.scene

    # ------------------------------------------------------------------ early ones

    def version(self) -> None:
        """Print which Blender this is, and end."""
        self._say(f"Blender {self._bpy.app.version_string}\n\tas the Python module bpy")
        raise Quit(0, told=False)

    def help(self) -> None:
        """Print the options, and end."""
        self._say(help_text())
        raise Quit(0, told=False)

    def factory(self) -> None:
        """Forget the user's settings."""
        self._bpy.ops.wm.read_factory_settings()

    def autoexec(self) -> None:
        """Let files run their scripts and drivers."""
        self._allow_scripts(True)

    def no_autoexec(self) -> None:
        """Keep files from running scripts and drivers."""
        self._allow_scripts(False)

    def threads(self, text: str) -> None:
        """Render with so many threads, 0 for all that there are."""
        self._threads = number(text, "-t / --threads")
        self._apply_threads()

    # -------------------------------------------------------------- files, settings

    def load(self, path: str) -> None:
        """Open a blend file; Blender ends with 1 if it cannot."""
        self.file = str(Path(path).absolute())
        if path.startswith("-"):
            self._say(f"unknown argument, loading as file: {path}")
        scripts = {} if self._use_scripts is None else {"use_scripts": self._use_scripts}
        self._operate(self._bpy.ops.wm.open_mainfile, filepath=self.file, load_ui=False, **scripts)
        self._apply_threads()

    def engine(self, name: str) -> None:
        """Set the render engine; Blender ends with 1 if there is none of this name."""
        try:
            self._scene.render.engine = name
        except TypeError:
            self._say(f"Error: engine not found '{name}'")
            raise Quit(1, told=False) from None

    def scene(self, name: str) -> None:
        """Change to another scene; Blender keeps the present one if there is none."""
        scene = self._bpy.data.scenes.get(name)
        if scene is None:
            self._say(f"Can't find scene: '{name}' in file: '{self.file}'")
        else:
            self._bpy.context.window.scene = scene

    def output(self, path: str) -> None:
        """Set where frames go."""
        self._scene.render.filepath = path

    def format(self, name: str) -> None:
        """Set the file format; Blender keeps the present one if it knows none."""
        name = _FORMATS.get(name, name)
        settings = self._scene.render.image_settings
        try:
            # Since 5.0 the kind of file comes before its format.
            if hasattr(settings, "media_type"):
                settings.media_type = _MEDIA.get(name, "IMAGE")
            settings.file_format = name
        except TypeError:
            raise BadValue(
                "Format from '-F / --render-format' not known or not compiled in this release."
            ) from None

    def extension(self, text: str) -> None:
        """Add the file extension, or do not."""
        if text not in ("0", "1"):
            raise BadValue("Use '-x 1 / -x 0' To set the extension option or '--use-extension'")
        self._scene.render.use_file_extension = text == "1"

    def start(self, text: str) -> None:
        """Set the first frame."""
        self._scene.frame_start = moved(self._scene.frame_start, text, "-s / --frame-start")

    def end(self, text: str) -> None:
        """Set the last frame."""
        self._scene.frame_end = moved(self._scene.frame_end, text, "-e / --frame-end")

    def jump(self, text: str) -> None:
        """Render each Nth frame."""
        self._scene.frame_step = max(1, number(text, "-j / --frame-jump"))

    # ------------------------------------------------------------------- rendering

    def render_anim(self) -> None:
        """Render from the first frame to the last."""
        scene = self._scene
        self._report.begin(range(scene.frame_start, scene.frame_end + 1, scene.frame_step))
        self._operate(self._bpy.ops.render.render, animation=True)
        self._report.end()

    def render_frame(self, text: str) -> None:
        """Render single frames and ranges."""
        scene = self._scene
        present = SceneRange(scene.frame_start, scene.frame_end)
        frames = frames_in(text, present, "-f / --render-frame")
        keep = scene.frame_start, scene.frame_end, scene.frame_step
        for frame in frames:
            # An animation of one frame: only animations name their files by frame.
            scene.frame_start = scene.frame_end = frame
            scene.frame_step = 1
            self.render_anim()
        scene.frame_start, scene.frame_end, scene.frame_step = keep

    # ---------------------------------------------------------------------- Python

    def python_file(self, path: str) -> None:
        """Run a Python file."""
        self._python(f"file: '{path}'", lambda: runpy.run_path(path, run_name="__main__"))

    def python_expr(self, text: str) -> None:
        """Run a Python text."""
        self._python(f"expr: '{text}'", lambda: exec(text, {"__name__": "__main__"}))  # noqa: S102

    def python_text(self, name: str) -> None:
        """Run a text block of the file."""
        self._python(
            f"text: '{name}'",
            lambda: exec(self._bpy.data.texts[name].as_string(), {"__name__": "__main__"}),  # noqa: S102
        )

    def exit_code(self, text: str) -> None:
        """End with this code if one of the following scripts fails; 0 for never."""
        code = number(text, "--python-exit-code")
        if not 0 <= code <= 255:
            raise BadValue(f"not a number '--python-exit-code {text}', expected [0..255].")
        self._exit_code = code

    def addons(self, names: str) -> None:
        """Enable add-ons."""
        import addon_utils  # type: ignore[import-not-found, unused-ignore]

        for name in names.split(","):
            addon_utils.enable(name, default_set=False, persistent=True)

    # --------------------------------------------------------------------- helpers

    def _python(self, what: str, run: Callable[[], object]) -> None:
        try:
            run()
        except SystemExit as stop:
            raise Quit(stop.code if isinstance(stop.code, int) else 0, told=False) from None
        # The border to other people's scripts: Blender prints what they raise, and goes on.
        except Exception:
            traceback.print_exc()
            if self._exit_code:
                self._say(f"Error: script failed, {what}, exiting with code {self._exit_code}.")
                raise Quit(self._exit_code, told=False) from None

    def _operate(self, operator: Callable[..., object], **arguments: Any) -> None:
        try:
            operator(**arguments)
        except RuntimeError as error:
            # The module has printed it already, on most but not on all ways.
            raise Quit(1) from error

    def _allow_scripts(self, allowed: bool) -> None:
        self._use_scripts = allowed
        self._bpy.context.preferences.filepaths.use_scripts_auto_execute = allowed

    def _apply_threads(self) -> None:
        if self._threads is not None:
            for scene in self._scenes():
                scene.render.threads_mode = "FIXED" if self._threads else "AUTO"
                scene.render.threads = self._threads or scene.render.threads

    def _scenes(self) -> Sequence[Any]:
        return list(self._bpy.data.scenes)

    def _say(self, text: str) -> None:
        print(text)
