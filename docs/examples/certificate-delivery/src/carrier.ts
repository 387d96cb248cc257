/**
 * A carrier's receiver: takes the events of certificates on their way, and tells where an item is. See README.md.
 *
 * node dist/carrier.js [PORT [FILE]]
 *
 * POST /events         what the platform sends
 * GET  /items/NUMBER   where an item is
 */
import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { isEvent, verifyWebhook, WebhookError } from "kaimen";
import { Parcels } from "./parcels.js";

const HANDSHAKE = "gov.kaimen.webhook.handshake";
const LARGEST = 1024 * 1024;
const STEPS = [
  "post.order.accepted", "post.order.picked-up", "post.order.out-for-delivery", "post.order.attempt-failed",
  "post.order.delivered", "post.order.redirected", "post.order.returned", "post.order.cancelled",
] as const;

const [port = "3000", file = "parcels.jsonl"] = process.argv.slice(2);
const parcels = new Parcels(file);

/** Read for each message, so that the secret may be changed while this runs. */
function secret(): string {
  return process.env["WEBHOOK_SECRET"] ?? readFileSync("secret.txt", "utf8").trim();
}

async function bodyOf(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > LARGEST) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function headersOf(request: IncomingMessage): Record<string, string> {
  return Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
}

/** Status and body of the answer to a message. */
async function take(request: IncomingMessage): Promise<[number, unknown?]> {
  const body = await bodyOf(request);
  if (body === undefined) return [413];
  const event = await verifyWebhook(body, headersOf(request), secret());
  if (event.type === HANDSHAKE) return [200, { challenge: (event.data as { challenge: string }).challenge }];
  if (!isEvent(event, ...STEPS)) return [204]; // nothing that a carrier minds
  const { number, place, text, at } = event.data;
  const step = { id: event.id, number, sequence: Number(event["sequence"] ?? 0), type: event.type, at, place, text };
  if (parcels.keep(step)) console.log(`${number}  ${event.type}`); // stored before it is answered
  return [204];
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const item = /^\/items\/([^/?]+)$/.exec(request.url ?? "")?.[1];
  let status: number;
  let body: unknown;
  if (request.method === "GET" && item !== undefined) {
    const steps = parcels.track(decodeURIComponent(item));
    [status, body] = [steps.length > 0 ? 200 : 404, { number: item, steps }];
  } else if (request.method === "POST" && request.url === "/events") {
    try {
      [status, body] = await take(request);
    } catch (error) {
      if (!(error instanceof WebhookError)) throw error;
      [status, body] = [401, { error: error.message }];
    }
  } else {
    status = 404;
  }
  response.writeHead(status, body === undefined ? {} : { "content-type": "application/json" });
  response.end(body === undefined ? undefined : JSON.stringify(body));
}

const server = createServer((request, response) => {
  answer(request, response).catch((error: unknown) => {
    console.error(error);
    response.writeHead(500).end(); // not stored: the platform sends it again
  });
});
server.listen(Number(port), "127.0.0.1", () => console.log(`ready on http://127.0.0.1:${port}`));
process.once("SIGTERM", () => {
  server.close(() => parcels.close());
  server.closeAllConnections();
});
