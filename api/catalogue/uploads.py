"""Uploads: what a browser or a client sends (files, a zip archive, or JSON) -> files by name, and which is the entry.

Everything is bounded before it is unpacked: bytes, files, and what an archive claims and really holds. It reads
no document; that is api.contract.load's.
"""

import io
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterable, Mapping

from msgspec import Struct

from api.contract.files import normal_path
from api.core.problem_types_platform import UPLOAD_REFUSED
from api.core.problems import Refusal, Text

MAX_BYTES = 20 * 1024 * 1024  # of an upload, and of everything in an archive together
MAX_FILES = 500
_DOCUMENTS = (".yaml", ".yml", ".json")
_IS_OPENAPI = re.compile(  # a key at the beginning of a line (YAML), or a quoted key anywhere (JSON)
    rb"""^(?:openapi|swagger)\s*:\s*["']?\d|["'](?:openapi|swagger)["']\s*:\s*["']?\d""", re.MULTILINE
)
_USUAL_NAMES = ("openapi", "swagger", "contract", "application", "api", "index", "main")


class Upload(Struct, frozen=True):
    """Files by their path relative to the upload's root, and the entry document among them."""

    files: dict[str, bytes]
    entry: str


# everything that the standard library was seen to raise on broken archives (fuzzed in tests)
_BROKEN = (
    zipfile.BadZipFile, zlib.error, struct.error, EOFError, LookupError, ArithmeticError, RuntimeError, ValueError, OSError,
)  # fmt: skip


def _refused(rule: str, zh: str, en: str, following_zh: str, following_en: str) -> Refusal:
    return Refusal(UPLOAD_REFUSED, rule=rule, reason=Text(zh, en), following=Text(following_zh, following_en))


def gather(parts: Iterable[tuple[str, bytes]], entry: str = "") -> Upload:
    """The upload that these parts (file name, bytes) make; a part that is a zip archive stands for its files.

    `entry` "" finds the one OpenAPI document among them. Errors: upload-refused, with what to do.
    """
    files: dict[str, bytes] = {}
    for name, data in parts:
        is_archive = data[:4] == b"PK\x03\x04"
        for path, content in unzip(data).items() if is_archive else [(name, data)]:
            clean = normal_path(path)
            if not clean or any(not char.isprintable() for char in clean):
                raise _refused(
                    "path", f"文件名 {path[:80]!r} 越出了上传目录。", f"The file name {path[:80]!r} leads out of the upload.",
                    "使用相对路径。", "Use relative paths.",
                )  # fmt: skip
            files[clean] = content
        _check_bounds(files)
    return Upload(files, _entry_of(files, entry))


def from_texts(files: Mapping[str, str], entry: str = "") -> Upload:
    """The same for texts by name, as the JSON form of the API has them."""
    return gather(((name, text.encode("utf-8", "surrogatepass")) for name, text in files.items()), entry)


def _check_bounds(files: Mapping[str, bytes]) -> None:
    total = sum(map(len, files.values()))
    if len(files) > MAX_FILES or total > MAX_BYTES:
        raise _refused(
            "size",
            f"上传共 {len(files)} 个文件、{total} 字节;上限为 {MAX_FILES} 个文件、{MAX_BYTES} 字节。",
            f"The upload has {len(files)} files and {total} bytes; the bounds are {MAX_FILES} files and {MAX_BYTES} bytes.",
            "只上传契约文件本身及其引用的文件。", "Upload the contract and the files that it refers to, nothing else.",
        )  # fmt: skip


def unzip(data: bytes) -> dict[str, bytes]:
    """The files of an archive. Refuses bombs by the claimed sizes and again by what is really read.

    Folders, `__MACOSX` and dot files are left out. Errors: upload-refused.
    """
    files: dict[str, bytes] = {}
    left = MAX_BYTES
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = [
                one for one in archive.infolist() if not one.is_dir() and not _is_clutter(one.filename)
            ]
            _check_claims(members)
            for member in members:
                with archive.open(member) as stream:
                    content = stream.read(left + 1)
                left -= len(content)
                if left < 0:
                    raise _bomb()
                files[member.filename] = content
    except _BROKEN as error:
        raise _refused(
            "archive", f"压缩包无法读取:{error}。", f"The archive cannot be read: {error}.",
            "重新打包为普通的 ZIP。", "Pack it again as a plain ZIP.",
        ) from error  # fmt: skip
    return files


def _is_clutter(name: str) -> bool:
    return name.startswith("__MACOSX/") or any(
        part.startswith(".") and part not in {".", ".."} for part in name.split("/")
    )


def _check_claims(members: list[zipfile.ZipInfo]) -> None:
    if len(members) > MAX_FILES or sum(member.file_size for member in members) > MAX_BYTES:
        raise _bomb()
    for member in members:
        if member.flag_bits & 0x1:
            raise _refused(
                "archive", "压缩包已加密。", "The archive is encrypted.", "去掉密码后重新打包。", "Pack it without a password.",
            )  # fmt: skip
        if stat.S_ISLNK(member.external_attr >> 16):
            raise _refused(
                "path", f"压缩包含符号链接 {member.filename[:80]}。", f"The archive holds the symbolic link {member.filename[:80]}.",
                "以文件本身代替链接。", "Put the file itself in its place.",
            )  # fmt: skip


def _bomb() -> Refusal:
    return _refused(
        "size",
        f"压缩包解开后超过 {MAX_BYTES} 字节或 {MAX_FILES} 个文件。",
        f"The archive unpacks to more than {MAX_BYTES} bytes or {MAX_FILES} files.",
        "只上传契约文件本身及其引用的文件。", "Upload the contract and the files that it refers to, nothing else.",
    )  # fmt: skip


def _entry_of(files: Mapping[str, bytes], entry: str) -> str:
    if not files:
        raise _refused(
            "empty", "没有收到文件。", "No file was received.",
            "以 multipart 上传文件或 ZIP,或以 JSON 发送 files 与 entry。",
            "Upload files or a ZIP as multipart, or send files and entry as JSON.",
        )  # fmt: skip
    if entry:
        named = normal_path(entry) or entry
        if named not in files:
            raise _refused(
                "entry", f"没有入口文件 {entry[:80]}。", f"There is no entry document {entry[:80]}.",
                f"可选:{_some(files)}。", f"There are: {_some(files)}.",
            )  # fmt: skip
        return named
    if len(files) == 1:
        return next(iter(files))
    return _guess(files)


def _guess(files: Mapping[str, bytes]) -> str:
    """The one file that says `openapi:` or `swagger:`; of several the one nearest the root with a usual name."""
    found = [
        name for name, data in files.items()
        if name.lower().endswith(_DOCUMENTS) and _IS_OPENAPI.search(data[:65536])
    ]  # fmt: skip
    if len(found) > 1:
        usual = [name for name in found if name.rpartition("/")[2].partition(".")[0].lower() in _USUAL_NAMES]
        depth = min((name.count("/") for name in usual), default=-1)
        nearest = [name for name in usual if name.count("/") == depth]
        found = nearest if len(nearest) == 1 else found
    if len(found) != 1:
        raise _refused(
            "entry",
            f"无法判断哪个是入口文件({_some(found or files)})。", f"It is not clear which is the entry document ({_some(found or files)}).",
            "以 entry 指明。", "Name it as entry.",
        )  # fmt: skip
    return found[0]


def _some(names: Iterable[str]) -> str:
    every = sorted(names)
    return ", ".join(every[:8]) + (" …" if len(every) > 8 else "")
