"""A receiver in Flask as a first version is written: everything is read, parsed and compiled when it is needed."""

import json
import uuid
from datetime import UTC, datetime

import jsonschema
import xmlschema
from common import OUTPUT, SITE, hl7, schema, write_durably
from flask import Flask, render_template, request

app = Flask(__name__, template_folder=str(SITE / "peers"))
app.jinja_env.filters["hl7"] = hl7


@app.post("/api/nextstep/delivery/<process>")
def deliver(process):
    try:
        metadata = read(request.files["metadata"].read(), process)
        fields = {field["name"]: field["value"] for field in metadata["fields"]}
        jsonschema.validate(fields, schema(f"{process}.fields.schema.json"))
    except (jsonschema.ValidationError, xmlschema.XMLSchemaException) as error:
        return {"error": str(error)}, 422
    name = uuid.uuid4().hex
    names = {"id": name, "metadata": metadata, "fields": fields, "received": datetime.now(UTC).strftime("%Y%m%d%H%M%S")}
    write_durably(OUTPUT / f"{name}.tif", request.files["file"].read())
    for kind in ("json", "hl7"):
        text = render_template(f"{process}.{kind}.j2", **names)
        write_durably(OUTPUT / f"{name}.{kind}", text.encode())
    return {"id": name, "status": "published"}


def read(content, process):
    if process != "reports":
        metadata = json.loads(content)
        jsonschema.validate(metadata, schema("nextstep-metadata.schema.json"))
        return metadata
    read = xmlschema.XMLSchema(SITE / "schemas" / "nextstep-metadata.xsd").decode(content.decode())
    fields = [{"name": each["@name"], "value": each["$"]} for each in read["fields"]["field"]]
    return {"sourceId": read["sourceId"], "fields": fields}
