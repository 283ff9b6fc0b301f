"""How much of the code one `receiver check` enters: what it enters, somebody has to read who follows it."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
MOST = 109  # files whose functions are called: 106 before there were tables, batches, rules and shared templates

SCRIPT = """
import sys
from pathlib import Path
import receiver
from receiver.cli import main

FUNCTION = 0x01  # inspect.CO_OPTIMIZED: the code of a function, not of a module or a class
ours, entered = str(Path(receiver.__file__).parent), set()

def enter(frame, event, _):
    code = frame.f_code
    if event == "call" and code.co_flags & FUNCTION and code.co_filename.startswith(ours):
        entered.add(code.co_filename)

sys.setprofile(enter)
try:
    main(["check"], prog_name="receiver")
finally:
    sys.setprofile(None)
    print(*sorted(entered), sep="\\n")
"""


def test_a_check_of_the_shipped_site_enters_few_of_our_files(tmp_path):
    environ = {"RECEIVER_SITE": str(ROOT), "RECEIVER_DATA": str(tmp_path), "RECEIVER_TOKEN": "a-token-of-the-test"}
    checked = subprocess.run(
        [sys.executable, "-c", SCRIPT], env=environ, cwd=ROOT, capture_output=True, text=True, check=True
    )
    summary, *entered = checked.stdout.splitlines()
    print(f"receiver check entered {len(entered)} files")
    assert "no fault" in summary
    assert len(entered) <= MOST
