"""Render with Blender on the farm: commands and job types."""
