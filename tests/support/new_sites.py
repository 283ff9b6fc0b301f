"""Makes sites in the way a new user does: by the command line alone."""

from pathlib import Path

from click.testing import CliRunner, Result

from receiver import cli

ROOT = Path(__file__).parents[2]
SHAPES = ROOT / "tests" / "authoring" / "draft" / "shapes"
REQUEST = ROOT / "mappings" / "referrals" / "samples" / "documented-request" / "request.http"
TOKEN = "an-invented-token-of-a-new-site"


class Site:
    """A site, and the verbs on it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def run(self, *arguments: str | Path, code: int = 0) -> Result:
        variables = {"RECEIVER_SITE": str(self.folder), "RECEIVER_DATA": str(self.folder.parent / "var")}
        told = CliRunner().invoke(
            cli.main, list(map(str, arguments)), env={**variables, "RECEIVER_TOKEN": TOKEN}, catch_exceptions=False
        )
        assert told.exit_code == code, told.output
        return told

    def new(self, process: str, form: str, *files: Path) -> str:
        return self.run("new", process, "--from", *files, "--format", form).stdout

    def text(self, name: str) -> str:
        return (self.folder / name).read_text()


def made(folder: Path) -> Site:
    site = Site(folder / "site")
    site.run("init", site.folder)
    return site
