"""The page of metrics, asked for while workers come and go."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
# The library decides at its import where it counts, so a process of its own asks.
ASKING = """
import sys
from pathlib import Path
from receiver.metrics import folder
data = Path(sys.argv[1])
folder.prepare(data)
from receiver.metrics import page
from prometheus_client import CollectorRegistry
from prometheus_client.multiprocess import MultiProcessCollector
new = data / "metrics" / "counter_99.db"
new.touch()
registry = CollectorRegistry()
MultiProcessCollector(registry, str(new.parent))
page.time = type("Clock", (), {"sleep": lambda _: new.write_bytes(bytes(1 << 20))})
print(page._told(registry) == b"", new.stat().st_size)
"""


def test_a_worker_that_is_just_starting_does_not_spoil_the_page(tmp_path):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PROMETHEUS")}
    done = subprocess.run(
        [sys.executable, "-c", ASKING, tmp_path], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.stdout == f"True {1 << 20}\n", done.stderr
