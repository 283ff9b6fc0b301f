"""A file is called by its path in the site."""

from receiver.schemas import words


def test_a_file_is_called_by_its_path_in_the_site_also_behind_a_link(tmp_path):
    site, link = tmp_path / "site", tmp_path / "link"
    site.mkdir()
    link.symlink_to(site)
    assert words.file(site / "schemas/a.json", site) == "schemas/a.json"
    assert words.file(link / "schemas/a.json", link) == "schemas/a.json"
    assert words.file(site / "schemas/a.json", link) == "schemas/a.json"


def test_a_file_elsewhere_is_called_by_its_whole_path(tmp_path):
    assert words.file(tmp_path / "a.json", tmp_path / "site") == (tmp_path / "a.json").as_posix()
