"""The one-thing desks of the city: services composed of the departments', a contract each and no code.

What they do stands in their contracts under `x-composition` (contract.composition); the gateway works it off.
"""

from pathlib import Path

from sandbox.city.department import Department

_HERE = Path(__file__).parent

DESKS: tuple[Department, ...] = (
    Department(
        "one-thing-company", "企业开办专窗", "Company Start Desk", _HERE / "company", protocol="compose"
    ),
    Department("one-thing-home", "二手房过户专窗", "Home Sale Desk", _HERE / "home", protocol="compose"),
    Department("one-thing-newborn", "新生儿专窗", "Newborn Desk", _HERE / "newborn", protocol="compose"),
)
