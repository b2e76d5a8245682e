"""From the bytes of a delimited file to rows of text, whatever dialect it was written in.

What is found is said (`Dialect`), never assumed: compression, byte-order mark, delimiter, line ends. One
physical line is one row, so a quotation mark that was never closed spoils its own row and no other.
"""

from __future__ import annotations

import csv
import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

MAX_FILE_BYTES = 512 * 1024 * 1024
CHUNK_BYTES = 1024 * 1024
GZIP_MAGIC = b"\x1f\x8b"
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
FOREIGN_MAGIC = {
    b"PK\x03\x04": "a zip archive or an Excel workbook",
    b"\xff\xfe": "UTF-16 text",
    b"\xfe\xff": "UTF-16 text",
    b"%PDF": "a PDF document",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"BZh": "a bzip2 archive",
    b"\xfd7zXZ": "an xz archive",
    b"\x28\xb5\x2f\xfd": "a zstd archive",
    b"SQLite format 3": "an SQLite database",
    b"PAR1": "a Parquet file",
}

LineEnd = Literal["LF", "CRLF", "CR", "mixed", "none"]
LINE_ENDS: dict[str, LineEnd] = {"\n": "LF", "\r\n": "CRLF", "\r": "CR"}


class WrongFile(Exception):
    """The file as a whole is not what was asked for: what was found, what was expected, what to do."""

    def __init__(self, found: str, *, expected: str, advice: str) -> None:
        super().__init__(f"{found} Expected: {expected}. {advice}")
        self.found = found
        self.expected = expected
        self.advice = advice


@dataclass(frozen=True, slots=True)
class Dialect:
    """How the file was written, as found."""

    compressed: bool
    byte_order_mark: bool
    delimiter: Literal["comma", "tab"]
    line_end: LineEnd


@dataclass(frozen=True, slots=True)
class RawRow:
    """One physical line: its number as a spreadsheet shows it, its fields, or why it has none."""

    row: int
    text: str
    fields: tuple[str, ...]
    fault: str | None = None


@dataclass(frozen=True, slots=True)
class Sheet:
    """The rows of a file below its header; blank lines are left out and counted."""

    dialect: Dialect
    header: tuple[str, ...]
    rows: tuple[RawRow, ...]
    blank_lines: int


def read_sheet(content: bytes, *, required: Sequence[str], expected: str) -> Sheet:
    """Read a file and find the required columns; raise `WrongFile` when it is another file altogether."""
    plain, compressed = _unpack(content, expected)
    marked = plain.startswith(BYTE_ORDER_MARK)
    text = _decode(plain.removeprefix(BYTE_ORDER_MARK), expected)
    lines, line_end = _split_lines(text)
    first = next((number for number, line in enumerate(lines) if line.strip()), None)
    if first is None:
        raise WrongFile("The file is empty.", expected=expected, advice="Check that the download or copy was finished.")
    delimiter, header = _header(lines[first], required, expected)
    rows = tuple(_rows(lines, first + 1, delimiter, len(header)))
    blank = sum(1 for line in lines[first + 1 :] if not line.strip()) + first
    if not rows:
        raise WrongFile(
            "The file holds a header and no record.",
            expected=expected,
            advice="Check that the download or copy was finished.",
        )
    dialect = Dialect(compressed, marked, "tab" if delimiter == "\t" else "comma", line_end)
    return Sheet(dialect, header, rows, blank)


def _unpack(content: bytes, expected: str) -> tuple[bytes, bool]:
    if not content:
        raise WrongFile("The file is empty.", expected=expected, advice="Check that the copy was finished.")
    for magic, what in FOREIGN_MAGIC.items():
        if content.startswith(magic):
            raise WrongFile(
                f"The file is {what}.", expected=expected, advice="Export it as CSV (UTF-8), plain or gzip."
            )
    if not content.startswith(GZIP_MAGIC):
        return _limited(content, expected), False
    return _gunzip(content, expected), True


def _gunzip(content: bytes, expected: str) -> bytes:
    parts: list[bytes] = []
    size, rest = 0, content
    try:
        while rest.startswith(GZIP_MAGIC):  # a gzip file may hold several members, one after the other
            stream = zlib.decompressobj(wbits=31)
            while not stream.eof:
                part = stream.decompress(rest, CHUNK_BYTES)
                rest = stream.unconsumed_tail
                size += len(part)
                parts.append(part)
                if size > MAX_FILE_BYTES:
                    return _limited(b"", expected, size)
                if not rest and not part and not stream.eof:
                    raise WrongFile(
                        "The gzip file ends in the middle.",
                        expected=expected,
                        advice="It was cut off: copy or download it again.",
                    )
            rest = stream.unused_data
    except zlib.error as error:
        raise WrongFile(
            f"The gzip file is damaged ({error}).", expected=expected, advice="Copy or download it again."
        ) from error
    if rest.strip(b"\0"):
        raise WrongFile(
            f"The gzip file is followed by {len(rest)} bytes of something else.",
            expected=expected,
            advice="Copy or download it again.",
        )
    return b"".join(parts)


def _limited(content: bytes, expected: str, size: int = 0) -> bytes:
    if max(len(content), size) > MAX_FILE_BYTES:
        raise WrongFile(
            f"The file holds more than {MAX_FILE_BYTES // 1024**2} MiB.",
            expected=expected,
            advice="Split it, whole shipments together, and bring the parts in one after the other.",
        )
    return content


def _decode(plain: bytes, expected: str) -> str:
    if b"\0" in plain:
        raise WrongFile(
            f"The file is binary: byte {plain.index(0) + 1} is zero.",
            expected=expected,
            advice="Export it as CSV (UTF-8), plain or gzip.",
        )
    try:
        return plain.decode("utf-8")
    except UnicodeDecodeError as error:
        row = len(re.findall(rb"\r\n|\n|\r", plain[: error.start])) + 1
        raise WrongFile(
            f"The file is not UTF-8 text: row {row} holds the byte 0x{plain[error.start]:02x}.",
            expected=expected,
            advice="Save it as UTF-8; another encoding would have to be guessed.",
        ) from error


def _split_lines(text: str) -> tuple[list[str], LineEnd]:
    ends = set(re.findall(r"\r\n|\n|\r", text))
    found: LineEnd = "none" if not ends else "mixed" if len(ends) > 1 else LINE_ENDS[ends.pop()]
    lines = re.split(r"\r\n|\n|\r", text)
    return (lines[:-1] if lines[-1] == "" else lines), found


def _header(line: str, required: Sequence[str], expected: str) -> tuple[str, tuple[str, ...]]:
    readings = {mark: _names(line, mark) for mark in (",", "\t")}
    delimiter = max(readings, key=lambda mark: len(set(required) & set(readings[mark])))
    header = readings[delimiter]
    missing = [name for name in required if name not in header]
    if len(missing) == len(required):
        raise WrongFile(
            f"The first row is not the header of such a file: it begins {line[:60]!r}.",
            expected=expected,
            advice="Check that it is the right file, separated by commas or tabs, with its header row.",
        )
    if missing:
        raise WrongFile(
            f"{_columns(missing)} missing from the header.",
            expected=expected,
            advice="Export the file again with all its columns.",
        )
    twice = sorted({name for name in required if header.count(name) > 1})
    if twice:
        raise WrongFile(
            f"The header names {', '.join(repr(name) for name in twice)} more than once.",
            expected=expected,
            advice="Leave one of them.",
        )
    return delimiter, header


def _columns(names: list[str]) -> str:
    listed = ", ".join(repr(name) for name in names)
    return f"The column {listed} is" if len(names) == 1 else f"The columns {listed} are"


def _names(line: str, delimiter: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in _cells(line, delimiter)[0])


def _cells(line: str, delimiter: str) -> tuple[tuple[str, ...], str | None]:
    try:
        return tuple(next(csv.reader([line], delimiter=delimiter, strict=True))), None
    except csv.Error as error:
        if "end of data" in str(error):
            return (), "a quotation mark is opened and never closed"
        if "field larger" in str(error):
            return (), f"a field is longer than {csv.field_size_limit()} characters"
        return (), f"the quotation marks do not fit ({error})"


def _rows(lines: list[str], start: int, delimiter: str, width: int) -> Iterator[RawRow]:
    for number, line in enumerate(lines[start:], start=start + 1):
        if not line.strip():
            continue
        cells, fault = _cells(line, delimiter)
        if fault is None and len(cells) != width:
            fault = f"it has {len(cells)} fields, the header names {width}"
        yield RawRow(number, line, cells, fault)
