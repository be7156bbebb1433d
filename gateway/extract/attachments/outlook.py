"""Outlook's .msg and .oft files (MS-OXMSG): storages of a compound file to a mail.

Owns how properties, attachments and mails inside mails are stored. Refuses to know what they mean: `mapi` does.
Called by `storages`.
"""

import struct
from typing import Final

from gateway.extract.attachments import mapi
from gateway.extract.attachments.compound import Compound, Entry
from gateway.extract.attachments.contents import Collector, File
from gateway.model import UnreadableReason

_PROPERTY: Final = "__substg1.0_"
_FIXED: Final = "__properties_version1.0"
_ATTACHMENT: Final = "__attach_version1.0_"
_WIDE, _NARROW, _BINARY, _OBJECT = 0x001F, 0x001E, 0x0102, 0x000D
_INTEGER: Final = 0x0003
_MAX_PROPERTIES: Final = 2_000


def read(document: Compound, file: File, found: Collector) -> None:
    """Hand on the mail in a .msg file. A draft or a template is the sender's own."""
    properties = _properties(document, document.root, 32)
    message = _mail(document, document.root, properties, file.depth, file, found)
    found.say_mail(file.path, message, own=properties.unsent or file.name.lower().endswith(".oft"))


def _mail(
    document: Compound, storage: Entry, properties: mapi.Properties, depth: int, file: File, found: Collector
) -> bytes:
    attached = []
    for child in storage.storages():
        if child.name.lower().startswith(_ATTACHMENT):
            found.step()
            attached.append(_attached(document, child, depth + 1, file, found))
    return mapi.composed(properties, attached, found)


def _attached(document: Compound, storage: Entry, depth: int, file: File, found: Collector) -> mapi.Attached:
    properties = _properties(document, storage, 8)
    name = properties.text(mapi.LONG_NAME, mapi.SHORT_NAME, mapi.NAME)
    inner = storage.children.get(f"{_PROPERTY}{mapi.DATA:04x}{_OBJECT:04x}")
    if inner is None or not inner.is_storage:
        return mapi.Attached(name, properties.binaries.get(mapi.DATA, b""))
    if depth > found.limits.max_attachment_depth:
        found.refuse(
            file.path, UnreadableReason.DEPTH, "mails packed too deep in mails; they were not opened"
        )
        return mapi.Attached(name, b"")
    if _FIXED not in inner.children:
        detail = "an object of another program inside an Outlook message"
        found.refuse(file.path, UnreadableReason.ATTACHMENT_NOT_READ, detail)
        return mapi.Attached(name, b"")
    message = _mail(document, inner, _properties(document, inner, 24), depth, file, found)
    return mapi.Attached(name, message, is_mail=True)


def _properties(document: Compound, storage: Entry, head: int) -> mapi.Properties:
    """Return the properties of one storage; ``head``: octets before the first fixed one (MS-OXMSG 2.4)."""
    properties = mapi.Properties()
    fixed = storage.children.get(_FIXED)
    if fixed is not None:
        data = document.read(fixed)
        for place in range(head, min(len(data), head + 16 * _MAX_PROPERTIES) - 15, 16):
            kind, number = struct.unpack_from("<2H", data, place)
            if kind == _INTEGER:
                properties.numbers[number] = struct.unpack_from("<I", data, place + 8)[0]
    for stream in storage.streams()[:_MAX_PROPERTIES]:
        tag = stream.name.lower().removeprefix(_PROPERTY)
        if len(tag) != 8 or stream.name.lower() == tag:
            continue
        number, kind = int(tag[:4], 16), int(tag[4:], 16)
        if number not in _WANTED:
            continue
        data = document.read(stream)
        if kind == _WIDE:
            properties.texts[number] = data.decode("utf-16-le", "replace")
        elif kind == _NARROW:
            properties.texts.setdefault(number, data.decode("cp1252", "replace"))
        elif kind == _BINARY:
            properties.binaries[number] = data
    return properties


_WANTED: Final = frozenset(
    {
        mapi.SUBJECT,
        mapi.SENDER_NAME,
        mapi.SENDER,
        mapi.SENDER_SMTP,
        mapi.SENT_BY_SMTP,
        mapi.TO,
        mapi.CC,
        mapi.BODY,
    }
    | {
        mapi.RTF,
        mapi.HTML,
        mapi.IN_REPLY_TO,
        mapi.REFERENCES,
        mapi.NAME,
        mapi.LONG_NAME,
        mapi.SHORT_NAME,
        mapi.DATA,
    }
)
