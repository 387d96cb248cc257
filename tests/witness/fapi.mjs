// openid-client, a certified client that we did not write, goes the whole FAPI 2.0 way: registration, PAR, S256,
// iss, private_key_jwt, DPoP with the server's nonce, id_token with its signature checked, userinfo, refresh, revocation.
import assert from "node:assert/strict";
import * as client from "openid-client";
import { finish, receive, step, visit } from "./lines.mjs";

const task = await receive();
const algorithm = { name: "ECDSA", namedCurve: "P-256" };
const keys = await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
const jwk = { ...(await crypto.subtle.exportKey("jwk", keys.publicKey)), kid: "witness-1", use: "sig", alg: "ES256" };
delete jwk.key_ops;
delete jwk.ext;
const authentication = client.PrivateKeyJwt({ key: keys.privateKey, kid: jwk.kid });
const execute = [client.allowInsecureRequests, client.enableNonRepudiationChecks];

const config = await step("registration with keys", () => client.dynamicClientRegistration(
  new URL(task.issuer),
  {
    client_name: "外部见证 Outside witness",
    redirect_uris: [task.redirect_uri],
    grant_types: ["authorization_code", "refresh_token"],
    token_endpoint_auth_method: "private_key_jwt",
    dpop_bound_access_tokens: true,
    require_pushed_authorization_requests: true,
    kaimen_profile: "fapi2",
    kaimen_retention: "30 days",
    contacts: ["privacy@bank.example"],
    jwks: { keys: [jwk] },
  },
  authentication,
  { initialAccessToken: task.initial_access_token, execute },
));
const { client_id } = config.clientMetadata();
await step("the server says what it does", () => {
  const server = config.serverMetadata();
  assert.equal(server.issuer, task.issuer);
  assert.equal(server.authorization_response_iss_parameter_supported, true);
  assert.deepEqual(server.code_challenge_methods_supported, ["S256"]);
  assert.ok(server.dpop_signing_alg_values_supported.includes("ES256"));
  assert.ok(server.pushed_authorization_request_endpoint);
});

const DPoP = client.getDPoPHandle(config, await client.randomDPoPKeyPair("ES256"));
const otherKey = client.getDPoPHandle(config, await client.randomDPoPKeyPair("ES256"));

async function code(parameters) {
  const pkceCodeVerifier = client.randomPKCECodeVerifier();
  const [expectedState, expectedNonce] = [client.randomState(), client.randomNonce()];
  const url = await step("pushed authorization request", async () => client.buildAuthorizationUrlWithPAR(config, {
    redirect_uri: task.redirect_uri,
    code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: "S256",
    state: expectedState,
    nonce: expectedNonce,
    ...parameters,
  }, { DPoP }));
  assert.deepEqual([...url.searchParams.keys()].sort(), ["client_id", "request_uri"]);
  const landed = await visit(url, { client_id });
  assert.equal(landed.searchParams.get("iss"), task.issuer);
  return { landed, checks: { pkceCodeVerifier, expectedState, expectedNonce, idTokenExpected: true } };
}

const asked = { scope: task.scope, authorization_details: JSON.stringify(task.authorization_details) };
const first = await code(asked);
const tokens = await step("code for tokens", () =>
  client.authorizationCodeGrant(config, first.landed, first.checks, undefined, { DPoP }));
await step("the tokens are bound and say who agreed", () => {
  assert.equal(tokens.token_type, "dpop");
  assert.ok(tokens.refresh_token);
  const claims = tokens.claims();
  assert.equal(claims.aud, client_id);
  assert.ok(claims.sub.startsWith("c_"));
  assert.ok(claims.auth_time > 0 && claims.acr);
  assert.equal(tokens.authorization_details[0].service, task.authorization_details[0].service);
});
const { sub } = tokens.claims();
await step("userinfo", async () => {
  const info = await client.fetchUserInfo(config, tokens.access_token, sub, { DPoP });
  assert.ok(info.name);
});
const call = (handle, token = tokens.access_token) => client.fetchProtectedResource(
  config, token, new URL(task.api), "GET", undefined, undefined, handle ? { DPoP: handle } : undefined);
await step("a call with a proof", async () => {
  const response = await call(DPoP);
  assert.equal(response.status, 200, await response.text());
});

async function challenged(name, work, ...codes) {
  await step(name, async () => {
    await assert.rejects(work, (caught) => {
      assert.ok(caught instanceof client.WWWAuthenticateChallengeError, String(caught));
      assert.equal(caught.status, 401);
      assert.ok(codes.includes(caught.cause[0].parameters.error), JSON.stringify(caught.cause));
      return true;
    });
  });
}
async function refused(name, error, work) {
  await step(name, async () => {
    await assert.rejects(work, (caught) => {
      assert.ok(caught instanceof client.ResponseBodyError, String(caught));
      assert.equal(caught.error, error);
      assert.ok(caught.error_description.length > 15);
      return true;
    });
  });
}
await challenged("a bearer downgrade is refused", () => call(null), "invalid_token", "invalid_dpop_proof");
await challenged("another key is refused", () => call(otherKey), "invalid_token", "invalid_dpop_proof");
await refused("a refresh with another key is refused", "invalid_grant", () =>
  client.refreshTokenGrant(config, tokens.refresh_token, undefined, { DPoP: otherKey }));

for (const number of [1, 2]) {
  await step(`refresh ${number}, the refresh token stays`, async () => {
    const fresh = await client.refreshTokenGrant(config, tokens.refresh_token, undefined, { DPoP });
    assert.ok(fresh.refresh_token === undefined || fresh.refresh_token === tokens.refresh_token);
    assert.equal((await call(DPoP, fresh.access_token)).status, 200);
  });
}
await step("introspection", async () =>
  assert.equal((await client.tokenIntrospection(config, tokens.access_token)).active, true));
await step("revocation of the refresh token", () => client.tokenRevocation(config, tokens.refresh_token));
await refused("nothing comes of a revoked refresh token", "invalid_grant", () =>
  client.refreshTokenGrant(config, tokens.refresh_token, undefined, { DPoP }));
await step("the access token went with it", async () =>
  assert.equal((await client.tokenIntrospection(config, tokens.access_token)).active, false));

const second = await code(asked);
const once = await client.authorizationCodeGrant(config, second.landed, second.checks, undefined, { DPoP });
await refused("a code is used once", "invalid_grant", () =>
  client.authorizationCodeGrant(config, second.landed, second.checks, undefined, { DPoP }));
await step("and its replay ends what it gave", async () =>
  assert.equal((await client.tokenIntrospection(config, once.access_token)).active, false));

const third = await code(asked);
await refused("a code is bound to its key", "invalid_grant", () =>
  client.authorizationCodeGrant(config, third.landed, third.checks, undefined, { DPoP: otherKey }));
finish();
