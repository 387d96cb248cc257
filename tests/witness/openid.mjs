// oauth4webapi, a strict client that we did not write: sign-in of a public app with PKCE, and a device without a browser.
import assert from "node:assert/strict";
import * as oauth from "oauth4webapi";
import { finish, receive, step, visit } from "./lines.mjs";

const task = await receive();
const options = { [oauth.allowInsecureRequests]: true };
const issuer = new URL(task.issuer);
const as = await step("OpenID Connect discovery", async () =>
  oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { ...options, algorithm: "oidc" })));
const app = await step("registration", async () => {
  const metadata = {
    client_name: "Public witness", redirect_uris: [task.redirect_uri], token_endpoint_auth_method: "none",
    grant_types: ["authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code"],
  };
  const response = await oauth.dynamicClientRegistrationRequest(
    as, metadata, { ...options, initialAccessToken: task.initial_access_token });
  return oauth.processDynamicClientRegistrationResponse(response);
});
assert.equal(app.client_secret, undefined);
const none = oauth.None();

const verifier = oauth.generateRandomCodeVerifier();
const [state, nonce] = [oauth.generateRandomState(), oauth.generateRandomNonce()];
const url = new URL(as.authorization_endpoint);
for (const [name, value] of Object.entries({
  client_id: app.client_id, redirect_uri: task.redirect_uri, response_type: "code", scope: "openid profile", state, nonce,
  code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: "S256", max_age: "3600",
})) url.searchParams.set(name, value);

const landed = await visit(url, { client_id: app.client_id });
const parameters = await step("the answer names its issuer", () => oauth.validateAuthResponse(as, app, landed, state));
async function readTokens(response, checks) {
  const result = await oauth.processAuthorizationCodeResponse(as, app, response, checks);
  await oauth.validateApplicationLevelSignature(as, response, options);
  return result;
}
const tokens = await step("code for tokens, id_token verified", async () => readTokens(
  await oauth.authorizationCodeGrantRequest(as, app, none, parameters, task.redirect_uri, verifier, options),
  { expectedNonce: nonce, maxAge: 3600, requireIdToken: true }));
const { sub } = oauth.getValidatedIdTokenClaims(tokens);
await step("userinfo of the same subject", async () => {
  const info = await oauth.processUserInfoResponse(as, app, sub,
    await oauth.userInfoRequest(as, app, tokens.access_token, options));
  assert.ok(info.name && info.birthdate);
});
await step("refresh rotates", async () => {
  const response = await oauth.refreshTokenGrantRequest(as, app, none, tokens.refresh_token, options);
  const fresh = await oauth.processRefreshTokenResponse(as, app, response);
  assert.notEqual(fresh.refresh_token, tokens.refresh_token);
});

async function device() {
  const response = await oauth.deviceAuthorizationRequest(as, app, none, { scope: "openid profile" }, options);
  return oauth.processDeviceAuthorizationResponse(as, app, response);
}
async function poll(codes) {
  const response = await oauth.deviceCodeGrantRequest(as, app, none, codes.device_code, options);
  return oauth.processDeviceCodeResponse(as, app, response);
}
async function pollSays(codes, error) {
  await assert.rejects(poll(codes), (caught) => {
    assert.ok(caught instanceof oauth.ResponseBodyError, String(caught));
    assert.equal(caught.error, error);
    return true;
  });
}
const codes = await step("device authorization", device);
await step("a code that is easy to type", () => {
  assert.match(codes.user_code, /^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$/);
  assert.ok(codes.verification_uri_complete.includes(codes.user_code));
});
await step("the person has not decided", () => pollSays(codes, "authorization_pending"));
await step("who asks too soon slows down", () => pollSays(codes, "slow_down"));
await visit(codes.verification_uri_complete, { user_code: codes.user_code, client_id: app.client_id });
const ofDevice = await step("the device gets its tokens", () => poll(codes));
await step("for the same subject", () => assert.equal(oauth.getValidatedIdTokenClaims(ofDevice).sub, sub));
await step("once", () => pollSays(codes, "invalid_grant"));
const unwanted = await step("another device", device);
await visit(unwanted.verification_uri_complete, { user_code: unwanted.user_code, refuse: true, client_id: app.client_id });
await step("is told of a refusal", () => pollSays(unwanted, "access_denied"));
finish();
