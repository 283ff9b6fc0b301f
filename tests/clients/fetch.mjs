// node fetch.mjs URL TOKEN SOURCE_ID [HOW]: Node's own fetch.
import { readFileSync } from "node:fs";

const [url, token, sourceId, how] = process.argv.slice(2);
const metadata = JSON.stringify({ sourceId, fields: [{ name: "remark", value: "sent by fetch" }] });
const scan = readFileSync("fax.tif");
const form = new FormData();
if (how === "untyped") {
  form.append("file", new Blob([scan]));
  form.append("metadata", metadata);
} else {
  form.append("file", new File([scan], 'Über"weisung.tif', { type: "image/tiff" }));
  form.append("metadata", new Blob([metadata], { type: "application/json" }), "metadata.json");
}
const answer = await fetch(url, { method: "POST", body: form, headers: { Authorization: `Bearer ${token}` } });
console.log(answer.status, await answer.text());
