"""From a Blender file and a few words to the settings of a job."""
