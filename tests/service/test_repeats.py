"""The same delivery many times at once, and deliveries of one sourceId, across threads and workers."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from tests.service.test_delivery import published, referral

SENDERS = 50


def test_fifty_senders_of_one_delivery_get_fifty_true_answers_and_one_record(service):
    raw = referral("fifty")
    before = set(service.output.rglob("*"))
    with ThreadPoolExecutor(SENDERS) as senders:
        answers = list(senders.map(service.request, [raw] * SENDERS))
    assert Counter(answer.status for answer in answers) == {200: SENDERS}
    assert Counter(answer.json["duplicate"] for answer in answers) == {True: SENDERS - 1, False: 1}
    assert len({answer.json["id"] for answer in answers}) == 1
    assert set(service.output.rglob("*")) - before == set(published(service, answers[0]))


def test_contents_that_race_for_one_source_id_get_a_version_each(service):
    names = [f"Ada {chr(65 + number)} Example" for number in range(12)]
    with ThreadPoolExecutor(len(names)) as senders:
        answers = list(senders.map(service.request, [referral("race", patient_name=name) for name in names]))
    assert sorted(answer.json["version"] for answer in answers) == list(range(1, len(names) + 1))
