"""A receiver in Flask as it is written once it must be fast: all compiled at the start, one round of fsyncs.

Validators of jsonschema and of lxml, templates of Jinja2; a document goes from the form's own buffer to its file.
"""

import json
import uuid
from datetime import UTC, datetime

import jsonschema
from common import OUTPUT, SITE, hl7, publish, schema
from flask import Flask, request
from jinja2 import Environment, FileSystemLoader
from lxml import etree

PROCESSES = [path.name.removesuffix(".json.j2") for path in (SITE / "peers").glob("*.json.j2")]
METADATA = jsonschema.Draft202012Validator(schema("nextstep-metadata.schema.json"))
XSD = etree.XMLSchema(etree.parse(SITE / "schemas" / "nextstep-metadata.xsd"))
FIELDS = {name: jsonschema.Draft202012Validator(schema(f"{name}.fields.schema.json")) for name in PROCESSES}

environment = Environment(loader=FileSystemLoader(SITE / "peers"), auto_reload=False)
environment.filters["hl7"] = hl7
TEMPLATES = {
    name: {kind: environment.get_template(f"{name}.{kind}.j2") for kind in ("json", "hl7")} for name in PROCESSES
}

app = Flask(__name__)


@app.post("/api/nextstep/delivery/<process>")
def deliver(process):
    try:
        metadata = read_xml() if process == "reports" else read_json()
        fields = {field["name"]: field["value"] for field in metadata["fields"]}
        FIELDS[process].validate(fields)
    except (jsonschema.ValidationError, etree.DocumentInvalid) as error:
        return {"error": str(error)}, 422
    name = uuid.uuid4().hex
    names = {"id": name, "metadata": metadata, "fields": fields, "received": datetime.now(UTC).strftime("%Y%m%d%H%M%S")}
    staged = OUTPUT / f"{name}.tif.part"
    request.files["file"].save(staged, buffer_size=1024 * 1024)
    records = {OUTPUT / f"{name}.{kind}": each.render(names).encode() for kind, each in TEMPLATES[process].items()}
    publish(records, staged, OUTPUT / f"{name}.tif")
    return {"id": name, "status": "published"}


def read_json():
    metadata = json.load(request.files["metadata"])
    METADATA.validate(metadata)
    return metadata


def read_xml():
    document = etree.parse(request.files["metadata"])
    XSD.assertValid(document)
    fields = [{"name": each.get("name"), "value": each.text} for each in document.iter("field")]
    return {"sourceId": document.findtext("sourceId"), "fields": fields}
