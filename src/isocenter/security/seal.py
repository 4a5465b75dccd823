"""A signed statement: a DSSE envelope around an in-toto statement, every byte of which counts.

Sources: DSSE 1.0 (secure-systems-lab/dsse, protocol.md and envelope.md); in-toto attestation framework v1, envelope.
"""

import base64
import binascii
import json

from isocenter.errors import SealError
from isocenter.result import canonical
from isocenter.security.keys import Keys, PublicKey

PAYLOAD_TYPE = "application/vnd.in-toto+json"


def seal_statement(statement: bytes, *, keys: Keys) -> bytes:
    """Return the envelope of a statement, signed; JSON bytes in their one canonical form."""
    return _envelope(statement, key=keys.public.id, signature=keys.sign(_encoded(statement)))


def read_envelope(envelope: bytes, *, key: PublicKey) -> bytes:
    """Return the statement in an envelope, whose signature by that key holds.

    Raises:
        SealError: Not an envelope, another key's, changed in any byte, or the signature does not hold.
    """
    try:
        document = json.loads(envelope)
        (signed,) = document["signatures"]
        statement = base64.b64decode(document["payload"], validate=True)
        signature = base64.b64decode(signed["sig"], validate=True)
        signer = str(signed["keyid"])
    except (ValueError, KeyError, TypeError, binascii.Error) as error:
        raise SealError("it is no signed envelope any more; it was changed after it was sealed.") from error
    if signer != key.id:
        raise SealError(f"it was signed by key {signer[:16]}…, not by {key.id[:16]}….")
    if not key.has_signed(_encoded(statement), signature):
        raise SealError(f"the signature of key {key.id[:16]}… does not hold; the statement was changed.")
    # base64 and JSON can say one thing in several ways; only the way it was written is taken
    if _envelope(statement, key=signer, signature=signature) != envelope:
        raise SealError("its bytes were changed after it was sealed.")
    return statement


def _encoded(statement: bytes) -> bytes:
    """Return DSSE's pre-authentication encoding: what is truly signed."""
    kind = PAYLOAD_TYPE.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(statement), statement)


def _envelope(statement: bytes, *, key: str, signature: bytes) -> bytes:
    return canonical(
        {
            "payload": base64.b64encode(statement).decode(),
            "payloadType": PAYLOAD_TYPE,
            "signatures": [{"keyid": key, "sig": base64.b64encode(signature).decode()}],
        }
    )
