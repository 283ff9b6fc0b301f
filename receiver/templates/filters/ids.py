"""Identifiers that are the same whenever and wherever the same delivery is rendered."""

import json
from uuid import UUID, uuid5

from receiver.formats import values

NAMESPACE = UUID("7f0f2a8e-3b0c-5c61-9a52-0d6f1a7b6c1d")  # of this product alone; another one would change every id


def uuid(value: object, name: str = "") -> str:
    """Return a UUID made of a value and a name (version 5, RFC 9562 §5.5): `delivery.id | uuid("patient")`."""
    return str(uuid5(NAMESPACE, json.dumps([values.text(value), name])))
