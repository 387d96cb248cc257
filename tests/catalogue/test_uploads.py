"""Uploads: what is taken, which file is the entry, and what is refused before it is unpacked."""

import contextlib
import io
import stat
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.catalogue import uploads
from api.core.problems import Refusal

OPENAPI = b"openapi: 3.1.0\ninfo: {title: T, version: '1'}\npaths: {}\n"
SWAGGER = b'{"swagger": "2.0", "info": {"title": "T", "version": "1"}, "paths": {}}'
PART = b"type: object\n"


def archive(files: dict[str, bytes], **info: object) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as made:
        for name, data in files.items():
            entry = zipfile.ZipInfo(name)
            entry.compress_type = zipfile.ZIP_DEFLATED
            for key, value in info.items():
                setattr(entry, key, value)
            made.writestr(entry, data)
    return buffer.getvalue()


def rule_of(call: object) -> str:
    with pytest.raises(Refusal) as refused:
        call()  # type: ignore[operator]
    assert refused.value.kind.slug == "upload-refused"
    assert refused.value.facts["following"].en
    return refused.value.rule


def test_one_file_is_the_entry() -> None:
    made = uploads.gather([("anything.txt", OPENAPI)])
    assert (made.entry, made.files) == ("anything.txt", {"anything.txt": OPENAPI})


def test_the_openapi_document_among_its_parts_is_the_entry() -> None:
    files = {
        "vat-api/schemas/a.yaml": PART,
        "vat-api/application.yaml": OPENAPI,
        "vat-api/README.md": b"# openapi: 3\n",
    }
    assert uploads.gather([("vat.zip", archive(files))]).entry == "vat-api/application.yaml"
    assert uploads.gather(files.items()).entry == "vat-api/application.yaml"
    assert uploads.from_texts({"a.json": SWAGGER.decode(), "b.json": "{}"}).entry == "a.json"


def test_the_usual_name_nearest_the_root_wins() -> None:
    files = {"old/openapi.yaml": OPENAPI, "openapi.yaml": OPENAPI, "other.yaml": OPENAPI}
    assert uploads.gather(files.items()).entry == "openapi.yaml"


def test_unclear_entries_are_asked_for() -> None:
    files = {"a.yaml": OPENAPI, "b.yaml": OPENAPI}
    assert rule_of(lambda: uploads.gather(files.items())) == "entry"
    assert uploads.gather(files.items(), "b.yaml").entry == "b.yaml"
    assert rule_of(lambda: uploads.gather(files.items(), "c.yaml")) == "entry"
    assert rule_of(lambda: uploads.gather([])) == "empty"


def test_clutter_is_left_out() -> None:
    made = uploads.gather(
        [
            (
                "z.zip",
                archive(
                    {"a.yaml": OPENAPI, "__MACOSX/._a.yaml": b"x", ".DS_Store": b"x", "d/.git/config": b"x"}
                ),
            )
        ]
    )
    assert list(made.files) == ["a.yaml"]


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "a/../../b.yaml", "..\\b.yaml", "a\x00b.yaml", "\x1b[2J.yaml"]
)
def test_paths_that_climb_are_refused(name: str) -> None:
    assert rule_of(lambda: uploads.gather([(name, OPENAPI)])) == "path"


def test_links_are_refused() -> None:
    bad = archive({"a.yaml": b"/etc/passwd"}, external_attr=(stat.S_IFLNK | 0o777) << 16)
    assert rule_of(lambda: uploads.gather([("z.zip", bad)])) == "path"


def test_bombs_are_refused_by_what_they_claim() -> None:
    assert (
        rule_of(lambda: uploads.gather([("z.zip", archive({"a.yaml": b"\0" * (uploads.MAX_BYTES + 1)}))]))
        == "size"
    )
    many = archive({f"{number}.yaml": b"" for number in range(uploads.MAX_FILES + 1)})
    assert rule_of(lambda: uploads.gather([("z.zip", many)])) == "size"


def test_bombs_are_refused_by_what_they_hold() -> None:
    """An archive that claims ten bytes and unpacks to thirty megabytes."""
    data = bytearray(archive({"a.yaml": b"\0" * (uploads.MAX_BYTES + 1)}))
    real = (uploads.MAX_BYTES + 1).to_bytes(4, "little")
    while (at := data.find(real)) >= 0:
        data[at : at + 4] = (10).to_bytes(4, "little")
    assert rule_of(lambda: uploads.gather([("z.zip", bytes(data))])) in {"size", "archive"}


def test_too_large_files_are_refused() -> None:
    half = b" " * (uploads.MAX_BYTES // 2 + 1)
    assert rule_of(lambda: uploads.gather([("a.yaml", half), ("b.yaml", half)])) == "size"


def test_encrypted_archives_are_refused() -> None:
    data = bytearray(archive({"a.yaml": OPENAPI}))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.find(signature) + offset] |= 1
    assert rule_of(lambda: uploads.gather([("z.zip", bytes(data))])) == "archive"


@settings(max_examples=500)
@given(st.binary(max_size=400), st.integers(0, 200), st.binary(max_size=20))
def test_broken_archives_are_refusals_and_nothing_else(noise: bytes, at: int, patch: bytes) -> None:
    whole = bytearray(archive({"a.yaml": OPENAPI, "b/c.yaml": PART}))
    whole[at : at + len(patch)] = patch
    for data in (b"PK\x03\x04" + noise, bytes(whole), bytes(whole[:at])):
        with contextlib.suppress(Refusal):  # any other exception fails
            uploads.gather([("z.zip", data)])
