from __future__ import annotations

import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from flamenco_ffmpeg import worker
from flamenco_ffmpeg.command import FramesToVideo
from flamenco_ffmpeg.progress import frames_done, report

from flamenco_core import CommandError
from flamenco_core.testing import CommandContract, Record

ENCODE = ["-c:v", "h264", "-crf", "20", "-g", "18", "-vf", "pad=ceil(iw/2)*2:ceil(ih/2)*2"]
ARGS = [*ENCODE, "-pix_fmt", "yuv420p", "-r", 24, "-y"]


class TestContract(CommandContract):
    command = FramesToVideo
    parameters = {
        "exe": "ffmpeg",
        "exeArgs": "-v quiet",
        "argsBefore": ["-y"],
        "fps": 23.976,
        "inputGlob": "/x/*.png",
        "outputFile": "/x/x.mp4",
        "args": ["-r", 24],
    }


def counted(ffmpeg: str, video: Path) -> int:
    """Decode a video again, and count."""
    done = subprocess.run(
        [ffmpeg, "-hide_banner", "-nostdin", "-i", str(video), "-f", "null", "-"],
        stderr=subprocess.PIPE,
        text=True,
        check=True,
    )
    return int(re.findall(r"frame=\s*(\d+)", done.stderr)[-1])


def reds(ffmpeg: str, video: Path) -> list[int]:
    """Return how red each frame of a video is."""
    as_rgb = "-vf scale=1:1 -f rawvideo -pix_fmt rgb24 -"
    raw = subprocess.run(
        [ffmpeg, "-v", "error", "-i", str(video), *as_rgb.split()],
        stdout=subprocess.PIPE,
        check=True,
    ).stdout
    return list(raw[::3])


@pytest.fixture
def make_video(run_command, ffmpeg, frames):
    async def make(pattern: str = "*.png", **given) -> Record:
        parameters = {
            "exe": ffmpeg,
            "fps": 24,
            "inputGlob": f"{frames}/{pattern}",
            "outputFile": str(frames / "video.mp4"),
            "args": ARGS,
            **given,
        }
        return await run_command("frames-to-video", parameters, plugins=[worker])

    return make


async def test_every_frame_is_in_the_video(make_video, ffmpeg, frames, paint):
    for number in range(1, 21):
        paint(frames / f"{number:06d}.png", number)
    record = await make_video()
    assert counted(ffmpeg, frames / "video.mp4") == 20
    assert record.activities[-1] == "Encoded 20 of 20 frames"
    assert record.steps == 0


async def test_frames_are_in_order_and_gaps_are_closed(make_video, ffmpeg, frames, paint):
    numbers = [1, 2, 9, 10, 11, 20]
    for number in numbers:
        paint(frames / f"f{number}.png", number)
    await make_video()
    seen = reds(ffmpeg, frames / "video.mp4")
    assert len(seen) == len(numbers)
    assert all(abs(red - number * 10) < 12 for red, number in zip(seen, numbers, strict=True))


async def test_mixed_file_formats_are_all_in_the_video(make_video, ffmpeg, frames, paint):
    extensions = ["png", "jpg", "tif", "jpeg", "PNG", "bmp"]
    for number in range(1, 19):
        paint(frames / f"{number:04d}.{extensions[number % 6]}", number)
    record = await make_video("*")
    seen = reds(ffmpeg, frames / "video.mp4")
    assert len(seen) == 18
    assert all(abs(red - number * 10) < 14 for number, red in enumerate(seen, start=1))
    assert any("converting mixed files" in line for line in record.lines)


@pytest.mark.parametrize("fps", [1, 23.976, 25, 30000 / 1001, 60])
async def test_no_rate_drops_or_doubles_frames(make_video, ffmpeg, frames, paint, fps):
    for number in range(1, 14):
        paint(frames / f"{number:04d}.png", number)
    await make_video(fps=fps, args=[*ENCODE, "-pix_fmt", "yuv420p", "-r", fps, "-y"])
    assert counted(ffmpeg, frames / "video.mp4") == 13


async def test_odd_names_and_sizes_are_no_trouble(run_command, ffmpeg, tmp_path, paint):
    folder = tmp_path / "it's [a] #shot %d"
    folder.mkdir()
    for number in (1, 2, 3):
        paint(folder / f"that's {number} %03d.png", number, size=(65, 37))
    video = tmp_path / "made" / "for you" / "it's.mp4"
    parameters = {"exe": ffmpeg, "fps": 24, "inputGlob": f"{folder}/*.png", "args": ARGS}
    await run_command("frames-to-video", parameters | {"outputFile": str(video)}, [worker])
    assert counted(ffmpeg, video) == 3


async def test_a_task_that_says_ffmpeg_gets_the_one_that_is_there(make_video, frames, paint):
    paint(frames / "1.png", 1)
    await make_video(exe="ffmpeg")
    assert (frames / "video.mp4").stat().st_size


async def test_no_frames_is_a_clear_error(make_video):
    with pytest.raises(CommandError, match=r"no frames found: no file matches .*\*\.png"):
        await make_video()


async def test_a_broken_frame_does_not_pass_for_success(make_video, frames):
    (frames / "1.png").write_text("not a picture")
    with pytest.raises(CommandError, match=r"command exited abnormally with code \d+"):
        await make_video()


async def test_a_frame_that_cannot_be_read_is_told_of(make_video, frames, paint):
    for number in range(1, 9):
        paint(frames / f"{number}.png", number)
    (frames / "5.png").write_bytes((frames / "5.png").read_bytes()[:60])
    record = await make_video()
    assert "frames-to-video: only 7 of 8 frames are in the video" in record.lines


async def test_a_video_that_exists_is_kept_without_y(make_video, frames, paint):
    paint(frames / "1.png", 1)
    (frames / "video.mp4").write_text("precious")
    with pytest.raises(CommandError):
        await make_video(args=ENCODE)
    assert (frames / "video.mp4").read_text() == "precious"


@pytest.fixture
def fake_ffmpeg(tmp_path) -> Path:
    """A program that writes its arguments, and leaves the video to *video.sh*."""
    path = tmp_path / "fake.py"
    path.write_text(
        f"#!{sys.executable}\n"
        "import pathlib, sys\n"
        "print('argv', *sys.argv[1:], sep='|')\n"
        "index = sys.argv[sys.argv.index('-i') + 1]\n"
        "print(pathlib.Path(index).read_text())\n"
        "if 'empty' in sys.argv: pathlib.Path(sys.argv[-1]).touch()\n"
        "if 'good' in sys.argv: pathlib.Path(sys.argv[-1]).write_text('video')\n"
    )
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


async def test_the_command_line_keeps_the_order_that_job_types_expect(
    make_video, fake_ffmpeg, frames, paint
):
    paint(frames / "1.png", 1)
    record = await make_video(
        exe=str(fake_ffmpeg),
        exeArgs="-v 'a b' x#y # comment",
        argsBefore=["-before", 1],
        fps=24.0,
        args=["good", "-r", 24, "-crf", 20.5, True],
    )
    argv = next(line for line in record.lines if line.startswith("argv|")).split("|")[1:]
    assert argv[:5] == ["-v", "a b", "x#y", "-before", "1"]
    at = argv.index("-protocol_whitelist")
    assert argv[at : at + 8] == [
        *("-protocol_whitelist", "file,pipe", "-r", "24", "-f", "concat", "-safe", "0"),
    ]
    assert argv[-9:] == [
        *("good", "-r", "24", "-crf", "20.5", "true", "-r", "24"),
        str(frames / "video.mp4"),
    ]
    assert "-nostdin" in argv[:at]


async def test_nothing_is_left_in_the_temporary_folder(make_video, fake_ffmpeg, frames, paint):
    paint(frames / "1.png", 1)
    record = await make_video(exe=str(fake_ffmpeg), args=["good"])
    argv = next(line for line in record.lines if line.startswith("argv|")).split("|")
    index = Path(argv[argv.index("-i") + 1])
    assert not index.parent.exists()
    assert sorted(path.name for path in frames.iterdir()) == ["1.png", "video.mp4"]


@pytest.mark.parametrize(("args", "reason"), [([], "there is no video"), (["empty"], "is empty")])
async def test_without_a_video_there_is_no_success(
    make_video, fake_ffmpeg, frames, paint, args, reason
):
    paint(frames / "1.png", 1)
    with pytest.raises(CommandError, match=reason):
        await make_video(exe=str(fake_ffmpeg), args=args)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"fps": 0}, 'parameter "fps" has invalid value 0'),
        ({"fps": -1}, 'parameter "fps" has invalid value -1'),
        ({"fps": "24"}, 'parameter "fps" .*must be a number'),
        ({"args": "-y"}, 'parameter "args" .*must be a list'),
        ({"exeArgs": "'open"}, 'parameter "exeArgs" .*not closed'),
        ({"exe": ""}, 'parameter "exe" must not be empty'),
        ({"inputGlob": " "}, 'parameter "inputGlob" must not be empty'),
        ({"nonsense": 1}, 'there is no parameter "nonsense"'),
    ],
)
async def test_wrong_parameters_are_named_before_anything_runs(make_video, wrong, message):
    with pytest.raises(CommandError, match=message):
        await make_video(**wrong)


@pytest.mark.parametrize(
    ("text", "done"),
    [("", 0), ("frame=12\nfps=0.0\n", 12), ("frame=1\nframe=  7\n", 7), ("xframe=9\n", 0)],
)
def test_the_last_number_of_frames_counts(text, done):
    assert frames_done(text) == done


async def test_progress_is_told_once(tmp_path):
    record, file = Record(), tmp_path / "progress.txt"
    assert await report(record, file, 20) == 0
    file.write_text("frame=5\n")
    assert await report(record, file, 20) == 5
    assert await report(record, file, 20, told=5) == 5
    assert record.activities == ["Encoded 5 of 20 frames"]
