"""What of an event is hashed: its header, byte for byte, and a commitment to its payload.

The encoding is our own, fields of fixed size first and texts behind their length, and not canonical JSON (RFC 8785).
It has one form for each header without any rule about spaces, escapes, numbers or the order of keys; a verifier reads
position and cause at fixed places; and an RFC 8785 library takes thirty times as long as hashing the result does.
The payload needs no canonical form: it is hashed as the text that was stored.

    header      = "ppe1" tenant:16 position:8 id:16 correlation:16 caused:1 causation:16 time:8 version:2
                  text(type) text(actor) text(subject) count:2 text(taint)*
    text        = length:2 UTF-8
    commitment  = SHA-256(0x02 salt:32 payload)
    leaf        = SHA-256(0x00 header commitment)

Numbers are unsigned and big-endian, only the time, in microseconds since 1970, has a sign. `caused` is 1 if there is a
causation, else 0 and the causation is zeros.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from struct import Struct, error
from uuid import UUID

from parpour_contracts.events import EventEnvelopeV1

MAGIC = b"ppe1"
"""How a header of this version begins."""

SALT_BYTES = 32
"""As long as the hash: without its salt, no payload can be guessed from its commitment, however short it is."""

COMMITMENT = b"\x02"

FIXED = Struct(">4s16sQ16s16s?16sqH")
_LENGTH = Struct(">H")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_NO_ID = bytes(16)


def microseconds(time: datetime) -> int:
    """Whole microseconds since 1970."""
    return (time - _EPOCH) // _MICROSECOND


def instant(count: int) -> datetime:
    """The time that lies so many microseconds after 1970.

    Raises:
        OverflowError: if no calendar has it.
    """
    return _EPOCH + count * _MICROSECOND


def commitment(salt: bytes, payload: bytes) -> bytes:
    """What stands in the chain for a payload, and still does after payload and salt were erased.

    Raises:
        ValueError: if the salt has not its length, as bytes could then move between salt and payload.
    """
    if len(salt) != SALT_BYTES:
        raise ValueError(f"a salt has {SALT_BYTES} bytes, not {len(salt)}")
    return sha256(COMMITMENT + salt + payload).digest()


@dataclass(frozen=True)
class Header:
    """An event without its payload, at its position."""

    tenant: UUID
    position: int
    """From 1, without gaps."""
    id: UUID
    correlation: UUID
    causation: UUID | None
    """An event at an earlier position."""
    time: datetime
    version: int
    type: str
    actor: str
    subject: str
    taint: tuple[str, ...]

    @classmethod
    def of(cls, envelope: EventEnvelopeV1, *, position: int) -> Header:
        """The header of an event that is given its position."""
        return cls(
            tenant=envelope.tenant,
            position=position,
            id=envelope.id,
            correlation=envelope.correlation,
            causation=envelope.causation,
            time=envelope.time,
            version=envelope.version,
            type=envelope.type,
            actor=envelope.actor,
            subject=envelope.subject,
            taint=envelope.taint,
        )

    def encode(self) -> bytes:
        """The bytes that are hashed."""
        return FIXED.pack(
            MAGIC,
            self.tenant.bytes,
            self.position,
            self.id.bytes,
            self.correlation.bytes,
            self.causation is not None,
            self.causation.bytes if self.causation else _NO_ID,
            microseconds(self.time),
            self.version,
        ) + b"".join(
            (
                _text(self.type),
                _text(self.actor),
                _text(self.subject),
                _LENGTH.pack(len(self.taint)),
                *map(_text, self.taint),
            )
        )

    @classmethod
    def decode(cls, encoded: bytes) -> Header:
        """The header that these bytes are.

        Raises:
            ValueError: if they are none.
        """
        try:
            return cls._decode(encoded)
        except (error, OverflowError, UnicodeDecodeError) as cause:
            raise ValueError(f"no header of an event: {cause}") from None

    @classmethod
    def _decode(cls, encoded: bytes) -> Header:
        _, tenant, position, event, correlation, caused, causation, time, version = FIXED.unpack_from(encoded)
        texts = _Texts(encoded, FIXED.size)
        header = cls(
            tenant=UUID(bytes=tenant),
            position=position,
            id=UUID(bytes=event),
            correlation=UUID(bytes=correlation),
            causation=UUID(bytes=causation) if caused else None,
            time=instant(time),
            version=version,
            type=texts.text(),
            actor=texts.text(),
            subject=texts.text(),
            taint=tuple(texts.text() for _ in range(texts.number())),
        )
        if header.encode() != encoded:
            raise ValueError("no header of an event: it has another form than headers have")
        return header


def _text(value: str) -> bytes:
    encoded = value.encode()
    return _LENGTH.pack(len(encoded)) + encoded


class _Texts:
    """Reads texts, one after the other."""

    def __init__(self, encoded: bytes, offset: int) -> None:
        self._encoded = encoded
        self._offset = offset

    def number(self) -> int:
        value: int = _LENGTH.unpack_from(self._encoded, self._offset)[0]
        self._offset += _LENGTH.size
        return value

    def text(self) -> str:
        length = self.number()
        self._offset += length
        return self._encoded[self._offset - length : self._offset].decode()
