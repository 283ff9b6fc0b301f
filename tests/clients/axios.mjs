// node axios.mjs URL TOKEN SOURCE_ID [HOW]: axios with form-data, as programs on Node send files.
import { createReadStream, readFileSync } from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(`${process.cwd()}/`);
const axios = require("axios");
const FormData = require("form-data");

const [url, token, sourceId, how] = process.argv.slice(2);
const metadata = JSON.stringify({ sourceId, fields: [{ name: "remark", value: "sent by axios" }] });
const form = new FormData();
if (how === "stream") {
  form.append("file", createReadStream("fax.tif"));
  form.append("metadata", metadata);
} else {
  form.append("file", readFileSync("fax.tif"), { filename: "my fax.tif", contentType: "image/tiff" });
  form.append("metadata", metadata, { contentType: "application/json" });
}
const headers = { ...form.getHeaders(), Authorization: `Bearer ${token}` };
const answer = await axios.post(url, form, { headers, proxy: false, validateStatus: () => true });
console.log(answer.status, JSON.stringify(answer.data));
