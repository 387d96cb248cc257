// The TypeScript SDK as a driver of the certificate: `node driver.mjs PACKAGE TABLE`, then the protocol of `kaimen parity`.
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";

const sdk = await import(process.argv[2]);
const { operations, answers, types } = JSON.parse(readFileSync(process.argv[3], "utf8"));

const TRIES = 8; // of a call that a quota turns away

/** The JSON that an answer came from: wire names again. */
function plain(codec, value) {
  if (value === null || value === undefined || codec === "") return value;
  if (codec === "b") return Buffer.from(value).toString("base64");
  if (Array.isArray(codec) && codec[0] === "a") return value.map((one) => plain(codec[1], one));
  if (Array.isArray(codec)) return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, plain(codec[1], one)]));
  const members = types[codec];
  return Object.fromEntries(
    Object.entries(value).map(([name, one]) => {
      const [wire, inner] = Object.hasOwn(members, name) ? members[name] : [name, ""];
      return [wire, plain(inner, one)];
    }),
  );
}

async function asked(client, question) {
  const key = `${question.service}/${question.operation}`;
  const one = operations[key];
  if (one === undefined) return { unsaid: "no SDK holds it" };
  if (!question.with_token) return { unsaid: "an SDK sends its token with every call" };
  if (JSON.stringify(answers[key]).includes("?")) return { unsaid: "its answer is one of several objects" };
  const values = Object.fromEntries(question.parameters.map(({ name, value }) => [name, value]));
  const given = one.positional.map((name) => values[name]);
  if (one.has_body) given.push(question.body);
  const named = Object.entries(one.optional).filter(([wire]) => wire in values);
  if (Object.keys(one.optional).length > 0) given.push(Object.fromEntries(named.map(([wire, name]) => [name, values[wire]])));
  const headers = { "accept-language": "en", ...(question.purpose ? { "kaimen-purpose": question.purpose } : {}) };
  given.push({ headers, maxRetries: 0, scenario: question.scenario, idempotencyKey: question.idempotency_key });
  let target = client;
  for (const name of one.path.slice(0, -1)) target = target[name];
  for (let attempt = 1; ; attempt += 1) {
    const called = target[one.path.at(-1)](...given);
    try {
      const found = one.is_paged ? await called : await called.raw();
      const synthetic = found.headers.get("kaimen-sandbox") === "synthetic";
      return { status: found.status, body: plain(answers[key], found.value) ?? null, synthetic };
    } catch (error) {
      if (!(error instanceof sdk.ApiError)) throw error;
      if (error.status !== 429 || attempt === TRIES) return { status: error.status, body: error.problem };
      await new Promise((resolve) => setTimeout(resolve, 1000 * Math.min(error.retryAfter ?? 1, 30)));
    }
  }
}

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const begin = JSON.parse((await lines.next()).value);
console.log(JSON.stringify({ kaimen_parity: 1 }));
const client = new sdk.Kaimen({ baseUrl: begin.origin, accessToken: begin.token });
for await (const line of lines) {
  const question = JSON.parse(line);
  console.log(JSON.stringify({ case: question.case, ...(await asked(client, question)) }));
}
