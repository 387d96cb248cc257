"""The hand-written part of every Kaimen SDK for Python: tokens, retries, errors, pages, webhooks. Needs httpx alone."""

from .address import Param
from .calls import Operation, PageNames
from .clients import AsyncClient, Client, Raw
from .config import SDK_VERSION, CallOptions, Facts
from .pages import AsyncPages, Page
from .streams import AsyncDownload, AsyncUpload, Download, Upload
from .transports import AsyncResource, AsyncTransport, Resource, Transport
from .webhooks import WebhookEvent, typed, verified

__all__ = [
    "SDK_VERSION",
    "AsyncClient",
    "AsyncDownload",
    "AsyncPages",
    "AsyncResource",
    "AsyncTransport",
    "AsyncUpload",
    "CallOptions",
    "Client",
    "Download",
    "Facts",
    "Operation",
    "Page",
    "PageNames",
    "Param",
    "Raw",
    "Resource",
    "Transport",
    "Upload",
    "WebhookEvent",
    "typed",
    "verified",
]
