"""docs/formats.md names every shipped process, and nothing that is not there."""

import re

from tests.shipped.shipping import EXAMPLES, ROOT

PAGE = (ROOT / "docs" / "formats.md").read_text("utf-8")


def test_every_path_leads_somewhere():
    paths = re.findall(r"`((?:examples/)?mappings/[^`\s]+)`", PAGE)
    assert paths
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_every_shipped_process_is_there():
    folders = [path.relative_to(ROOT).as_posix() for site in (ROOT, EXAMPLES) for path in site.glob("mappings/*")]
    assert [folder for folder in folders if folder not in PAGE] == []


def test_the_links_lead_somewhere():
    links = [link for link in re.findall(r"\]\(([^)]+)\)", PAGE) if "://" not in link]
    assert links
    assert [link for link in links if not (ROOT / "docs" / link.partition("#")[0]).exists()] == []
