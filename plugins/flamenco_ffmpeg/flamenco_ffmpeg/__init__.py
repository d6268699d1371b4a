"""Turn frames into videos on the farm, with FFmpeg."""
