"""What handlers may ask for by name. `caller: CurrentCaller` is the caller of the request, provided app-wide.

Litestar wants its dependencies marked; an annotation `caller: Caller` alone gives a deprecation warning.
"""

from litestar.di import NamedDependency

from api.core.caller import Caller

CurrentCaller = NamedDependency[Caller]
