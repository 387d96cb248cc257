"""Where a service is called: below `/api/{service}/{version}`; the platform's own service is called where it stands.

The platform is a service of its own catalogue (design §4), but no department's system behind the gateway: its
operations are served by the process itself, under the paths that its contract names.
"""

PLATFORM = "platform"  # service name, reserved for the platform's own contract
COMPOSED = "compose:"  # how the upstream begins of a service that puts others to work (contract.composition)
UPSTREAM = "platform:"  # the upstream of its publication: the gateway has nothing to route there


def public_prefix(service: str, version: str) -> str:
    """What stands between an origin and an operation's path: `/api/company/v1`, or "" for the platform itself."""
    return "" if service == PLATFORM else f"/api/{service}/{version}"
