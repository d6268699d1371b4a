import flamenco_touch


async def test_touch(run_command, tmp_path):
    path = tmp_path / "done"
    record = await run_command("touch", {"path": str(path)}, plugins=[flamenco_touch])
    assert path.exists()
    assert record.lines == [f"touched {path}"]
