"""What a farm is, without I/O: statuses in, decision out.

Nothing here knows a clock, a database, a network or an event loop.
"""
