// A client from other people's generator (openapi-typescript, openapi-fetch), made from the published document, as a
// driver of the parity certificate (docs/reference/parity). The types below are those of the document: that this file
// compiles says that they fit what the page of the service promises.
import readline from "node:readline";
import createClient from "openapi-fetch";
import type { components, paths } from "./company.js";

type Company = components["schemas"]["Company"];
type Question = {
  case: string; service: string; version: string; method: string; path: string; with_token: boolean; body?: unknown;
  parameters: { name: string; in: "path" | "query" | "header"; value: unknown }[];
  scenario?: string; purpose?: string; idempotency_key?: string;
};

const lines = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const next = async (): Promise<any> => {
  const { value, done } = await lines.next();
  return done ? undefined : JSON.parse(value);
};
const say = (value: unknown) => console.log(JSON.stringify(value));

const hello = await next();

// As a person would write it: each name is checked by the compiler.
const company = createClient<paths>({ baseUrl: `${hello.origin}/api/company/v1` });
const known = async (code: string): Promise<Company["name"]> => {
  const { data, error } = await company.GET("/companies/{code}", {
    params: { path: { code } }, headers: { Authorization: `Bearer ${hello.token}` },
  });
  if (data === undefined) throw new Error(JSON.stringify(error));
  const status: Company["status"] = data.status;
  return `${data.name}${status === "active" ? "" : status}`;
};
// @ts-expect-error - a path that the document does not have
const unknown = () => company.GET("/nothing");
void unknown;
await known("91990106MA0000015L");

say({ kaimen_parity: 1 });
const clients = new Map<string, any>();
for (let question: Question | undefined; (question = await next()) !== undefined;) {
  const base = `${hello.origin}/api/${question.service}/${question.version}`;
  if (!clients.has(base)) clients.set(base, createClient<any>({ baseUrl: base }));
  const params: Record<string, Record<string, unknown>> = { path: {}, query: {}, header: {} };
  for (const one of question.parameters) params[one.in]![one.name] = one.value;
  const headers: Record<string, string> = { "Accept-Language": "en" };
  if (question.with_token) headers["Authorization"] = `Bearer ${hello.token}`;
  if (question.scenario) headers["Kaimen-Scenario"] = question.scenario;
  if (question.purpose) headers["Kaimen-Purpose"] = question.purpose;
  if (question.idempotency_key) headers["Idempotency-Key"] = question.idempotency_key;
  const { data, error, response } = await clients.get(base).request(question.method.toLowerCase(), question.path, {
    params, headers, parseAs: "text", ...("body" in question ? { body: question.body } : {}),
  });
  const is_json = (response.headers.get("content-type") ?? "json").includes("json");
  let body = response.ok ? data : error;
  if (is_json && typeof body === "string") body = body === "" ? null : JSON.parse(body);
  say({
    case: question.case, status: response.status, body: body ?? null, is_json,
    synthetic: response.headers.get("kaimen-sandbox") === "synthetic",
  });
}
