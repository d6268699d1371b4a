"""The public HTTP contract: Flamenco 3's API, and what we add to it.

Attribute names here are the keys on the wire, to the letter. What is `None` is left
out: Flamenco's clients refuse ``null``.
"""
