// The TypeScript SDK of the Model Context Protocol, a client that we did not write, against our /mcp: finds the authorization
// server by the resource's metadata, goes for a token (public client with PKCE; registered before, or by itself with
// an initial access token), lists, searches, calls. With `token` it brings one along instead.
import assert from "node:assert/strict";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { UnauthorizedError } from "@modelcontextprotocol/sdk/client/auth.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { finish, receive, step, visit } from "./lines.mjs";

const task = await receive();
const url = new URL(task.url);
const kept = { client: task.client_id ? { client_id: task.client_id } : undefined };
let asked;
const provider = {
  redirectUrl: task.redirect_uri,
  clientMetadata: {
    client_name: "MCP witness", redirect_uris: [task.redirect_uri], token_endpoint_auth_method: "none",
    grant_types: ["authorization_code", "refresh_token"], response_types: ["code"],
  },
  clientInformation: () => kept.client,
  saveClientInformation: (client) => { kept.client = client; },
  tokens: () => kept.tokens,
  saveTokens: (tokens) => { kept.tokens = tokens; },
  redirectToAuthorization: (address) => { asked = address; },
  saveCodeVerifier: (verifier) => { kept.verifier = verifier; },
  codeVerifier: () => kept.verifier,
};
// The SDK registers without an initial access token; whoever runs the agent has one and puts it there.
const fetchWithInitialToken = (input, init = {}) => {
  const headers = new Headers(init.headers);
  if (task.initial_access_token && String(input).endsWith("/oauth/register")) {
    headers.set("Authorization", `Bearer ${task.initial_access_token}`);
  }
  return fetch(input, { ...init, headers });
};
const transport = () => task.token
  ? new StreamableHTTPClientTransport(url, { requestInit: { headers: { Authorization: `Bearer ${task.token}` } } })
  : new StreamableHTTPClientTransport(url, { authProvider: provider, fetch: fetchWithInitialToken });
const connect = async (through) => {
  const client = new Client({ name: "witness", version: "1" });
  await client.connect(through);
  return client;
};

let client;
if (task.token) {
  client = await step("connects with a token", () => connect(transport()));
} else {
  const first = transport();
  await step("is sent to the authorization server", () => assert.rejects(connect(first), UnauthorizedError));
  assert.equal(asked.searchParams.get("code_challenge_method"), "S256");
  assert.equal(asked.searchParams.get("resource"), task.url);
  assert.equal(asked.searchParams.get("scope").split(" ")[0], "subscriptions");
  if (task.initial_access_token) await step("registered itself", () => assert.match(kept.client.client_id, /^kt_/));
  const landed = await visit(asked);
  await step("code for a token", () => first.finishAuth(landed.searchParams.get("code")));
  assert.equal(kept.tokens.token_type.toLowerCase(), "bearer");
  client = await step("connects", () => connect(transport()));
}

const tools = await step("lists", async () => (await client.listTools()).tools);
const names = tools.map((one) => one.name);
for (const name of task.listed) assert.ok(names.includes(name), `${name} is not among ${names}`);
for (const one of tools.filter((tool) => tool.annotations?.readOnlyHint === false)) {
  assert.ok(one.name === "call_operation", `${one.name} changes data, and the app has not allowed that`);
}
if (task.query) {
  await step("searches", async () => {
    const found = await client.callTool({ name: "search_operations", arguments: { query: task.query } });
    assert.ok(found.structuredContent.operations.some((one) => one.name === task.call.name));
  });
}
await step("calls", async () => {
  const direct = task.query
    ? { name: "call_operation", arguments: { operation: task.call.name, arguments: task.call.arguments } } : task.call;
  const result = await client.callTool(direct);
  assert.ok(!result.isError, JSON.stringify(result));
  assert.equal(result.structuredContent.code, task.call.arguments.code);
});
await step("without the right, REST's refusal", async () => {
  const result = await client.callTool(task.refused);
  assert.equal(result.isError, true);
  assert.equal(result.structuredContent.step, "authorise");
  assert.ok(result.structuredContent.next.length > 10);
});
await step("reads a contract", async () => {
  const { resources } = await client.listResources();
  const contract = resources.find((one) => one.uri.startsWith("kaimen://contracts/"));
  const { contents } = await client.readResource({ uri: contract.uri });
  assert.match(JSON.parse(contents[0].text).openapi, /^3\.1/);
});
if (task.prompt) {
  await step("takes a prompt", async () => {
    const { prompts } = await client.listPrompts();
    assert.ok(prompts.some((one) => one.name === task.prompt), JSON.stringify(prompts));
    const { messages } = await client.getPrompt({ name: task.prompt });
    assert.match(messages[0].content.text, /kaimen_confirm/);
  });
}
await client.close();
finish();
