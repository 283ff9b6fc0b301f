"""Where platforms say that they have read a field: each in its own shape, its own unit, and its own way to count."""

import json
from collections import namedtuple

import pytest

from receiver.core.delivery import Region
from receiver.metadata import json as json_form
from receiver.metadata import regions
from receiver.metadata import xml as xml_form
from receiver.metadata.fields import Absent, Layout, Placing, read_numbers
from receiver.metadata.regions import of_fields
from tests.support.tables_of import tables_reader

Shape = namedtuple("Shape", "metadata each name page box size", defaults=[None])
HALF = ((0.25, 0.1, 0.5, 0.125),)  # what each of them says

AZURE = {  # Azure Document Intelligence v4, analyzeResult
    "pages": [
        {"pageNumber": 1, "width": 8.5, "height": 11, "unit": "inch"},
        {"pageNumber": 2, "width": 8, "height": 10, "unit": "inch"},
    ],
    "fields": {"mrn": {"boundingRegions": [{"pageNumber": 2, "polygon": [2, 1, 4, 1, 4, 1.25, 2, 1.25]}]}},
}
ROSSUM = {  # Rossum, content of an annotation: pixels
    "content": [{"schema_id": "mrn", "content": {"page": 2, "position": [310, 175.4, 620, 219.25]}}]
}
DOCUMENT_AI = {  # Google Document AI: what is 0 is left away, and pages are counted from 0
    "entities": [
        {
            "type": "mrn",
            "pageAnchor": {
                "pageRefs": [
                    {
                        "page": "1",
                        "boundingPoly": {
                            "normalizedVertices": [
                                {"x": 0.25, "y": 0.1},
                                {"x": 0.5, "y": 0.1},
                                {"x": 0.5, "y": 0.125},
                                {"x": 0.25, "y": 0.125},
                            ]
                        },
                    }
                ]
            },
        }
    ]
}
TEXTRACT = {  # Amazon Textract, AnalyzeExpense
    "fields": [
        {
            "Type": {"Text": "mrn"},
            "PageNumber": 2,
            "ValueDetection": {
                "Geometry": {"BoundingBox": {"Left": 0.25, "Top": 0.1, "Width": 0.25, "Height": 0.025}},
            },
        }
    ]
}
MINDEE = {"fields": {"mrn": {"page_id": 1, "polygon": [[0.25, 0.1], [0.5, 0.1], [0.5, 0.125], [0.25, 0.125]]}}}
VERYFI = {"fields": {"mrn": {"bounding_box": [1, 0.25, 0.1, 0.5, 0.1, 0.5, 0.125, 0.25, 0.125]}}}
SAID = {
    "azure": Shape(
        AZURE,
        "fields",
        "key",
        "value.boundingRegions[0].pageNumber",
        "value.boundingRegions[0].polygon",
        "pages[].[width, height]",
    ),
    "rossum": Shape(ROSSUM, "content", "schema_id", "content.page", "content.position", "`[1240, 1754]`"),
    "document ai": Shape(
        DOCUMENT_AI,
        "entities",
        "type",
        "sum([to_number(pageAnchor.pageRefs[0].page || `0`), `1`])",
        "pageAnchor.pageRefs[0].boundingPoly.normalizedVertices[].[x || `0`, y || `0`]",
    ),
    "textract": Shape(
        TEXTRACT,
        "fields",
        "Type.Text",
        "PageNumber",
        "ValueDetection.Geometry.BoundingBox.[Left, Top, sum([Left, Width]), sum([Top, Height])]",
    ),
    "mindee": Shape(MINDEE, "fields", "key", "sum([value.page_id, `1`])", "value.polygon"),
    "veryfi": Shape(VERYFI, "fields", "key", "sum([value.bounding_box[0], `1`])", "value.bounding_box[1:]"),
    "text": Shape(
        {"fields": [{"name": "mrn", "at": {"page": "2", "box": "0.25, 0.1; 0.5, 0.125"}}]},
        "fields",
        "name",
        "at.page",
        "at.box",
    ),
}


def read(form, document, shape) -> dict[str, Region]:
    each, name, *placing = [form.path(path) if path else None for path in shape[1:]]
    return of_fields(document, form, Layout(each, name, name, name), {}, Placing(*placing))


@pytest.mark.parametrize("platform", SAID)
def test_what_a_platform_says_is_understood(platform):
    shape = SAID[platform]
    document = json_form.parse(json.dumps(shape.metadata).encode())
    assert read(json_form, document, shape) == {"mrn": Region(2, HALF)}


XML = [
    (
        '<d><field name="mrn" page="2" left="310" top="175.4" right="620" bottom="219.25"/></d>',
        ("@page", "concat(@left, ' ', @top, ' ', @right, ' ', @bottom)", "'1240 1754'"),
    ),
    (
        '<d><p size="9 9"/><p size="1240 1754"/><field name="mrn" page="1" x="310" y="175.4" w="310" h="43.85"/></d>',
        ("@page + 1", "concat(@x, ' ', @y, ' ', @x + @w, ' ', @y + @h)", "p/@size"),
    ),
    (
        '<d><field name="mrn"><page>2</page><l>0.25</l><t>0.1</t><r>0.5</r><b>0.125</b></field></d>',
        ("page", "l|t|r|b", None),
    ),
]


@pytest.mark.parametrize(("metadata", "paths"), XML)
def test_what_stands_in_xml_is_understood(metadata, paths):
    found = read(xml_form, xml_form.parse(metadata.encode()), Shape(metadata, ".//field", "@name", *paths))
    assert found == {"mrn": Region(2, HALF)}


def said(page, box, *size):
    document = {"fields": [{"name": "mrn", "page": page, "box": box}], "size": size[0] if size else [1, 1]}
    return read(json_form, document, Shape(document, "fields", "name", "page", "box", "size")).get("mrn")


NO_PLACE = {
    "no page": (None, [0.1, 0.1, 0.2, 0.2]),
    "page 0": (0, [0.1, 0.1, 0.2, 0.2]),
    "half a page": (1.5, [0.1, 0.1, 0.2, 0.2]),
    "no box": (1, None),
    "three numbers": (1, [0.1, 0.1, 0.2]),
    "five numbers": (1, [0.1, 0.1, 0.2, 0.2, 0.3]),
    "words": (1, ["left", "top", "right", "bottom"]),
    "an object": (1, {"left": 0.1}),
    "truth": (1, [True, False, True, True]),
    "no extent": (1, [0.1, 0.1, 0.1, 0.2]),
    "pixels where fractions are said": (1, [10, 10, 200, 30]),
    "beyond the left edge": (1, [-0.3, 0.1, 0.2, 0.2]),
    "no number": (1, ["nan", 0.1, 0.2, 0.2]),
    "endless": (1, ["inf", 0.1, 0.2, 0.2]),
    "a page without a size": (3, [0.1, 0.1, 0.2, 0.2], [[1, 1], [1, 1]]),
    "no size": (1, [0.1, 0.1, 0.2, 0.2], None),
    "a size of nothing": (1, [0.1, 0.1, 0.2, 0.2], [0, 10]),
    "a height of nothing": (1, [0.1, 0.1, 0.2, 0.2], [10, 0]),
    "a width below nothing": (1, [-0.1, 0.1, -0.2, 0.2], [-1, 1]),
    "two pages": ([1, 2], [0.1, 0.1, 0.2, 0.2]),
    "two numbers": (1, [0.1, 0.2]),
    "no height": (1, [0.1, 0.2, 0.3, 0.2]),
    "too many numbers": (1, [0.1, 0.1, 0.2, 0.2] * 50 + [0.1, 0.1]),
    "beyond the right edge": (1, [0.1, 0.1, 1.03, 0.2]),
    "beyond the upper edge": (1, [0.1, -0.03, 0.2, 0.2]),
    "beyond the lower edge": (1, [0.1, 0.1, 0.2, 1.03]),
}


@pytest.mark.parametrize("what", NO_PLACE)
def test_what_is_no_place_is_none(what):
    assert said(*NO_PLACE[what]) is None


@pytest.mark.parametrize(
    ("box", "found"),
    [
        ([-0.01, 0.1, 1.005, 0.2], (0, 0.1, 1, 0.2)),
        ([-0.02, -0.02, 1.02, 1.02], (0, 0, 1, 1)),
        ([0.1, 0.1, 0.2, 0.2], (0.1, 0.1, 0.2, 0.2)),
        ([0.1, 0.1, 0.2, 0.2] * 50, (0.1, 0.1, 0.2, 0.2)),
        ([1 / 9, 2 / 9, 1 / 3, 2 / 3], (0.1111, 0.2222, 0.3333, 0.6667)),
    ],
    ids=len,
)
def test_a_box_ends_at_the_edge_and_has_four_decimals(box, found):
    assert said(1, box) == Region(1, (found,))


def fields_of(*fields, **aliases):
    shape = Shape({"fields": [*fields]}, "fields", "name", "page", "box")
    each, name, *placing = [json_form.path(path) for path in shape[1:5]]
    return of_fields(shape.metadata, json_form, Layout(each, name, name, name), aliases, Placing(*placing, None))


def test_a_field_is_told_by_the_name_that_counts_where_it_comes_first():
    place, later = {"page": 1, "box": [0, 0, 1, 1]}, {"page": 2, "box": [0, 0, 1, 1]}
    whole = ((0, 0, 1, 1),)
    fields = {"name": "a"}, {"name": "a", **place}, {"name": "a", **later}, {"name": 5, **place}, {"name": "b", **later}
    assert fields_of(*fields, b="c") == {"a": Region(1, whole), "c": Region(2, whole)}
    assert fields_of(*fields[:3], {"name": "b", **place}, b="a") == {"a": Region(1, whole)}


def test_so_many_fields_and_rows_are_told(monkeypatch):
    monkeypatch.setattr(regions, "MAX_FIELDS", 1)
    place = {"page": 1, "box": [0, 0, 1, 1]}
    assert list(fields_of({"name": "a", **place}, {"name": "b", **place})) == ["a"]
    lines = [{"cells": [{"name": "sku", **place}]}] * 2
    assert list(tables_reader(TABLES).regions(json.dumps(LINES | {"lines": lines}).encode(), "")) == [
        "/tables/items/0/sku"
    ]


def test_where_nothing_is_said_nothing_is_told():
    layout = Layout(*[json_form.path("nowhere")] * 4)
    assert of_fields({"id": 1}, json_form, layout, {}, Placing(*[json_form.path("x")] * 2, None)) == {}
    nowhere = [{}, {"cells": 5}, {"cells": [{"name": 5, "page": 1, "box": [0, 0, 1, 1]}]}]
    assert tables_reader(TABLES).regions(json.dumps(LINES | {"lines": nowhere}).encode(), "") == {}
    assert tables_reader(TABLES).regions(b'{"lines": 5}', "") == {}
    unsaid = tables_reader(TABLES.replace("place = { page = ", "# "))
    assert not unsaid.has_places
    assert unsaid.regions(json.dumps(LINES).encode(), "") == {}
    inner = tables_reader(TABLES.replace('place = { page = "page"', '# "'))
    assert inner.has_places
    assert list(inner.regions(json.dumps(LINES).encode(), "")) == ["/tables/items/0/taxes/0/rate"]


def test_a_height_below_0_counts_from_the_lower_edge():  # docling and Adobe: points of the PDF, BOTTOMLEFT
    assert said(1, [150, 720, 300, 700], [600, -800]) == Region(1, HALF)


def test_corners_may_come_in_any_order():
    assert said(1, [0.5, 0.125, 0.25, 0.1]) == Region(1, HALF)


LINES = {
    "pages": [{"size": [100, 200]}],
    "lines": [
        None,
        {
            "cells": [
                {"name": "sku", "value": "A-1", "page": 1, "box": [25, 20, 50, 25]},
                {"name": "note", "value": "none"},
            ],
            "taxes": [{"rate": 7, "at": {"page": 1, "box": [0.25, 0.1, 0.5, 0.125]}}],
        },
    ],
}
TABLES = """
[tables.items]
rows = "lines"
each = "cells"
place = { page = "page", box = "box", size = "pages[].size" }
[tables.taxes]
within = "items"
rows = "taxes"
columns = { rate = "rate" }
place = { page = "at.page", box = "at.box" }
"""


def test_cells_are_told_by_their_places_and_rows_by_each_of_their_columns():
    reader = tables_reader(TABLES)
    assert reader.has_places
    assert reader.regions(json.dumps({"id": "1", **LINES}).encode(), "") == {
        "/tables/items/0/sku": Region(1, HALF),
        "/tables/items/0/taxes/0/rate": Region(1, HALF),
    }


@pytest.mark.parametrize(
    ("values", "numbers"),
    [
        ([1, "0.1 0.2", [3, ["4"]]], [1, 0.1, 0.2, 3, 4]),
        (["0,1;2"], [0, 1, 2]),
        ([None, Absent.MISSING, 1], [1]),
        ([], []),
        ([1, True], []),
        ([1, {"a": 1}], []),
        ([1, "x"], []),
        ([1, 10**400], []),
        ([1, "nan"], []),
        ([1, "inf"], []),
    ],
    ids=lambda value: str(value)[:20],
)
def test_numbers_are_read_if_all_of_them_are_some(values, numbers):
    assert list(read_numbers(values)) == numbers


FIELDS = """
[fields.place]
page = "page"
box = "box"
"""


@pytest.mark.parametrize(
    ("toml", "told"),
    [
        ("", []),
        (FIELDS, ["mrn"]),
        (TABLES, ["/tables/items/0/sku", "/tables/items/0/taxes/0/rate"]),
        (FIELDS + TABLES, ["/tables/items/0/sku", "/tables/items/0/taxes/0/rate", "mrn"]),
        ('[tables.other]\nrows = "other"\ncolumns = { a = "a" }\n' + TABLES, ["/tables/items/0/sku"]),
    ],
    ids=["nothing", "fields", "tables", "both", "one of two tables"],
)
def test_fields_and_cells_are_told_where_the_process_says_how(toml, told):
    reader = tables_reader(toml)
    fields = [{"name": "mrn", "value": "1", "page": 1, "box": [0, 0, 1, 1]}]
    found = reader.regions(json.dumps({"id": "1", "fields": fields, **LINES}).encode(), "")
    assert set(told) <= set(found)
    assert reader.has_places is bool(told) is bool(found)
