"""An empty site: the folders, the schemas of NEXTSTEP's own metadata, and a README for whoever finds it."""

from pathlib import Path

from receiver.site.config import schema

HERE = Path(__file__).parent / "site"
SCHEMAS = HERE / "schemas"
KNOWN = ("nextstep-metadata.schema.json", "nextstep-metadata.xsd")
PAGE = (HERE / "page.pdf").read_bytes()  # stands in where no document is given
EDITOR_SCHEMA = "process.schema.json"
IGNORED = "# What the service keeps: the ledger, quarantine, published files\nvar/\n"


def create(folder: Path) -> list[str]:
    """Write an empty site and return its files. Raises `FileExistsError` for a folder that holds something."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise FileExistsError(folder)
    files = {
        "README.md": (HERE / "README.md").read_text("utf-8"),
        ".gitignore": IGNORED,
        EDITOR_SCHEMA: schema.text(),
        **{f"schemas/{name}": (SCHEMAS / name).read_text("utf-8") for name in KNOWN},
    }
    (folder / "mappings").mkdir(parents=True)
    (folder / "schemas").mkdir()
    for name, text in files.items():
        (folder / name).write_text(text, "utf-8")
    return ["mappings/", *sorted(files)]
