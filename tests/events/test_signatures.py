"""Signatures hold in other people's implementations: the reference library of Standard Webhooks, and Node's crypto."""

import base64
import json
import shutil
import subprocess
from datetime import UTC, datetime

import pytest
from cryptography.exceptions import InvalidTag
from standardwebhooks import Webhook, WebhookVerificationError

from api.core.crypto import Vault
from api.events import signing
from api.events.signing import KeyPair
from tests.databases import missing

# The example of the Standard Webhooks specification.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
MESSAGE_ID, TIMESTAMP, BODY = "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'
EXPECTED = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="

IN_NODE = """
const crypto = require('crypto');
const { headers, body, secret, publicKey } = JSON.parse(require('fs').readFileSync(0, 'utf8'));
const message = Buffer.from(`${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`);
const der = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), Buffer.from(publicKey, 'base64')]);
const key = crypto.createPublicKey({ key: der, format: 'der', type: 'spki' });
const verdicts = headers['webhook-signature'].split(' ').map((part) => {
  const [version, signature] = part.split(',');
  const bytes = Buffer.from(signature, 'base64');
  if (version === 'v1') return crypto.createHmac('sha256', Buffer.from(secret, 'base64')).update(message).digest().equals(bytes);
  return crypto.verify(null, message, key, bytes);
});
console.log(JSON.stringify(verdicts));
"""


def in_node(headers: dict[str, str], body: bytes, pair: KeyPair) -> list[bool]:
    if shutil.which("node") is None:
        missing("Node.js")
    asked = {
        "headers": headers, "body": body.decode(), "secret": base64.b64encode(pair.secret).decode(),
        "publicKey": pair.public_key,
    }  # fmt: skip
    done = subprocess.run(["node", "-e", IN_NODE], input=json.dumps(asked), capture_output=True, text=True, check=True)  # fmt: skip
    verdicts: list[bool] = json.loads(done.stdout)
    return verdicts


def test_the_example_of_the_specification() -> None:
    pair = KeyPair(signing.secret_of(SECRET), b"\x01" * 32)
    signature = signing.signature_of([pair], MESSAGE_ID, TIMESTAMP, BODY)
    assert signature.split(" ")[0] == EXPECTED


def test_ed25519_of_rfc_8032() -> None:
    """RFC 8032 §7.1, test 1: the public key of a known private key."""
    private = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
    public = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
    assert base64.b64decode(KeyPair(b"s" * 32, private).public_key) == public


def test_the_reference_library_and_node_agree() -> None:
    pair = signing.make_key_pair()
    body = json.dumps({"姓名": "阿布都热合曼·买买提", "字": "𠮷"}, ensure_ascii=False).encode()
    headers = signing.signed_headers([pair], "es_1", datetime.now(UTC), body)
    assert Webhook(pair.secret_text).verify(body, headers)["字"] == "𠮷"
    assert in_node(headers, body, pair) == [True, True]
    with pytest.raises(WebhookVerificationError):
        Webhook(pair.secret_text).verify(body + b" ", headers)
    assert in_node(headers, body + b" ", pair) == [False, False]


def test_while_a_key_rotates_either_holder_can_check() -> None:
    new, old = signing.make_key_pair(), signing.make_key_pair()
    headers = signing.signed_headers([new, old], "es_1", datetime.now(UTC), b"{}")
    for pair, verdicts in ((new, [True, True, False, False]), (old, [False, False, True, True])):
        Webhook(pair.secret_text).verify(b"{}", headers)
        assert in_node(headers, b"{}", pair) == verdicts


def test_keys_are_sealed_under_their_id() -> None:
    vault = Vault(b"m" * 32)
    pair = signing.make_key_pair()
    sealed = signing.seal(vault, "whk_1", pair)
    assert signing.unseal(vault, "whk_1", *sealed) == pair
    assert base64.b64encode(pair.secret).decode() not in "".join(sealed)
    with pytest.raises(InvalidTag):
        signing.unseal(vault, "whk_2", *sealed)


def test_a_secret_of_another_form_is_none() -> None:
    with pytest.raises(ValueError, match="whsec_"):
        signing.secret_of("kts_abc")
