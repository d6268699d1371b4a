"""Know the people who come through the studio's proxy, which has logged them in.

This is safe only when nobody can reach the Manager in another way than through that proxy,
and the proxy itself sets the header: let ``listen:`` be an address only it can reach.
"""

from flamenco_core import Identity, hookimpl


@hookimpl
def find_identity(connection):
    person = connection.headers.get("x-remote-user")
    return Identity(kind="person", id=person, name=person) if person else None
