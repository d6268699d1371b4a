"""A Manager and a Worker as child processes of the command line."""
