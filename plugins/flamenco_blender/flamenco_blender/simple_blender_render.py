"""The job type ``simple-blender-render``: frames, and a preview video of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath

import attrs

from flamenco_blender.render_settings import (
    AUTO_PATH_PARTS,
    VIDEO_FORMATS,
    base_command,
    blend_stem,
    final_path,
    need,
    refuse_formats,
)
from flamenco_core import Author, JobType, JobTypeError, setting
from flamenco_core.domain.frames import frame_chunks, frame_count
from flamenco_core.offers.python_job_type import TaskDraft

__all__ = ["SimpleBlenderRender"]

# FFmpeg cannot show what an EXR file means; Blender's preview JPEGs beside it can.
_NEEDS_PREVIEWS = frozenset({"EXR", "MULTILAYER", "OPEN_EXR", "OPEN_EXR_MULTILAYER"})

# A task that is run again goes on where it was; no two tasks render the same frame. But
# Blender skips whatever has a frame's name: a run that was killed while it saved one would
# leave it empty or cut off for ever. Only the newest can be that one, so it goes. This has
# to be one line, in the arguments that Flamenco's Workers know; they are read from
# `sys.argv` because only there the paths are those of the Worker.
_PREPARE = (
    "import bpy, glob, os, sys; render = bpy.context.scene.render; "
    "render.use_file_extension = True; "
    "render.use_overwrite = False; render.use_placeholder = False; "
    "output, frames = "
    "[sys.argv[sys.argv.index(o) + 1] for o in ('--render-output', '--render-frame')]; "
    "parts = [part.split('..') for part in frames.split(',')]; "
    "numbers = [n for p in parts for n in range(int(p[0]), int(p[-1]) + 1)]; "
    "hashes = '#' * output.count('#'); "
    "names = [output.replace(hashes, str(n).zfill(len(hashes))) for n in numbers]; "
    "files = [glob.glob(glob.escape(name) + '[!0-9]*') for name in names]; "
    "newest = max(reversed([f for f in files if f]), default=[], "
    "key=lambda found: max(map(os.path.getmtime, found))); "
    "[os.remove(file) for file in newest]"
)

_ENCODE = ("-c:v", "h264", "-crf", "20", "-g", "18")
_EVEN_SIZE = ("-vf", "pad=ceil(iw/2)*2:ceil(ih/2)*2", "-pix_fmt", "yuv420p")


@attrs.frozen(kw_only=True)
class SimpleBlenderRender(JobType):
    """Render a range of frames, and make a preview video of them."""

    name = "simple-blender-render"
    label = "Simple Blender Render"

    frames: str = setting(
        required=True,
        description="Frames to render, such as '47', '1-30', '3,5-10,47-327'",
        eval="f'{C.scene.frame_start}-{C.scene.frame_end}'",
        eval_info={"showLinkButton": True, "description": "Scene frame range"},
    )
    chunk_size: int = setting(
        1, visible="submission", description="How many frames one task renders"
    )
    render_output_root: str = need(
        subtype="dir_path",
        visible="submission",
        description="Folder for the renders of all jobs; each job gets a folder in it",
    )
    add_path_components: int = setting(
        0,
        required=True,
        visible="submission",
        propargs={"min": 0, "max": 32},
        description="How many folders above the blend file to repeat in the output path",
    )
    render_output_path: str = setting(
        None,
        subtype="file_path",
        editable=False,
        eval=f"str(Path({AUTO_PATH_PARTS}, '######'))",
        description="Where the frames of this job go",
    )
    blendfile: str = setting(required=True, visible="web", description="The file to render")
    fps: float = setting(
        None, visible="hidden", eval="C.scene.render.fps / C.scene.render.fps_base"
    )
    format: str = setting(
        required=True, visible="web", eval="C.scene.render.image_settings.file_format"
    )
    image_file_extension: str = need(
        visible="hidden",
        eval="C.scene.render.file_extension",
        description="Extension of the frames' files",
    )
    has_previews: bool = setting(
        None,
        required=False,
        visible="hidden",
        eval="C.scene.render.image_settings.use_preview",
        description="Whether Blender writes a JPEG beside each EXR file",
    )
    scene: str = need(visible="web", eval="C.scene.name", description="The scene to render")

    def author(self, author: Author) -> None:
        """Write a task for each chunk, and one for the video of all of them."""
        refuse_formats(self.label, self.format, VIDEO_FORMATS)
        output = final_path(author, self.render_output_path)
        renders = self._author_renders(author, output)
        if self._can_be_video():
            self._author_video(author, output, renders)

    def _author_renders(self, author: Author, output: PurePosixPath) -> list[TaskDraft]:
        renders: list[TaskDraft] = []
        for chunk in self._chunks(author, self.chunk_size):
            task = author.task(f"render-{chunk}", "blender")
            task.command("blender-render", self._render(output, chunk), steps=frame_count(chunk))
            renders.append(task)
        return renders

    def _render(self, output: PurePosixPath, chunk: str) -> dict[str, object]:
        return base_command(
            self.blendfile,
            self.scene,
            *("--python-expr", _PREPARE),
            *("--render-output", str(output)),
            *("--render-format", self.format),
            *("--render-frame", chunk.replace("-", "..")),
        )

    def _can_be_video(self) -> bool:
        return bool(self.fps) and (self.format not in _NEEDS_PREVIEWS or bool(self.has_previews))

    def _author_video(
        self, author: Author, output: PurePosixPath, renders: Sequence[TaskDraft]
    ) -> None:
        extension = ".jpg" if self.format in _NEEDS_PREVIEWS else self.image_file_extension
        if not extension:
            raise JobTypeError("no image_file_extension setting: which files are the frames?")
        video = f"{blend_stem(self.blendfile)}-{self._frames_in_name(author)}.mp4"
        parameters = {
            "exe": "ffmpeg",
            "fps": self.fps,
            "inputGlob": str(output.parent / f"*{extension}"),
            "outputFile": str(output.parent / video),
            # The rate stays a number, as Flamenco's own job type has it.
            "args": [*_ENCODE, *_EVEN_SIZE, "-r", self.fps, "-y"],
        }
        author.task("preview-video", "ffmpeg").command("frames-to-video", parameters).after(
            *renders
        )

    def _frames_in_name(self, author: Author) -> str:
        if "," not in self.frames:
            return self.frames
        single = self._chunks(author, 1)
        return f"{single[0]}-{single[-1]}"

    def _chunks(self, author: Author, size: int) -> list[str]:
        try:
            return frame_chunks(self.frames, size, author.job.most_frames)
        except ValueError as error:
            raise JobTypeError(f"frames: {error}") from error
