"""Render with Blender: commands and job types for the farm."""
