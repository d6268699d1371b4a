"""What a farm goes through: faults that are made on purpose, and a judge of what is left.

`make faults` runs the fast lane. Each row of `faults/rows` breaks something of a real
Manager process, with real clients and workers that run for it, and says what came out of
it. `known_red` lists what is known not to be as it should.
"""
