"""Tells of an executable whether it runs where nothing else is."""

import struct
from pathlib import Path

# As in the Linux manual page elf(5): the identification, which says the class and the byte order;
# then, with what lies between skipped, e_phoff, e_phentsize and e_phnum.
_IDENTIFICATION = struct.Struct("4sBB10x")
_HEADER = "16xQ14xHH"
_CLASS_64_BIT = 2
_BYTE_ORDERS = {1: "<", 2: ">"}
_PT_INTERP = 3


def is_statically_linked(executable: Path) -> bool:
    """Whether it is an executable for 64 bits that asks for no dynamic linker.

    Raises:
        OSError: it cannot be read.
    """
    content = executable.read_bytes()
    try:
        magic, kind, byte_order = _IDENTIFICATION.unpack_from(content)
        if magic != b"\x7fELF" or kind != _CLASS_64_BIT:
            return False
        order = _BYTE_ORDERS[byte_order]
        offset, size, count = struct.unpack_from(order + _HEADER, content, _IDENTIFICATION.size)
        segments = [
            struct.unpack_from(f"{order}I", content, offset + size * each)[0]
            for each in range(count)
        ]
    except (struct.error, KeyError):
        return False
    return bool(segments) and _PT_INTERP not in segments
