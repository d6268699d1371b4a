"""Before a farm works: where its files are, which Blender it uses, who may come in."""
