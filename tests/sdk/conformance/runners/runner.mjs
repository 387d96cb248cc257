// The TypeScript SDK on the conformance scenarios: JSON lines in, JSON lines out (scenarios.yaml).
import { createHash } from "node:crypto";
import { createInterface } from "node:readline";
import { inspect } from "node:util";
import { pathToFileURL } from "node:url";

const sdk = await import(pathToFileURL(process.argv[2]).href);

const itemOut = (item) => ({
  ...item,
  ...(item.bornOn === undefined ? {} : { born_on: item.bornOn }),
  ...(item.isOpen === undefined ? {} : { is_open: item.isOpen }),
  ...(item.data === undefined ? {} : { data: new TextDecoder().decode(item.data) }),
  ...(item.createdAt === undefined ? {} : { created_at_unix: Date.parse(item.createdAt) / 1000 }),
});

function clientOf(request) {
  const { private_key_jwk: privateKey, ...given } = request.client;
  const options = { baseUrl: request.base_url, clientId: given.client_id, accessToken: given.access_token, dpop: given.dpop, timeout: given.timeout, maxRetries: given.max_retries };
  return new sdk.Kaimen(privateKey ? { ...options, privateKey } : { ...options, clientSecret: given.client_secret });
}

function options(args) {
  return {
    ...(args.scenario ? { scenario: args.scenario } : {}),
    ...(args.headers ? { headers: args.headers } : {}),
    ...(args.idempotency_key ? { idempotencyKey: args.idempotency_key } : {}),
  };
}

const actions = {
  async get(client, args) {
    const call = () => client.conformance.item.get(args.id, options(args));
    if (args.raw) {
      const raw = await call().raw();
      return { status: raw.status, request_id: raw.requestId, header: raw.headers.get("request-id") };
    }
    if (args.concurrent) return (await Promise.all(Array.from({ length: args.concurrent }, call))).map(itemOut);
    const found = [];
    for (let time = 0; time < (args.times ?? 1); time += 1) {
      if (time > 0 && args.pause) await new Promise((resolve) => setTimeout(resolve, args.pause * 1000));
      found.push(itemOut(await call()));
    }
    return args.times ? found : found[0];
  },
  async list(client, args) {
    const ids = [];
    for await (const item of client.conformance.item.list(args)) ids.push(item.id);
    return ids;
  },
  async first_page(client, args) {
    const page = await client.conformance.item.list(args);
    return { ids: page.items.map((item) => item.id), next: page.nextCursor };
  },
  create: async (client, args) => itemOut(await client.conformance.item.create(args.item, options(args))),
  update: async (client, args) => itemOut(await client.conformance.item.update(args.id, args.change)),
  async delete(client, args) {
    return (await client.conformance.item.delete(args.id)) ?? null;
  },
  async download(client, args) {
    const response = await client.conformance.file.download(args.id);
    const digest = createHash("sha256");
    let bytes = 0;
    for await (const chunk of response.body) {
      digest.update(chunk);
      bytes += chunk.length;
    }
    return { bytes, sha256: digest.digest("hex") };
  },
  async upload(client, args) {
    let left = args.bytes;
    const body = new ReadableStream({
      pull(controller) {
        if (left === 0) return controller.close();
        const size = Math.min(left, 65536);
        left -= size;
        return controller.enqueue(new Uint8Array(size).fill(7));
      },
    });
    await client.conformance.file.upload(args.id, body);
    return null;
  },
  async shape(client, args) {
    const shape = await client.conformance.shape.get(args.id);
    return shape.kind === "circle" || shape.kind === "square" ? { ...shape, type: shape.kind } : { ...shape, type: "unknown" };
  },
  async webhook(client, args) {
    const event = await sdk.verifyWebhook(args.payload, args.headers, args.secret ?? args.public_key);
    if (!sdk.isEvent(event, "conformance.item.closed")) throw new Error(`an event of type ${event.type}`);
    if (typeof event.data.closedAt !== "string") throw new Error("the data of the event were not read");
    return { type: event.type, id: event.data.id };
  },
  async describe(client) {
    await client.conformance.item.get("i1");
    return { text: [inspect(client, { depth: 6, showHidden: true }), JSON.stringify(client), String(client)].join("\n") };
  },
  reset: (client) => client.sandbox.reset(),
  async scenarios() {
    return { item_get: Object.values(sdk.Scenarios.conformance.itemGet) };
  },
};

function errorOut(error) {
  const names = { DecodingError: "Decoding", WebhookError: "Webhook" };
  return {
    class: names[error.name] ?? error.name.replace(/Error$/, ""),
    message: error.message,
    status: error.status,
    type: error.type,
    step: error.step,
    rule: error.rule,
    next: error.next,
    request_id: error.requestId,
    retry_after: error.retryAfter,
    errors: error.errors,
  };
}

for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line);
  let out;
  try {
    out = { ok: true, value: (await actions[request.action](clientOf(request), request.args)) ?? null };
  } catch (error) {
    if (!(error instanceof sdk.KaimenError)) process.stderr.write(`${error.stack}\n`);
    out = { ok: false, error: errorOut(error) };
  }
  process.stdout.write(`${JSON.stringify(out)}\n`);
}
