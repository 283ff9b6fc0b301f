"""How long the path of one delivery is: calls into our own code, and files that they are in."""

import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import pytest
from werkzeug.test import EnvironBuilder, run_wsgi_app

import receiver
from receiver.app import create_app
from receiver.core.settings import Settings
from tests.support.running import TOKEN

ROOT = Path(__file__).parent.parent.parent
OURS = str(Path(receiver.__file__).parent)
CASE = ROOT / "mappings" / "referrals" / "samples" / "faxed-letter"
URL = "/api/nextstep/delivery/referrals"
HEADERS = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "multipart/form-data; boundary=cut"}
PART = b'--cut\r\nContent-Disposition: form-data; name="%s"; filename="a.b"\r\nContent-Type: %s\r\n\r\n%s\r\n'
MOST_CALLS, MOST_FILES = 504, 45


@pytest.fixture
def deliver(tmp_path, monkeypatch) -> Callable[[int], None]:
    """Return a function that sends a delivery of its own sourceId, which must be accepted."""
    monkeypatch.setenv("RECEIVER_TOKEN", TOKEN)
    app = create_app(Settings.from_environment({"RECEIVER_SITE": str(ROOT), "RECEIVER_DATA": str(tmp_path / "var")}))
    document = PART % (b"file", b"image/tiff", (CASE / "file--123456789.tif").read_bytes())
    metadata = (CASE / "metadata.json").read_bytes()

    def send(number: int) -> None:
        changed = metadata.replace(b"123456789", b"%d" % number)
        body = document + PART % (b"metadata", b"application/json", changed) + b"--cut--\r\n"
        request = EnvironBuilder(method="POST", path=URL, data=body, headers=HEADERS).get_environ()
        _, status, _ = run_wsgi_app(app, request)
        assert status.startswith("200")

    return send


def test_the_path_of_a_delivery_is_no_longer_than_it_was(deliver):
    for number in range(3):  # what is compiled or opened with the first ones
        deliver(number)
    calls = Counter[tuple[str, str]]()

    def count(frame: FrameType, event: str, _argument: object) -> None:
        if event == "call" and frame.f_code.co_filename.startswith(OURS):
            calls[frame.f_code.co_filename.removeprefix(OURS), frame.f_code.co_qualname] += 1

    sys.setprofile(count)
    try:
        deliver(9)
    finally:
        sys.setprofile(None)
    files = Counter[str]()
    for (file, _), times in calls.items():
        files[file] += times
    for file, times in files.most_common():
        functions = [f"{name} {each}" for (where, name), each in calls.most_common() if where == file]
        print(f"{times:5} {file}: {', '.join(functions)}")
    print(f"{calls.total()} calls, {len(calls)} functions, {len(files)} files")
    assert 0 < calls.total() <= MOST_CALLS
    assert len(files) <= MOST_FILES
