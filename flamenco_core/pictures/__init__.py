"""What rendered images are, and how small ones are made of them.

``kinds`` and ``exr_header`` read what a file says of itself; they need nothing but Python,
so Manager and Worker use them. The rest decodes, with Pillow and OpenEXR, and runs as a
program of its own: ``python -m flamenco_core.pictures`` (see `__main__`).
"""
