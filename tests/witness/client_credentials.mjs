// A strict client that we did not write (oauth4webapi) goes the whole way of an app without people:
// discovery, token by each authentication method, verification by JWKS, introspection, revocation, refusals.
// Input: one JSON object on standard input. Output: one JSON object {"passed": [...]}; any failure exits with 1.
import assert from "node:assert/strict";
import * as oauth from "oauth4webapi";

const input = JSON.parse(await new Promise((resolve) => {
  let text = "";
  process.stdin.on("data", (chunk) => { text += chunk; }).on("end", () => resolve(text));
}));
const options = { [oauth.allowInsecureRequests]: true };
const passed = [];

async function step(name, work) {
  try {
    const result = await work();
    passed.push(name);
    return result;
  } catch (error) {
    console.error(`${name}: ${error.stack ?? error}`);
    if (error.cause) console.error(error.cause);
    process.exit(1);
  }
}

const issuer = new URL(input.issuer);
const as = await step("discovery", async () => {
  const response = await oauth.discoveryRequest(issuer, { ...options, algorithm: "oauth2" });
  return oauth.processDiscoveryResponse(issuer, response);
});

async function getToken(client, authentication, parameters = {}) {
  const response = await oauth.clientCredentialsGrantRequest(
    as, client, authentication, new URLSearchParams(parameters), options);
  return oauth.processClientCredentialsResponse(as, client, response);
}

async function importKey(jwk) {
  const algorithm = jwk.kty === "OKP" ? { name: "Ed25519" } : { name: "ECDSA", namedCurve: "P-256" };
  return { key: await crypto.subtle.importKey("jwk", jwk, algorithm, false, ["sign"]), kid: jwk.kid };
}

const secretClient = { client_id: input.secret_client.client_id };
const { client_secret: secret } = input.secret_client;
const methods = [
  ["client_secret_basic", secretClient, oauth.ClientSecretBasic(secret)],
  ["client_secret_post", secretClient, oauth.ClientSecretPost(secret)],
];
for (const { client_id, jwk } of input.key_clients) {
  methods.push([`private_key_jwt ${jwk.crv}`, { client_id }, oauth.PrivateKeyJwt(await importKey(jwk))]);
}

for (const [name, client, authentication] of methods) {
  const token = await step(name, () => getToken(client, authentication, { scope: input.scope }));
  await step(`${name}: the token verifies`, async () => {
    assert.equal(token.scope, input.scope);
    const request = new Request(`${input.issuer}/api/x`, { headers: { authorization: `Bearer ${token.access_token}` } });
    const claims = await oauth.validateJwtAccessToken(as, request, `${input.issuer}/api`, options);
    assert.equal(claims.client_id, client.client_id);
    assert.equal(claims.env, "sandbox");
  });
  const introspect = async () => oauth.processIntrospectionResponse(as, client,
    await oauth.introspectionRequest(as, client, authentication, token.access_token, options));
  await step(`${name}: introspection`, async () => assert.equal((await introspect()).active, true));
  await step(`${name}: revocation`, async () => {
    await oauth.processRevocationResponse(
      await oauth.revocationRequest(as, client, authentication, token.access_token, options));
    assert.equal((await introspect()).active, false);
  });
}

async function refused(name, error, work) {
  await step(name, async () => {
    await assert.rejects(work, (caught) => {
      if (caught instanceof oauth.WWWAuthenticateChallengeError) {
        return caught.status === 401 && caught.cause[0].scheme === "basic";
      }
      assert.ok(caught instanceof oauth.ResponseBodyError, String(caught));
      assert.equal(caught.error, error);
      assert.ok(caught.error_description.length > 20);
      return true;
    });
  });
}
await refused("wrong secret in the header", "invalid_client", () => getToken(secretClient, oauth.ClientSecretBasic("x")));
await refused("wrong secret in the body", "invalid_client", () => getToken(secretClient, oauth.ClientSecretPost("x")));
await refused("scope not granted", "invalid_scope", () =>
  getToken(secretClient, oauth.ClientSecretBasic(secret), { scope: "moon:phase:read" }));

console.log(JSON.stringify({ passed }));
