// The hand-written part of every Kaimen SDK for JavaScript: tokens, retries, errors, pages, webhooks. No dependencies.

export const SDK_VERSION = "1.0.0";
const EARLY_SECONDS = 30;
const MOST_WAIT_SECONDS = 60;
const BACK_OFF_SECONDS = 0.25;
const REPEATABLE = new Set([429, 502, 503, 504]);
const WEBHOOK_TOLERANCE_SECONDS = 300;
const SANDBOX_SCOPE = "platform:sandbox:write";
const hasBuffer = typeof globalThis.process !== "undefined";

// --- errors -----------------------------------------------------------------------------------------
export class KaimenError extends Error {
  constructor(message, options) {
    super(message, options);
    this.name = new.target.name;
  }
}
export class ConnectionError extends KaimenError {}
export class TimeoutError extends KaimenError {}
export class DecodingError extends KaimenError {}
export class WebhookError extends KaimenError {}

export class ApiError extends KaimenError {
  constructor(answer) {
    const { status, problem, requestId, headers, retryAfter } = answer;
    const said = problem.detail || problem.title || `HTTP ${status}`;
    super(`${status} ${said}${problem.next ? ` ${problem.next}` : ""}${requestId ? ` (${requestId})` : ""}`);
    this.status = status;
    this.type = problem.type ?? "";
    this.title = problem.title ?? "";
    this.detail = problem.detail ?? "";
    this.step = problem.step ?? "";
    this.rule = problem.rule ?? "";
    this.next = problem.next ?? "";
    this.requestId = requestId;
    this.errors = Array.isArray(problem.errors) ? problem.errors : [];
    this.retryAfter = retryAfter;
    this.problem = problem;
    this.headers = headers;
  }
}
export class AuthenticationError extends ApiError {}
export class PermissionDeniedError extends ApiError {}
export class NotFoundError extends ApiError {}
export class ConflictError extends ApiError {}
export class InvalidRequestError extends ApiError {}
export class RateLimitedError extends ApiError {}
export class ServerError extends ApiError {}

function errorClass(status) {
  if (status === 401) return AuthenticationError;
  if (status === 403) return PermissionDeniedError;
  if (status === 404 || status === 410) return NotFoundError;
  if (status === 409) return ConflictError;
  if (status === 400 || status === 422) return InvalidRequestError;
  if (status === 429) return RateLimitedError;
  return status >= 500 ? ServerError : ApiError;
}

// --- small things -----------------------------------------------------------------------------------
const encoder = new TextEncoder();

function environment(name) {
  return hasBuffer ? globalThis.process.env?.[name] : undefined;
}

function sleep(seconds, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, seconds * 1000);
    signal?.addEventListener("abort", () => { clearTimeout(timer); reject(signal.reason); }, { once: true });
  });
}

function base64Of(bytes) {
  let text = "";
  for (let at = 0; at < bytes.length; at += 0x8000) text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return btoa(text);
}

function bytesOf(base64) {
  const text = atob(base64.replace(/-/g, "+").replace(/_/g, "/"));
  return Uint8Array.from(text, (char) => char.charCodeAt(0));
}

const base64Url = (bytes) => base64Of(bytes).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
const jsonUrl = (value) => base64Url(encoder.encode(JSON.stringify(value)));

function randomId() {
  return globalThis.crypto.randomUUID();
}

function afterSeconds(headers, nowMs) {
  const text = headers.get("retry-after");
  if (text === null) return undefined;
  if (/^\d+$/.test(text.trim())) return Number(text);
  const at = Date.parse(text);
  return Number.isNaN(at) ? undefined : Math.max(0, (at - nowMs) / 1000);
}

async function signJwt(header, claims, key) {
  const text = `${jsonUrl(header)}.${jsonUrl(claims)}`;
  const signature = await globalThis.crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, key, encoder.encode(text));
  return `${text}.${base64Url(new Uint8Array(signature))}`;
}

// --- tokens -----------------------------------------------------------------------------------------
class Tokens {
  #config;
  #kept = new Map(); // scope -> {value, until}
  #asking = new Map(); // scope -> promise: callers at the same moment share one request
  #signing;
  #proving;
  #nonces = new Map();
  #skewMs = 0;

  constructor(config) {
    this.#config = config;
  }

  get isBound() {
    return this.#config.dpop;
  }

  sawDate(headers) {
    const at = Date.parse(headers.get("date") ?? "");
    if (!Number.isNaN(at)) this.#skewMs = at - Date.now();
  }

  async get(scope) {
    if (this.#config.accessToken !== undefined) return this.#config.accessToken;
    const known = this.#kept.get(scope);
    if (known !== undefined && performance.now() < known.until) return known.value;
    let asking = this.#asking.get(scope);
    if (asking === undefined) {
      asking = this.#ask(scope).finally(() => this.#asking.delete(scope));
      this.#asking.set(scope, asking);
    }
    return asking;
  }

  forget(scope, value) {
    if (this.#kept.get(scope)?.value === value) this.#kept.delete(scope);
  }

  async #ask(scope) {
    const { baseUrl, maxRetries } = this.#config;
    for (let attempt = 0; ; attempt += 1) {
      const url = `${baseUrl}/oauth/token`;
      const headers = { accept: "application/json", "content-type": "application/x-www-form-urlencoded", "user-agent": this.#config.userAgent };
      const form = new URLSearchParams({ grant_type: "client_credentials", ...(scope ? { scope } : {}) });
      await this.#identify(form, headers, url);
      if (this.#config.dpop) headers.dpop = await this.proof("POST", url);
      const response = await send(this.#config, url, { method: "POST", headers, body: form.toString() });
      const body = await readJson(response);
      this.sawDate(response.headers);
      const nonce = response.headers.get("dpop-nonce");
      if (nonce !== null) this.#nonces.set(new URL(url).origin, nonce);
      if (response.ok && typeof body?.access_token === "string") {
        const lifetime = Number(body.expires_in ?? 300);
        const early = Math.min(EARLY_SECONDS, lifetime / 4);
        this.#kept.set(scope, { value: body.access_token, until: performance.now() + (lifetime - early) * 1000 });
        return body.access_token;
      }
      if (body?.error === "use_dpop_nonce" && nonce !== null && attempt < 2) continue;
      if (REPEATABLE.has(response.status) && attempt < maxRetries) {
        const wait = afterSeconds(response.headers, Date.now()) ?? backOff(attempt);
        if (wait <= MOST_WAIT_SECONDS) {
          await sleep(wait);
          continue;
        }
      }
      throw tokenError(response, body);
    }
  }

  async #identify(form, headers, url) {
    const { clientId, clientSecret, privateKey } = this.#config;
    if (privateKey === undefined) {
      const pair = `${encodeURIComponent(clientId)}:${encodeURIComponent(clientSecret)}`;
      headers.authorization = `Basic ${base64Of(encoder.encode(pair))}`;
      return;
    }
    this.#signing ??= globalThis.crypto.subtle.importKey("jwk", privateKey, { name: "ECDSA", namedCurve: "P-256" }, false, ["sign"]);
    const now = Math.floor((Date.now() + this.#skewMs) / 1000);
    const claims = { iss: clientId, sub: clientId, aud: this.#config.baseUrl, jti: randomId(), iat: now, exp: now + 60 };
    const header = { alg: "ES256", typ: "JWT", ...(privateKey.kid ? { kid: privateKey.kid } : {}) };
    form.set("client_id", clientId);
    form.set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
    form.set("client_assertion", await signJwt(header, claims, await this.#signing));
  }

  async proof(method, url, token) {
    this.#proving ??= (async () => {
      const pair = await globalThis.crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, false, ["sign"]);
      const { kty, crv, x, y } = await globalThis.crypto.subtle.exportKey("jwk", pair.publicKey);
      return { key: pair.privateKey, jwk: { kty, crv, x, y } };
    })();
    const { key, jwk } = await this.#proving;
    const target = new URL(url);
    const claims = { htm: method, htu: target.origin + target.pathname, jti: randomId(), iat: Math.floor((Date.now() + this.#skewMs) / 1000) };
    const nonce = this.#nonces.get(target.origin + (token === undefined ? "" : "#api")) ?? (token === undefined ? this.#nonces.get(target.origin) : undefined);
    if (nonce !== undefined) claims.nonce = nonce;
    if (token !== undefined) claims.ath = base64Url(new Uint8Array(await globalThis.crypto.subtle.digest("SHA-256", encoder.encode(token))));
    return signJwt({ alg: "ES256", typ: "dpop+jwt", jwk }, claims, key);
  }

  sawNonce(url, nonce) {
    this.#nonces.set(`${new URL(url).origin}#api`, nonce);
  }
}

function tokenError(response, body) {
  const problem = { title: body?.error ?? "", detail: body?.error_description ?? "", rule: body?.error ?? "", next: body?.next ?? "", type: body?.error_uri ?? "", step: "token" };
  const Kind = response.status === 400 || response.status === 401 ? AuthenticationError : errorClass(response.status);
  return new Kind({ status: response.status, problem, requestId: response.headers.get("request-id") ?? "", headers: response.headers, retryAfter: afterSeconds(response.headers, Date.now()) });
}

// --- requests ---------------------------------------------------------------------------------------
async function send(config, url, init, timeout = config.timeout) {
  const signals = [AbortSignal.timeout(timeout * 1000), ...(init.signal ? [init.signal] : [])];
  try {
    return await config.fetch(url, { ...init, redirect: "manual", signal: AbortSignal.any(signals) });
  } catch (cause) {
    if (init.signal?.aborted) throw init.signal.reason;
    if (cause?.name === "TimeoutError") throw new TimeoutError(`no answer within ${timeout} s`, { cause });
    throw new ConnectionError(`${init.method} ${new URL(url).origin} failed: ${cause?.cause?.code ?? cause?.message ?? cause}`, { cause });
  }
}

async function readText(response) {
  try {
    return await response.text();
  } catch (cause) {
    if (cause?.name === "TimeoutError") throw new TimeoutError("the answer took too long", { cause });
    throw new ConnectionError(`the answer broke off: ${cause?.message ?? cause}`, { cause });
  }
}

async function readJson(response) {
  const text = await readText(response);
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function backOff(attempt) {
  return BACK_OFF_SECONDS * 2 ** attempt * (0.5 + Math.random() / 2);
}

async function apiError(response) {
  const found = await readJson(response);
  const problem = found !== null && typeof found === "object" && !Array.isArray(found) ? found : {};
  const requestId = response.headers.get("request-id") ?? problem.request_id ?? "";
  return new (errorClass(response.status))({ status: response.status, problem, requestId, headers: response.headers, retryAfter: afterSeconds(response.headers, Date.now()) });
}

/** What every service of the package shares. */
export class Transport {
  #config;
  #tokens;

  constructor(options, facts) {
    const read = (given, name) => given ?? environment(name);
    const baseUrl = (read(options.baseUrl, "KAIMEN_BASE_URL") ?? "http://127.0.0.1:8000").replace(/\/+$/, "");
    const clientId = read(options.clientId, "KAIMEN_CLIENT_ID");
    const clientSecret = options.privateKey === undefined ? read(options.clientSecret, "KAIMEN_CLIENT_SECRET") : undefined;
    const { accessToken } = options;
    if (accessToken !== undefined && (options.dpop === true || accessToken === "")) throw new KaimenError("accessToken is empty or bound to a key: a token of your own goes out as Bearer");
    if (!clientId && accessToken === undefined) throw new KaimenError("no client id: give clientId, or set KAIMEN_CLIENT_ID");
    if (!clientSecret && options.privateKey === undefined && accessToken === undefined) throw new KaimenError("no secret: give clientSecret or privateKey, or set KAIMEN_CLIENT_SECRET");
    if (!/^https?:\/\//.test(baseUrl)) throw new KaimenError(`baseUrl begins with http:// or https://, not ${baseUrl}`);
    const runtime = environment("npm_config_user_agent") !== undefined || hasBuffer ? `node/${globalThis.process?.versions?.node ?? ""}` : "browser";
    this.#config = {
      baseUrl, clientId, clientSecret, accessToken, privateKey: options.privateKey, dpop: options.dpop === true,
      timeout: options.timeout ?? 30, maxRetries: options.maxRetries ?? 2, headers: options.headers ?? {},
      scopes: options.scopes?.join(" ") ?? facts.scopes.join(" "), scenario: options.scenario,
      fetch: options.fetch ?? ((...given) => globalThis.fetch(...given)),
      userAgent: `kaimen-sdk-typescript/${SDK_VERSION} (${facts.name}/${facts.version}; ${runtime})`,
    };
    this.#tokens = new Tokens(this.#config);
  }

  get baseUrl() {
    return this.#config.baseUrl;
  }

  /** One call: the response once it is a success, after retries. */
  async open(call, options = {}) {
    const config = this.#config;
    const scope = call.scope ?? config.scopes;
    const url = config.baseUrl + call.path;
    const headers = { ...config.headers, accept: call.accept ?? "application/json", "user-agent": config.userAgent, ...call.headers };
    const scenario = options.scenario ?? config.scenario;
    if (scenario) headers["kaimen-scenario"] = scenario;
    if (call.idempotent) headers["idempotency-key"] = options.idempotencyKey ?? randomId();
    for (const [name, value] of Object.entries(options.headers ?? {})) headers[name.toLowerCase()] = value;
    const mayRepeat = (call.method === "GET" || call.method === "HEAD" || call.idempotent === true) && !(call.body instanceof ReadableStream);
    const most = options.maxRetries ?? config.maxRetries;
    let attempt = 0;
    let renewed = false;
    let challenged = false;
    for (;;) {
      const token = await this.#tokens.get(scope);
      headers.authorization = `${config.dpop ? "DPoP" : "Bearer"} ${token}`;
      if (config.dpop) headers.dpop = await this.#tokens.proof(call.method, url, token);
      const init = { method: call.method, headers, ...(options.signal ? { signal: options.signal } : {}) };
      if (call.body !== undefined) Object.assign(init, { body: call.body }, call.body instanceof ReadableStream ? { duplex: "half" } : {});
      let response;
      try {
        response = await send(config, url, init, options.timeout ?? config.timeout);
      } catch (error) {
        if (!(error instanceof ConnectionError) || !mayRepeat || attempt >= most) throw error;
        await sleep(backOff(attempt), options.signal);
        attempt += 1;
        continue;
      }
      this.#tokens.sawDate(response.headers);
      const nonce = response.headers.get("dpop-nonce");
      if (nonce !== null) this.#tokens.sawNonce(url, nonce);
      if (response.status >= 200 && response.status < 300) return response;
      const error = await apiError(response);
      if (response.status === 401 && nonce !== null && config.dpop && !challenged) {
        challenged = true;
        continue;
      }
      if (response.status === 401 && !renewed && config.accessToken === undefined && !(call.body instanceof ReadableStream)) {
        renewed = true;
        this.#tokens.forget(scope, token);
        continue;
      }
      const wait = error.retryAfter ?? backOff(attempt);
      if (!REPEATABLE.has(response.status) || !mayRepeat || attempt >= most || wait > MOST_WAIT_SECONDS) throw error;
      await sleep(wait, options.signal);
      attempt += 1;
    }
  }

  async json(call, options) {
    const response = await this.open(call, options);
    const text = await readText(response);
    if (call.decode === undefined || text === "") return { value: undefined, response };
    let value;
    try {
      value = JSON.parse(text);
    } catch (cause) {
      throw new DecodingError(`the answer is no JSON (${response.headers.get("request-id") ?? ""})`, { cause });
    }
    try {
      return { value: call.decode(value), response };
    } catch (cause) {
      throw new DecodingError(`the answer does not fit the contract: ${cause?.message ?? cause}`, { cause });
    }
  }

  toJSON() {
    return { baseUrl: this.#config.baseUrl, clientId: this.#config.clientId };
  }

  [Symbol.for("nodejs.util.inspect.custom")]() {
    return `Transport { baseUrl: ${JSON.stringify(this.#config.baseUrl)}, clientId: ${JSON.stringify(this.#config.clientId)} }`;
  }
}

// --- values -----------------------------------------------------------------------------------------
// A codec is "" (as it is), "b" (base64), ["a", codec], ["m", codec] or the name of a type.
export function decoder(types) {
  const decode = (codec, value) => {
    if (value === null || value === undefined || codec === "") return value;
    if (codec === "b") return bytesOf(value);
    if (codec[0] === "a" && Array.isArray(codec)) return Array.isArray(value) ? value.map((one) => decode(codec[1], one)) : value;
    if (codec[0] === "m" && Array.isArray(codec)) return mapped(value, (one) => decode(codec[1], one));
    const type = types[codec];
    if (type.union) return variant(type, value, (name, one) => decode(name, one), types);
    if (typeof value !== "object" || Array.isArray(value)) throw new TypeError(`${codec} is an object, not ${JSON.stringify(value)?.slice(0, 40)}`);
    const made = {};
    for (const [wire, one] of Object.entries(value)) {
      const field = type.byWire.get(wire);
      if (field === undefined) define(made, wire, type.others === undefined ? one : decode(type.others, one));
      else define(made, field[0], decode(field[2], one));
    }
    return made;
  };
  return decode;
}

export function encoder_(types) {
  const encode = (codec, value) => {
    if (value === null || value === undefined || codec === "") return value;
    if (codec === "b") return typeof value === "string" ? value : base64Of(value);
    if (codec[0] === "a" && Array.isArray(codec)) return value.map((one) => encode(codec[1], one));
    if (codec[0] === "m" && Array.isArray(codec)) return mapped(value, (one) => encode(codec[1], one));
    const type = types[codec];
    if (type.union) return variant(type, value, (name, one) => encode(name, one), types, true);
    const made = {};
    for (const [name, one] of Object.entries(value)) {
      if (one === undefined) continue;
      const field = type.byName.get(name);
      define(made, field === undefined ? name : field[1], field === undefined ? one : encode(field[2], one));
    }
    return made;
  };
  return encode;
}

function define(target, name, value) {
  if (name === "__proto__") Object.defineProperty(target, name, { value, enumerable: true, writable: true, configurable: true });
  else target[name] = value;
}

function mapped(value, change) {
  if (typeof value !== "object" || value === null) return value;
  const made = {};
  for (const [name, one] of Object.entries(value)) define(made, name, change(one));
  return made;
}

function variant(type, value, change, types, isEncoding = false) {
  if (typeof value !== "object" || value === null) return value;
  if (type.property) {
    const tag = value[isEncoding ? type.member : type.property];
    const found = type.variants.find(([, tags]) => tags.includes(tag));
    return found === undefined ? value : change(found[0], value);
  }
  const fits = ([name]) => types[name].fields?.every(([member, wire, , required]) => !required || (isEncoding ? member : wire) in value);
  const found = type.variants.find(fits);
  return found === undefined ? value : change(found[0], value);
}

/** Type tables as the generated code writes them. */
export function tables(types) {
  for (const type of Object.values(types)) {
    if (type.fields) {
      type.byWire = new Map(type.fields.map((field) => [field[1], field]));
      type.byName = new Map(type.fields.map((field) => [field[0], field]));
    }
  }
  return types;
}

// --- addresses --------------------------------------------------------------------------------------
const strict = (text) => encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);

function plain(value) {
  if (value instanceof Date) return value.toISOString();
  return typeof value === "object" && value !== null ? JSON.stringify(value) : String(value);
}

/** `given`: [wire name, location, style, explode, isJson, value]. */
export function address(template, given) {
  let path = template;
  const query = [];
  const headers = {};
  for (const [wire, location, style, explode, isJson, value] of given) {
    if (value === undefined || value === null) continue;
    if (location === "path") path = path.replaceAll(`{${wire}}`, () => strict(Array.isArray(value) ? value.map(plain).join(",") : plain(value)));
    else if (location === "header") headers[wire.toLowerCase()] = Array.isArray(value) ? value.map(plain).join(",") : plain(value);
    else if (isJson) query.push(`${strict(wire)}=${strict(JSON.stringify(value))}`);
    else if (Array.isArray(value)) query.push(...listed(wire, style, explode, value));
    else if (style === "deepObject" && typeof value === "object") for (const [key, one] of Object.entries(value)) query.push(`${strict(wire)}%5B${strict(key)}%5D=${strict(plain(one))}`);
    else if (typeof value === "object" && !(value instanceof Date) && explode) for (const [key, one] of Object.entries(value)) query.push(`${strict(key)}=${strict(plain(one))}`);
    else query.push(`${strict(wire)}=${strict(plain(value))}`);
  }
  return { path: query.length ? `${path}?${query.join("&")}` : path, headers };
}

function listed(wire, style, explode, value) {
  const parts = value.map((one) => strict(plain(one)));
  if (explode) return parts.map((one) => `${strict(wire)}=${one}`);
  const joint = style === "spaceDelimited" ? "%20" : style === "pipeDelimited" ? "%7C" : ",";
  return [`${strict(wire)}=${parts.join(joint)}`];
}

export function form(value) {
  const made = new URLSearchParams();
  for (const [name, one] of Object.entries(value ?? {})) {
    if (one === undefined || one === null) continue;
    for (const each of Array.isArray(one) ? one : [one]) made.append(name, plain(each));
  }
  return made.toString();
}

export function multipart(value) {
  const made = new FormData();
  for (const [name, one] of Object.entries(value ?? {})) {
    if (one === undefined || one === null) continue;
    for (const each of Array.isArray(one) ? one : [one]) {
      if (each instanceof Blob) made.append(name, each);
      else if (each instanceof Uint8Array) made.append(name, new Blob([each]));
      else made.append(name, plain(each));
    }
  }
  return made;
}

// --- pages ------------------------------------------------------------------------------------------
/** A list that is fetched page by page: await it for the first page, iterate it for every item of all pages. */
export class Pages {
  #fetch;

  constructor(fetch) {
    this.#fetch = fetch;
  }

  then(resolve, reject) {
    return this.#fetch(undefined).then(resolve, reject);
  }

  async *pages() {
    let cursor;
    do {
      const page = await this.#fetch(cursor);
      yield page;
      cursor = page.nextCursor;
    } while (cursor !== undefined);
  }

  async *[Symbol.asyncIterator]() {
    for await (const page of this.pages()) yield* page.items;
  }
}

// --- webhooks ---------------------------------------------------------------------------------------
/** Verify a delivery (Standard Webhooks, v1 and v1a) and give its CloudEvent. */
export async function verifyWebhook(payload, headers, keys, { now = Date.now(), tolerance = WEBHOOK_TOLERANCE_SECONDS } = {}) {
  const named = typeof headers.get === "function" ? headers : new Headers(headers);
  const id = named.get("webhook-id");
  const at = named.get("webhook-timestamp");
  const marks = named.get("webhook-signature");
  if (!id || !at || !marks) throw new WebhookError("webhook-id, webhook-timestamp or webhook-signature is missing");
  if (!/^\d+$/.test(at) || Math.abs(now / 1000 - Number(at)) > tolerance) throw new WebhookError("the timestamp is too old or too new");
  const text = typeof payload === "string" ? payload : new TextDecoder().decode(payload);
  const signed = encoder.encode(`${id}.${at}.${text}`);
  const subtle = globalThis.crypto.subtle;
  for (const mark of marks.split(" ")) {
    const [version, value] = mark.split(",", 2);
    if (!value) continue;
    for (const key of Array.isArray(keys) ? keys : [keys]) {
      try {
        if (version === "v1" && key.startsWith("whsec_")) {
          const made = await subtle.importKey("raw", bytesOf(key.slice(6)), { name: "HMAC", hash: "SHA-256" }, false, ["verify"]);
          if (await subtle.verify("HMAC", made, bytesOf(value), signed)) return parseEvent(text);
        } else if (version === "v1a" && key.startsWith("whpk_")) {
          const made = await subtle.importKey("raw", bytesOf(key.slice(5)), { name: "Ed25519" }, false, ["verify"]);
          if (await subtle.verify({ name: "Ed25519" }, made, bytesOf(value), signed)) return parseEvent(text);
        }
      } catch (cause) {
        if (cause instanceof WebhookError) throw cause; // a key or signature of no known form fits nothing
      }
    }
  }
  throw new WebhookError("no signature fits: the secret is another one, or the payload was changed");
}

function parseEvent(text) {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new WebhookError("the payload is no JSON", { cause });
  }
}

// --- sandbox ----------------------------------------------------------------------------------------
/** The sandbox of the app itself: needs the platform scope platform:sandbox:write. */
export class Sandbox {
  #transport;

  constructor(transport) {
    this.#transport = transport;
    this.clock = {
      get: () => this.#call("GET", "/platform/v1/sandbox/clock"),
      set: (now) => this.#call("POST", "/platform/v1/sandbox/clock", { now: now instanceof Date ? now.toISOString() : now }),
      advance: (duration) => this.#call("POST", "/platform/v1/sandbox/clock", { advance: duration }),
      clear: () => this.#call("DELETE", "/platform/v1/sandbox/clock"),
    };
  }

  reset() {
    return this.#call("POST", "/platform/v1/sandbox/reset", {});
  }

  async #call(method, path, body) {
    const call = { method, path, scope: SANDBOX_SCOPE, decode: (value) => value, headers: body === undefined ? {} : { "content-type": "application/json" } };
    if (body !== undefined) call.body = JSON.stringify(body);
    return (await this.#transport.json(call)).value;
  }
}
