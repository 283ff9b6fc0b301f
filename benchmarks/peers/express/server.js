// A receiver in Express: multer streams the document to its file, ajv's compiled schemas judge, one process per core.
const cluster = require("node:cluster");
const crypto = require("node:crypto");
const fs = require("node:fs");
const path = require("node:path");

const [host, port] = process.argv[2].split(":");
const output = process.argv[3];
const site = process.argv[4];
const WORKERS = 2;

if (cluster.isPrimary) {
  for (let i = 0; i < WORKERS; i++) cluster.fork();
} else {
  serve();
}

function serve() {
  const Ajv = require("ajv/dist/2020");
  const express = require("express");
  const multer = require("multer");

  const ajv = new Ajv({ allErrors: true });
  require("ajv-formats")(ajv);
  const compiled = (name) => ajv.compile(JSON.parse(fs.readFileSync(path.join(site, "schemas", name))));
  const validMetadata = compiled("nextstep-metadata.schema.json");
  const fieldsSchemas = fs.readdirSync(path.join(site, "schemas")).filter((name) => name.endsWith(".fields.schema.json"));
  const validFields = Object.fromEntries(
    fieldsSchemas.map((name) => [name.replace(".fields.schema.json", ""), compiled(name)]),
  );

  // The document goes to its file as it arrives, the metadata to memory: multer's way of a storage of one's own.
  const disk = multer.diskStorage({
    destination: output,
    filename: (request, file, done) => done(null, `${(request.id = crypto.randomUUID())}.tif.part`),
  });
  const memory = multer.memoryStorage();
  const storageOf = (file) => (file.fieldname === "metadata" ? memory : disk);
  const storage = {
    _handleFile: (request, file, done) => storageOf(file)._handleFile(request, file, done),
    _removeFile: (request, file, done) => storageOf(file)._removeFile(request, file, done),
  };
  const parts = multer({ storage }).fields([{ name: "file", maxCount: 1 }, { name: "metadata", maxCount: 1 }]);

  const app = express();
  app.disable("x-powered-by");
  app.post("/api/nextstep/delivery/:process", parts, async (request, answer) => {
    const metadata = JSON.parse(request.files.metadata[0].buffer);
    const fields = {};
    const judge = validFields[request.params.process];
    if (validMetadata(metadata)) for (const field of metadata.fields) fields[field.name] = field.value;
    if (validMetadata.errors || !judge(fields)) {
      await fs.promises.unlink(request.files.file[0].path);
      return answer.status(422).json({ errors: validMetadata.errors || judge.errors });
    }
    await publish(request.id, record(request.id, metadata, fields), message(request.id, metadata));
    answer.json({ id: request.id, status: "published" });
  });
  app.listen(Number(port), host);
}

const record = (id, metadata, fields) => JSON.stringify({ id, sourceId: metadata.sourceId, fields });

const ESCAPES = { "\\": "\\E\\", "|": "\\F\\", "^": "\\S\\", "&": "\\T\\", "~": "\\R\\", "\r": "\\X0D\\", "\n": "\\X0A\\" };
const escape = (value) => String(value).replace(/[\\|^&~\r\n]/g, (character) => ESCAPES[character]);

function message(id, metadata) {
  const received = new Date().toISOString().replace(/[-:T]/g, "").slice(0, 14);
  const segments = [
    `MSH|^~\\&|RECEIVER|BENCH|EHR|CLINIC|${received}||MDM^T02^MDM_T02|${id}|P|2.5.1`,
    `EVN|T02|${received}`,
    `TXA|1|CN|IM|||||||||${id}`,
    ...metadata.fields.map((field, i) => `OBX|${i + 1}|ST|${escape(field.name)}^^L||${escape(field.value)}||||||F`),
  ];
  return segments.join("\r") + "\r";
}

// All files on their way to the disk at once, then their names, then the folder.
async function publish(id, json, hl7) {
  const name = (kind) => path.join(output, `${id}.${kind}`);
  await Promise.all([
    synced(`${name("tif")}.part`),
    synced(`${name("json")}.part`, json),
    synced(`${name("hl7")}.part`, hl7),
  ]);
  await Promise.all(["tif", "json", "hl7"].map((kind) => fs.promises.rename(`${name(kind)}.part`, name(kind))));
  await synced(output);
}

async function synced(file, content) {
  const handle = await fs.promises.open(file, content === undefined ? "r" : "w");
  try {
    if (content !== undefined) await handle.writeFile(content);
    await handle.sync();
  } finally {
    await handle.close();
  }
}
