"""Our farm: the stock Manager with house rules, on one port.

Run it with ``python studio_manager.py``, or with any ASGI server.
"""

from house_rules import HouseRules

from flamenco_core.manager import create_manager

app = create_manager(plugins=[HouseRules()])

if __name__ == "__main__":
    from flamenco_core.manager.server import serve

    serve(app, "127.0.0.1", 8080)
