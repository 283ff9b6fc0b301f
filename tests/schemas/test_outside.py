"""A schema that leads out of schemas/ is not read: what lies there may be anything."""

import pytest

from receiver.core.faults import ConfigurationError
from receiver.schemas import json_schema, xsd
from tests.support.schema_folder import XS


@pytest.mark.parametrize(
    ("compiled", "name", "content"),
    [
        (json_schema.compile, "main.json", "true"),
        (xsd.compile, "main.xsd", f'<xs:schema {XS}><xs:element name="a"/></xs:schema>'),
    ],
)
@pytest.mark.parametrize("linked", [False, True])
def test_a_file_outside_of_schemas_is_a_fault_however_it_is_named(tmp_path, schemas, compiled, name, content, linked):
    outside = tmp_path / name
    outside.write_text(content)
    path = schemas.folder / name
    path.symlink_to(outside)
    with pytest.raises(ConfigurationError) as caught:
        compiled(path if linked else outside, schemas.folder, schemas.site)
    assert [fault.code for fault in caught.value.faults] == ["outside-schemas"]
    path.unlink()
    path.write_text(content)
    compiled(path, schemas.folder, schemas.site)
