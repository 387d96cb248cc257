"""What the routes of SDKs take and give."""

from typing import Annotated

from msgspec import Meta, Struct

from api.core import clock
from api.downloads.builder import Made
from api.downloads.models import SdkRelease, SdkToken

_STEPS = "waiting, reading, modelling, writing, signing, done or failed"


class SdkRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """Which SDK."""

    language: Annotated[
        str, Meta(max_length=20, examples=["typescript"], description="python, typescript, java or go.")
    ]


class SdkFile(Struct, frozen=True):
    name: str
    size: Annotated[int, Meta(description="Bytes.")]
    sha256: str


class SdkBuild(Struct, frozen=True):
    """A build, and the package where it is done."""

    build_id: str
    app_id: str
    language: str
    status: Annotated[str, Meta(description="running, done or failed")]
    step: Annotated[str, Meta(description=_STEPS)]
    package: Annotated[str, Meta(description="As the language's registry knows it, once it is done.")] = ""
    version: str = ""
    install: Annotated[str, Meta(description="What to type; TOKEN stands for a read token of the app.")] = ""
    files: list[SdkFile] = []
    services: list[str] = []
    operations: int = 0
    left_out: Annotated[
        list[str], Meta(description="Subscribed versions of which a newer one is in the package.")
    ] = []
    reason: str = ""
    next: Annotated[str, Meta(description="What to do where it failed.")] = ""


class SdkItem(Struct, frozen=True):
    package: str
    language: str
    version: str
    made_at: str


class SdkList(Struct, frozen=True):
    items: list[SdkItem]


class PublicSdk(Struct, frozen=True):
    """A whole service as a package."""

    service: str
    versions: list[str]
    packages: Annotated[dict[str, str], Meta(description="Name by language.")]
    install: Annotated[dict[str, str], Meta(description="What to type, by language.")]


class PublicSdkList(Struct, frozen=True):
    items: list[PublicSdk]
    key: Annotated[str, Meta(description="Ed25519 public key of SHA256SUMS.sig, PEM.")]


class SdkTokenRequest(Struct, frozen=True, forbid_unknown_fields=True):
    label: Annotated[str, Meta(min_length=1, max_length=100, examples=["build server"])]


class SdkTokenItem(Struct, frozen=True):
    token_id: str
    label: str
    hint: Annotated[str, Meta(description="Its last four characters.")]
    created_at: str


class NewSdkToken(Struct, frozen=True):
    token_id: str
    label: str
    token: Annotated[str, Meta(description="Shown this once.")]


class SdkTokenList(Struct, frozen=True):
    items: list[SdkTokenItem]


def token_item(row: SdkToken) -> SdkTokenItem:
    return SdkTokenItem(row.id, row.label, row.hint, clock.to_text(row.created_at))


def files_of(made: Made) -> list[SdkFile]:
    return [SdkFile(name, one.size, one.sha256) for name, one in sorted(made.files.items())]


def item_of(release: SdkRelease, language: str, made: Made) -> SdkItem:
    return SdkItem(made.name, language, release.version, clock.to_text(release.made_at))


def install_of(language: str, name: str, version: str, origin: str, *, is_private: bool) -> str:
    """The line that installs a package from this platform. TOKEN stands for a read token, "" for the newest version."""
    scheme, _, host = origin.partition("://")
    opened = f"{scheme}://kaimen:TOKEN@{host}/sdk" if is_private else f"{origin}/sdk"
    if language == "python":
        return f"pip install --extra-index-url {opened}/simple/ {name}{f'=={version}' if version else ''}"
    if language == "typescript":
        auth = f" --//{host}/sdk/npm/:_authToken=TOKEN" if is_private else ""
        return f"npm install {name}@{version or 'latest'} --@kaimen:registry={origin}/sdk/npm/{auth}"
    if language == "go":
        opened_go = f"{opened}/go"
        return f"GOPROXY={opened_go},$(go env GOPROXY) GONOSUMDB=gov.kaimen go get {name}@{f'v{version}' if version else 'latest'}"
    return f"mvn dependency:get -DremoteRepositories=kaimen::default::{origin}/sdk/maven -Dartifact={name}:{version or 'LATEST'}"
