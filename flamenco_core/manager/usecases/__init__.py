"""What the Manager does, one verb a file.

Each use case is a plain function of a transaction (`Tx`). It either does all it says, or
raises and leaves everything as it was.
"""
