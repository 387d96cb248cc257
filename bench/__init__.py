"""`make bench`: the gateway beside a bare proxy, a Node proxy and a FastAPI stack. `python -m bench --help`."""
