// Validates `document.json` with AsyncAPI's own schema, and looks up every reference in it.
const fs = require("node:fs");
const Ajv = require("ajv");
const addFormats = require("ajv-formats");
const specification = require("@asyncapi/specs/schemas/3.0.0.json");

const document = JSON.parse(fs.readFileSync("document.json", "utf8"));
// It brings the schema of draft 7 along, which this validator has already.
const ajv = new Ajv({ strict: false, allErrors: true, meta: false, validateSchema: false });
addFormats(ajv);
const valid = ajv.validate(specification, document);
const errors = valid ? [] : ajv.errors.map((error) => `${error.instancePath} ${error.message}`);

const token = (text) => decodeURIComponent(text).replaceAll("~1", "/").replaceAll("~0", "~");
const found = (reference) =>
  reference.startsWith("#/") &&
  reference.slice(2).split("/").map(token)
    .reduce((place, name) => place?.[name], document) !== undefined;
const visit = (value) => {
  if (typeof value !== "object" || value === null) return;
  if (typeof value.$ref === "string" && !found(value.$ref)) {
    errors.push(`${value.$ref} leads nowhere`);
  }
  Object.values(value).forEach(visit);
};
visit(document);

// Payloads must validate as a reader of the document would do it.
const { schemas } = document.components;
for (const { id, payload, valid } of JSON.parse(fs.readFileSync("payloads.json", "utf8"))) {
  const schema = { $ref: `#/components/schemas/${id}`, components: { schemas } };
  const reader = new Ajv({ strict: false, logger: false });
  addFormats(reader);
  if (reader.validate(schema, payload) !== valid) {
    errors.push(`${id}: ${JSON.stringify(payload)} should be ${valid ? "valid" : "invalid"}`);
  }
}
console.log(errors.join("\n"));
process.exitCode = errors.length === 0 ? 0 : 1;
