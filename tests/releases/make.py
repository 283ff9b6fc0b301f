"""Makes the data folder of the version that is installed, for `test_releases.py`: once, when a version is released.

    python tests/releases/make.py

The folder is filled where a server has it, for the ledger holds absolute paths, and is then moved here. What a version
has left here is never made anew.
"""

import json
import multiprocessing
import shutil
import sys
from contextlib import closing
from importlib.metadata import version
from pathlib import Path

import apsw

from receiver.app import create_app
from receiver.core.settings import Settings

HERE = Path(__file__).parent
PLACE = Path("/srv/receiver")
OF_A_RUN = ("metrics", "stage", "output")  # what no start takes over; an importing system has taken the output
BOUNDARY = "a-boundary"
SITE = {
    "schemas/metadata.schema.json": json.dumps({"type": "object", "required": ["sourceId", "fields"]}),
    "schemas/fields.schema.json": json.dumps({"type": "object", "properties": {"mrn": {"type": "string"}}}),
    "mappings/faxes/record.txt.j2": "{{ delivery.id }} {{ delivery.version }} {{ fields.mrn }}\n",
    "mappings/faxes/process.toml": """\
[auth]
open = true

[parts.file]
role = "document"
[parts.metadata]
role = "metadata"

[metadata]
schema = "metadata.schema.json"
source_id = "sourceId"

[fields]
schema = "fields.schema.json"

[confidence]
minimum = 0.8
below = "hold"

[output]
marker = "{{ delivery.id }}.done"

[[records]]
template = "record.txt.j2"
path = "{{ delivery.id }}.txt"

[retention]
originals = "99y"
""",
}


def body(source_id: str, mrn: object = "4711", confidence: float = 1) -> bytes:
    """Return the body of one delivery; of an invented patient."""
    fields = [{"name": "mrn", "value": mrn, "confidence": confidence}]
    metadata = json.dumps({"sourceId": source_id, "fields": fields})
    return (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="scan.tif"\r\n'
        f"Content-Type: image/tiff\r\n\r\nII*\0 an invented page\r\n"
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="metadata"; filename="metadata.json"\r\n'
        f"Content-Type: application/json\r\n\r\n{metadata}\r\n--{BOUNDARY}--\r\n"
    ).encode()


def send(settings: Settings, *bodies: bytes) -> list[int]:
    """Deliver to the service of this version; return the answers' codes."""
    client = create_app(settings).test_client()
    kind = f"multipart/form-data; boundary={BOUNDARY}"
    return [client.post("/api/nextstep/delivery/faxes", data=each, content_type=kind).status_code for each in bodies]


def settings_at(root: Path) -> Settings:
    return Settings.from_environment({"RECEIVER_SITE": str(root / "site"), "RECEIVER_DATA": str(root / "data")})


def main() -> None:
    target = HERE / version("receiver")
    if target.exists() or PLACE.exists():
        sys.exit(f"{target} or {PLACE} is there already")
    for name, content in SITE.items():
        path = PLACE / "site" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    service = multiprocessing.Process(target=fill)
    service.start()
    service.join()
    assert service.exitcode == 0
    settings = settings_at(PLACE)
    with closing(apsw.Connection(str(settings.data / "ledger.db"))) as ledger:
        ledger.pragma("user_version")  # only now SQLite opens what is beside the ledger
        ledger.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
    for path in [*settings.data.glob("ledger.db[.-]*"), *(settings.data / name for name in OF_A_RUN)]:
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    shutil.move(PLACE, target)


def fill() -> None:
    codes = send(settings_at(PLACE), body("published"), body("held", confidence=0.1), body("refused", mrn=4711))
    assert codes == [200, 202, 422], codes


if __name__ == "__main__":
    main()
