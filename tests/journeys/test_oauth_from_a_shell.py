"""An app's OAuth settings from a shell: the way from a secret to profile fapi2, and a certificate's thumbprint."""

import base64
import hashlib
import json
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding
from joserfc.jwk import ECKey

from tests.identity.oauth.test_oauth_mtls import make_certificate
from tests.server import Installation

CALLBACK = "https://bank.example/callback"


def new_app(installation: Installation) -> str:
    return str(installation.json("app", "create", "--name", "bank")["app_id"])


def test_the_way_to_fapi(installation: Installation, tmp_path: Path) -> None:
    app = new_app(installation)
    assert installation.json("app", "oauth", app)["profile"] == "baseline"
    keys = tmp_path / "keys.json"
    keys.write_text(json.dumps({"keys": [ECKey.generate_key("P-256").as_dict(private=False)]}))
    laid = installation.json("app", "oauth", app, "--keys", str(keys))
    assert laid["auth_method"] == "client_secret", "laying keys in leaves the secret working"
    refused = installation.command("app", "oauth", app, "--profile", "fapi2", check=False)
    assert refused.returncode == 1
    assert "private_key_jwt" in refused.stderr
    done = installation.json(
        "app", "oauth", app, "--profile", "fapi2", "--auth-method", "private_key_jwt", "--token-binding", "dpop",
        "--grant-type", "authorization_code", "--grant-type", "refresh_token", "--redirect-uri", CALLBACK,
    )  # fmt: skip
    assert (done["profile"], done["redirect_uris"]) == ("fapi2", [CALLBACK])
    assert done["grant_types"] == ["authorization_code", "refresh_token"]


def test_a_certificate_is_registered_by_its_thumbprint(installation: Installation, tmp_path: Path) -> None:
    certificate = make_certificate()
    file = tmp_path / "bank.pem"
    file.write_bytes(b"some text before\n" + certificate.public_bytes(Encoding.PEM))
    done = installation.json(
        "app", "oauth", new_app(installation), "--auth-method", "tls_client_auth", "--certificate", str(file)
    )
    digest = hashlib.sha256(certificate.public_bytes(Encoding.DER)).digest()
    assert done["certificate_thumbprint"] == base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def test_files_that_hold_something_else(installation: Installation, tmp_path: Path) -> None:
    app = new_app(installation)
    file = tmp_path / "x"
    file.write_text("nothing")
    for option in ("--certificate", "--keys"):
        refused = installation.command("app", "oauth", app, option, str(file), check=False)
        assert refused.returncode == 2
        assert "holds no" in refused.stderr
