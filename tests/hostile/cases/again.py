"""What comes twice, and what is kept rather than turned away."""

from .building import KEPT, PUBLISHED, QUARANTINE, VALUE, Case, delivery, file, json_part, metadata, whole


def cases() -> list[Case]:
    """Retries, versions and what is held."""
    one = delivery(*whole("a-retry"))
    other = delivery(file(), json_part(metadata("a-version", "other")))
    first = delivery(*whole("a-conflict"), path=KEPT)
    conflict = delivery(file(), json_part(metadata("a-conflict", "other")), path=KEPT)
    wrong = delivery(file(), json_part(metadata("a-held", VALUE * 500)), path=KEPT)
    return [
        Case("the same delivery again", one + one, 200, "", PUBLISHED, answers=(200,)),
        Case("its sections in another order", delivery(*reversed(whole("a-retry"))), 200, ""),
        Case(
            "the same sourceId with other content",
            delivery(*whole("a-version")) + other,
            200,
            "",
            PUBLISHED,
            answers=(200,),
        ),
        Case(
            'the same, where same_source_id = "refuse"',
            first + conflict,
            200,
            "",
            f"{PUBLISHED}, then {QUARANTINE}",
            answers=(409,),
        ),
        Case('what is not right, where on_invalid = "hold"', wrong, 202, "", QUARANTINE),
        Case(
            'a body that is not whole, where on_invalid = "hold"',
            delivery(file(), path=KEPT)[:-9],
            400,
            "truncated-body",
            half_close=True,
        ),
    ]
