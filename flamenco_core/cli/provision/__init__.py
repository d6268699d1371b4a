"""A farm as a file says it should be, and the way there."""
