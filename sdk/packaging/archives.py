"""Archives whose bytes depend on their content alone: sorted names, one date, one owner, one mode."""

import gzip
import io
import tarfile
import zipfile
from collections.abc import Mapping

Files = Mapping[str, bytes]  # path inside the archive, with slashes -> content

_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest date that a zip can hold
_EPOCH_SECONDS = 315_532_800
_FILE_MODE = 0o644


def zip_of(files: Files) -> bytes:
    """A zip archive. Raises ValueError for a path that leaves the archive."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for path in sorted(files):
            info = zipfile.ZipInfo(_checked(path), _EPOCH)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = (0o100000 | _FILE_MODE) << 16
            info.create_system = 3
            archive.writestr(info, files[path])
    return out.getvalue()


def tar_gz_of(files: Files, root: str) -> bytes:
    """A gzipped tar archive with everything below the folder `root`."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for path in sorted(files):
            info = tarfile.TarInfo(f"{root}/{_checked(path)}")
            info.size = len(files[path])
            info.mtime = _EPOCH_SECONDS
            info.mode = _FILE_MODE
            archive.addfile(info, io.BytesIO(files[path]))
    packed = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", fileobj=packed, compresslevel=9, mtime=0) as stream:
        stream.write(out.getvalue())
    return packed.getvalue()


def _checked(path: str) -> str:
    parts = path.split("/")
    if path.startswith("/") or "\\" in path or any(part in {"", ".", ".."} for part in parts):
        raise ValueError(f"{path!r} is no path inside an archive")
    return path
