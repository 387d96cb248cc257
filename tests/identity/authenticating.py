"""Setting an authenticator app up over the platform API."""

from tests.authenticator import Authenticator
from tests.identity.conftest import Browser


async def with_app(browser: Browser) -> Authenticator:
    """Set an authenticator app up for somebody who is signed in."""
    begun = (await browser.post("/me/totp")).json()
    app = Authenticator(begun["secret"])
    done = await browser.post("/me/totp/confirm", {"code": app.code()})
    assert done.status_code == 200, done.text
    app.recovery_codes = done.json()["recovery_codes"]
    return app
