"""schemathesis loads this: each request names an address of its own, so that limits by address do not end the run."""

from typing import Any

import schemathesis


class _Addresses:
    """10.0.0.1, 10.0.0.2, …: the same for the same run."""

    count = 0

    def following(self) -> str:
        self.count += 1
        return f"10.{self.count >> 16 & 255}.{self.count >> 8 & 255}.{self.count & 255}"


_addresses = _Addresses()


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: Any) -> None:
    case.headers = {**(case.headers or {}), "X-Forwarded-For": _addresses.following()}
