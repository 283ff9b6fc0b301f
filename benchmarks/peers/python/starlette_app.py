"""A receiver in Starlette: its own form parser (python-multipart), the disk's work in a thread."""

import json
import shutil
import uuid
from datetime import UTC, datetime

import jsonschema
from common import OUTPUT, SITE, hl7, publish, schema
from jinja2 import Environment, FileSystemLoader
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse
from starlette.routing import Route

PROCESSES = [path.name.removesuffix(".json.j2") for path in (SITE / "peers").glob("*.json.j2")]
METADATA = jsonschema.Draft202012Validator(schema("nextstep-metadata.schema.json"))
FIELDS = {name: jsonschema.Draft202012Validator(schema(f"{name}.fields.schema.json")) for name in PROCESSES}

environment = Environment(loader=FileSystemLoader(SITE / "peers"), auto_reload=False)
environment.filters["hl7"] = hl7
TEMPLATES = {
    name: {kind: environment.get_template(f"{name}.{kind}.j2") for kind in ("json", "hl7")} for name in PROCESSES
}


async def deliver(request):
    async with request.form() as form:
        try:
            answer = await run_in_threadpool(receive, request.path_params["process"], form["metadata"], form["file"])
        except jsonschema.ValidationError as error:
            return JSONResponse({"error": str(error)}, status_code=422)
    return JSONResponse(answer)


def receive(process, metadata_part, document):
    metadata = json.load(metadata_part.file)
    METADATA.validate(metadata)
    fields = {field["name"]: field["value"] for field in metadata["fields"]}
    FIELDS[process].validate(fields)
    name = uuid.uuid4().hex
    names = {"id": name, "metadata": metadata, "fields": fields, "received": datetime.now(UTC).strftime("%Y%m%d%H%M%S")}
    staged = OUTPUT / f"{name}.tif.part"
    with staged.open("wb") as file:
        shutil.copyfileobj(document.file, file, 1024 * 1024)
    records = {OUTPUT / f"{name}.{kind}": each.render(names).encode() for kind, each in TEMPLATES[process].items()}
    publish(records, staged, OUTPUT / f"{name}.tif")
    return {"id": name, "status": "published"}


app = Starlette(routes=[Route("/api/nextstep/delivery/{process}", deliver, methods=["POST"])])
