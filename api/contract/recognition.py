"""What a document is when it is no OpenAPI: said in a way that tells its giver what to do."""

from api.contract.model import Json, JsonObject

Said = tuple[str, str]

_BY_KEY: tuple[tuple[str, Said], ...] = (
    ("asyncapi", ("是 AsyncAPI 文档,事件接口请写在 webhooks", "it is an AsyncAPI document; describe events under webhooks")),
    ("overlay", ("是 OpenAPI Overlay,请与它所修改的文档一起给出", "it is an OpenAPI Overlay; give it together with the document that it changes")),
    ("arazzo", ("是 Arazzo 工作流文档", "it is an Arazzo workflow document")),
    ("swaggerVersion", ("是 Swagger 1.x,请先转换为 2.0 以上", "it is Swagger 1.x; convert it to 2.0 or later first")),
    ("openrpc", ("是 OpenRPC 文档", "it is an OpenRPC document")),
    ("apiVersion", ("像是 Kubernetes 清单", "it looks like a Kubernetes manifest")),
    ("$schema", ("像是单独的 JSON Schema", "it looks like a JSON Schema alone")),
    ("resources", ("像是 API 描述或导出文件,但没有 openapi 字段", "it looks like some export, but it has no openapi field")),
)  # fmt: skip
_BY_START: tuple[tuple[str, Said], ...] = (
    ("#%RAML", ("是 RAML 文档", "it is a RAML document")),
    ("<!doctype html", ("是 HTML 页面", "it is an HTML page")),
    ("<html", ("是 HTML 页面", "it is an HTML page")),
    ("<", ("是 XML(也许是 WSDL)", "it is XML (WSDL, perhaps)")),
    ("FORMAT: 1A", ("是 API Blueprint", "it is an API Blueprint")),
    ("PK\x03", ("是 ZIP 压缩包", "it is a ZIP archive")),
    ("%PDF", ("是 PDF", "it is a PDF")),
)  # fmt: skip


def unlike_openapi(value: Json, text: str) -> Said:
    """What it seems to be, in Chinese and English."""
    start = text.lstrip()[:40]
    for prefix, said in _BY_START:
        if start.lower().startswith(prefix.lower()):
            return said
    if not isinstance(value, dict):
        return "顶层不是对象", "its top level is no object"
    if _is_postman(value):
        return (
            "是 Postman 集合,请用 Postman 导出为 OpenAPI",
            "it is a Postman collection; export it as OpenAPI",
        )
    for key, said in _BY_KEY:
        if key in value:
            return said
    return "没有 openapi 或 swagger 字段", "it has no openapi or swagger field"


def _is_postman(value: JsonObject) -> bool:
    info = value.get("info")
    return isinstance(info, dict) and ("_postman_id" in info or "getpostman" in str(info.get("schema", "")))
