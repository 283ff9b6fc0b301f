// A receiver as it is built without a program: a flow of Node-RED's own nodes, the two functions what its users write.
// Its file nodes know neither fsync nor rename, and its templates no HL7: values are printed as they come.
const fs = require("node:fs");
const path = require("node:path");

const [host, port] = process.env.PEER_ADDRESS.split(":");
const site = process.env.PEER_SITE;
const user = process.env.PEER_FOLDER;

const schema = fs.readFileSync(path.join(site, "schemas", "nextstep-metadata.schema.json"), "utf8");
const message = fs
  .readFileSync(path.join(site, "peers", "forms.hl7.j2"), "utf8")
  .replace(/\{\{ (\S+)( \| hl7)? \}\}/g, "{{{$1}}}");

const PARTS = `
const part = (name) => msg.req.files.find((each) => each.fieldname === name).buffer;
msg.document = part("file");
msg.payload = part("metadata").toString();
msg.schema = ${JSON.stringify({ ...JSON.parse(schema), $schema: undefined, $id: undefined })};
return msg;`;
const NAMES = `
msg.id = msg._msgid;
msg.received = new Date().toISOString().replace(/[-:T]/g, "").slice(0, 14);
msg.metadata = msg.payload;
msg.fields = Object.fromEntries(msg.metadata.fields.map((field) => [field.name, field.value]));
msg.record = { id: msg.id, sourceId: msg.metadata.sourceId, fields: msg.fields };
return msg;`;

const steps = [
  { type: "http in", url: "/api/nextstep/delivery/:process", method: "post", upload: true },
  { type: "function", func: PARTS, outputs: 1 },
  { type: "json", property: "payload", action: "obj" },
  { type: "function", func: NAMES, outputs: 1 },
  ...written("document", "tif"),
  ...written("record", "json"),
  { type: "template", field: "payload", fieldType: "msg", syntax: "mustache", template: message, output: "str" },
  ...written("payload", "hl7"),
  { type: "change", rules: [set("payload", '{"id": id, "status": "published"}', "jsonata")] },
  { type: "http response", statusCode: "200" },
];

function set(name, to, kind) {
  return { t: "set", p: name, pt: "msg", to, tot: kind };
}

function written(name, suffix) {
  const target = `"${path.join(process.env.PEER_OUTPUT, "/")}" & id & ".${suffix}"`;
  return [
    { type: "change", rules: [set("payload", name, "msg"), set("filename", target, "jsonata")] },
    { type: "file", filename: "filename", filenameType: "msg", appendNewline: false, overwriteFile: "true", encoding: "none" },
  ];
}

const nodes = steps.map((step, number) => ({
  ...step,
  id: `step${number}`,
  z: "flow",
  x: 0, // what has no place counts as configuration
  y: 0,
  wires: step.type === "http response" ? [] : [[`step${number + 1}`]],
}));
const failed = [
  { id: "catch", type: "catch", scope: null, wires: [["refused"]] },
  { id: "refused", type: "change", rules: [set("payload", "error.message", "msg")], wires: [["answer"]] },
  { id: "answer", type: "http response", statusCode: "422", wires: [] },
].map((node) => ({ ...node, z: "flow", x: 0, y: 0 }));
const flow = [{ id: "flow", type: "tab", label: "deliveries" }, ...nodes, ...failed];
fs.writeFileSync(path.join(user, "flows.json"), JSON.stringify(flow));

module.exports = {
  uiHost: host,
  uiPort: Number(port),
  userDir: user,
  flowFile: "flows.json",
  credentialSecret: false,
  disableEditor: true,
  httpAdminRoot: false,
  logging: { console: { level: "warn" } },
};
