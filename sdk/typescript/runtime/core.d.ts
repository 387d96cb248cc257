/** Any JSON. */
export type JsonValue = unknown;

/** A variant of a union that the contract did not name when this package was made. */
export interface UnknownVariant {
  [member: string]: unknown;
}

export declare const SDK_VERSION: string;

export interface ClientOptions {
  /** The origin of the gateway; KAIMEN_BASE_URL, else http://127.0.0.1:8000. */
  baseUrl?: string | undefined;
  clientId?: string | undefined;
  clientSecret?: string | undefined;
  /** A token that you hold already, under a person's consent for instance: sent as it is, never renewed. */
  accessToken?: string | undefined;
  /** A private EC P-256 key (JWK) in place of the secret: private_key_jwt. */
  privateKey?: JsonWebKey | undefined;
  /** Bind tokens to a key of this client (RFC 9449). */
  dpop?: boolean | undefined;
  /** Seconds for one attempt; 30. */
  timeout?: number | undefined;
  /** Repetitions after the first attempt, of what may be repeated; 2. */
  maxRetries?: number | undefined;
  /** Scopes to ask for; those of all operations of the package. */
  scopes?: readonly string[] | undefined;
  /** A scenario of the sandbox for every call. */
  scenario?: string | undefined;
  headers?: Readonly<Record<string, string>> | undefined;
  /** Another fetch: for proxies, own certificates, tests. */
  fetch?: typeof globalThis.fetch | undefined;
}

export interface CallOptions {
  idempotencyKey?: string | undefined;
  scenario?: string | undefined;
  timeout?: number | undefined;
  maxRetries?: number | undefined;
  headers?: Readonly<Record<string, string>> | undefined;
  signal?: AbortSignal | undefined;
}

/** A value with the response that it came in. */
export interface Raw<T> {
  readonly value: T;
  readonly status: number;
  readonly headers: Headers;
  readonly requestId: string;
}

export interface Page<T> {
  readonly items: T[];
  readonly nextCursor: string | undefined;
  readonly value: unknown;
  readonly status: number;
  readonly headers: Headers;
  readonly requestId: string;
}

/** A list that is fetched page by page: await it for the first page, iterate it for every item of all pages. */
export declare class Pages<T> implements PromiseLike<Page<T>>, AsyncIterable<T> {
  then<A = Page<T>, B = never>(
    resolve?: ((page: Page<T>) => A | PromiseLike<A>) | null,
    reject?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B>;
  pages(): AsyncGenerator<Page<T>, void, undefined>;
  [Symbol.asyncIterator](): AsyncGenerator<T, void, undefined>;
}

export declare class KaimenError extends Error {}
export declare class ConnectionError extends KaimenError {}
export declare class TimeoutError extends KaimenError {}
export declare class DecodingError extends KaimenError {}
export declare class WebhookError extends KaimenError {}

/** A refusal, with the step and the rule that refused and what to do next (RFC 9457). */
export declare class ApiError extends KaimenError {
  readonly status: number;
  readonly type: string;
  readonly title: string;
  readonly detail: string;
  readonly step: string;
  readonly rule: string;
  readonly next: string;
  readonly requestId: string;
  readonly errors: ReadonlyArray<{ pointer?: string; message?: string }>;
  /** Seconds, where the server said when to come again. */
  readonly retryAfter: number | undefined;
  readonly problem: Readonly<Record<string, unknown>>;
  readonly headers: Headers;
}
export declare class AuthenticationError extends ApiError {}
export declare class PermissionDeniedError extends ApiError {}
export declare class NotFoundError extends ApiError {}
export declare class ConflictError extends ApiError {}
export declare class InvalidRequestError extends ApiError {}
export declare class RateLimitedError extends ApiError {}
export declare class ServerError extends ApiError {}

export type WebhookHeaders = Headers | Readonly<Record<string, string>>;

export interface WebhookEvent<T = unknown> {
  readonly specversion: string;
  readonly id: string;
  readonly type: string;
  readonly source: string;
  readonly subject?: string;
  readonly time?: string;
  readonly data: T;
  readonly [extension: string]: unknown;
}

/**
 * Verify a delivery (Standard Webhooks: v1 with `whsec_…`, v1a with `whpk_…`) and give its CloudEvent.
 * `payload` is the body as it came. Throws WebhookError.
 */
export declare function verifyWebhook(
  payload: string | Uint8Array,
  headers: WebhookHeaders,
  keys: string | readonly string[],
  options?: { now?: number; tolerance?: number },
): Promise<WebhookEvent>;

/** The sandbox of the app itself: needs the platform scope platform:sandbox:write. */
export declare class Sandbox {
  reset(): Promise<{ app_id: string; records: number }>;
  readonly clock: {
    get(): Promise<unknown>;
    set(now: Date | string): Promise<unknown>;
    /** `P30D`, `PT6H`. */
    advance(duration: string): Promise<unknown>;
    clear(): Promise<unknown>;
  };
}
