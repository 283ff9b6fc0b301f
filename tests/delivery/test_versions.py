"""What makes a delivery a retry or a new version, and what templates see of the version before."""

import pytest

from receiver.authoring.check import inspect
from receiver.core.delivery import Part, Replay, Role, Status, delivery_id
from receiver.operations import rehearsal, replay, republish
from receiver.site.compiling import compile_pieces
from receiver.store import quarantine
from tests.support.home import FAX, NOON, Home, metadata
from tests.support.small_site import SmallSite

SEEN = '{{ delivery.previous.id if delivery.previous else "none" }}'


@pytest.fixture
def home(tmp_path):
    made = Home(tmp_path)
    yield made
    made.close()


@pytest.fixture
def by_documents(home):
    home.section('[delivery]\nidentity = "documents"')
    return home


@pytest.fixture
def correcting(home):
    home.configure("{{ delivery.source_id }}", SEEN, "referral.json.j2")
    home.section('[retention]\noriginals = "30d"')
    return home


def stamped(time, **changed):
    """Metadata that says when it was sent, as platforms write it."""
    return metadata(**changed).replace(b"{", b'{"sentAt": "%s", ' % time.encode(), 1)


def record(home, entry):
    return next(content for name, content in home.outputs().items() if name == f"referrals/{entry.id}.json")


def test_a_retry_with_another_timestamp_is_a_retry(by_documents):
    first = by_documents.deliver(stamped("12:00"))
    files = by_documents.outputs()
    again = by_documents.deliver(stamped("12:01"))
    assert (again.id, again.status, again.version) == (first.id, Status.PUBLISHED, 1)
    assert again.attempts[-1].outcome == "duplicate"
    assert by_documents.outputs() == files


def test_by_default_it_is_a_new_version(home):
    assert home.deliver(stamped("12:00")).id != home.deliver(stamped("12:01")).id


def test_another_document_is_a_new_version(by_documents):
    first, second = by_documents.deliver(), by_documents.deliver(fax=FAX + b"!")
    assert (first.version, second.version) == (1, 2)


def test_a_delivery_of_metadata_alone_is_known_by_it():
    only = [Part("metadata", None, "", Role.METADATA, ".json", 1, digest * 32, None, "") for digest in ("0a", "0b")]
    one, other = (delivery_id("p", "1", [part], "documents") for part in only)
    assert one != other


@pytest.mark.parametrize(("mrn", "kept"), [("wrong", Status.REFUSED), ("142637A", Status.PUBLISHED)])
def test_one_that_was_refused_is_judged_anew_by_the_metadata_that_came_last(by_documents, mrn, kept):
    first = by_documents.deliver(stamped("12:00", mrn="bad"))
    second = by_documents.deliver(stamped("12:01", mrn=mrn))
    assert (first.status, second.status, second.id) == (Status.REFUSED, kept, first.id)


def test_what_is_kept_is_what_came_last(by_documents):
    first = by_documents.deliver(stamped("12:00", confidence=0.1))
    by_documents.deliver(stamped("12:01", confidence=0.2))
    there = quarantine.load(by_documents.settings.data, "referrals", first.id)
    (content,) = [part.path.read_bytes() for part in there.parts if part.role is Role.METADATA]
    assert content == stamped("12:01", confidence=0.2)
    files = {path.name for path in there.folder.iterdir()} - {"problem.json", "lock", ".lock"}
    assert files == {part.path.name for part in there.parts}, "nothing of the former one is left"
    held = by_documents.ledger.find(first.id)
    assert {part.sha256 for part in held.parts} == {part.sha256 for part in there.parts}
    assert by_documents.receiver("verify").exit_code == 0
    how = Replay(NOON, "somebody", accept_confidence=True)
    assert replay.replay(by_documents.context, held, how).result is replay.Result.PUBLISHED
    assert by_documents.receiver("verify").exit_code == 0


def test_a_template_sees_the_version_before(correcting):
    first = correcting.deliver()
    second = correcting.deliver(fax=FAX + b"!")
    third = correcting.deliver(fax=FAX + b"?")
    assert b'"sourceId": "none"' in record(correcting, first)
    assert f'"sourceId": "{first.id}"'.encode() in record(correcting, second)
    assert f'"sourceId": "{second.id}"'.encode() in record(correcting, third)


def test_it_is_the_same_whenever_the_delivery_is_rendered_again(correcting):
    entries = [correcting.deliver(fax=FAX + end) for end in (b"", b"!", b"?")]
    for entry in entries:
        assert rehearsal.rehearse(correcting.context, entry).result is rehearsal.Result.SAME
    (correcting.settings.output / "referrals" / f"{entries[1].id}.json").unlink()
    assert republish.republish(correcting.context, entries[1], NOON, "somebody", dry_run=True).again == 1


def test_what_was_held_follows_the_version_that_was_accepted_before_it(correcting):
    held = correcting.deliver(confidence=0.1)
    second = correcting.deliver(fax=FAX + b"!")
    replay.replay(correcting.context, held, Replay(NOON, "somebody", accept_confidence=True))
    assert f'"sourceId": "{second.id}"'.encode() in record(correcting, held)


@pytest.mark.parametrize(
    ("text", "code", "message"),
    [
        ("{{ delivery.previous.idd }}", "unknown-attribute", 'delivery.previous has nothing called "idd"'),
        (
            "{% if delivery.previous is defined %}{{ delivery.previous.id }}{% endif %}",
            "no-effect",
            "delivery.previous is always defined: it is none for the first version",
        ),
        ("{{ delivery.previous.id }}", "render-fails", None),
        ("{% if delivery.previous %}{{ fields.name | date('iso') }}{% endif %}", "render-fails", None),
        ("{% if delivery.previous %}{{ delivery.previous.id }}{% endif %}", None, None),
        ("{{ delivery.previous.received_at | default(delivery.received_at) }}", None, None),
    ],
)
def test_check_knows_that_there_may_be_none(tmp_path, text, code, message):
    site = SmallSite(tmp_path / "site")
    site.sample()
    assert site.receiver("test", "--update").exit_code == 0
    site.change("txt", "{{ fields.mrn }}", "{{ fields.mrn }} " + text)
    found = inspect(site.settings(), compile_pieces(site.settings(), {}), {})
    told = {fault.code: fault.message for fault in found if fault.file.endswith("note.txt.j2")}
    assert code is None or code in told
    assert message is None or told[code] == message
    assert code is not None or told == {}
