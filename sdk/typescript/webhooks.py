"""Webhook events in a TypeScript package: a delivery verified, and its data read like any other answer."""

from collections.abc import Callable

from sdk.model import SdkModel, TypeRef
from sdk.typescript.naming import text

DECLARED = """\
/** An event of a type that the contracts name. */
export type KnownEvent<K extends keyof Events = keyof Events> = { [T in K]: WebhookEvent<Events[T]> & { readonly type: T } }[K];

/** Whether an event is of one of these types; its data are typed then. */
export declare function isEvent<K extends keyof Events>(event: WebhookEvent, ...types: K[]): event is KnownEvent<K>;

/**
 * Verify a delivery (Standard Webhooks: v1 with `whsec_…`, v1a with `whpk_…`) and give its CloudEvent; of a type in
 * {@link Events} with its data read. `payload` is the body as it came. Throws WebhookError, DecodingError.
 */
export declare function verifyWebhook(
  payload: string | Uint8Array,
  headers: WebhookHeaders,
  keys: string | readonly string[],
  options?: { now?: number; tolerance?: number },
): Promise<WebhookEvent>;

"""

_SCRIPT = """
export const isEvent = (event, ...types) => types.includes(event.type);

export async function verifyWebhook(payload, headers, keys, options) {
  const event = await verified(payload, headers, keys, options);
  if (!Object.hasOwn(EVENTS, event.type)) return event;
  try {
    return { ...event, data: decode(EVENTS[event.type], event.data) };
  } catch (cause) {
    throw new DecodingError(`the event does not fit the contract: ${cause?.message ?? cause}`, { cause });
  }
}

"""


def script(model: SdkModel, codec: Callable[[TypeRef], str]) -> str:
    """The functions, and which codec reads the data of which type."""
    rows = "".join(
        f"  [{text(one.type)}]: {codec(one.data)},\n" for service in model.services for one in service.events
    )
    return f"const EVENTS = {{\n{rows}}};\n{_SCRIPT}"
