/** Make the client's types from the OpenAPI documents of the services, which `make contracts-check` holds to the code. */

import { mkdir, readdir, writeFile } from "node:fs/promises";
import { basename } from "node:path";
import openapiTS, { astToString } from "openapi-typescript";

const documents = new URL("../../../schemas/generated/openapi/", import.meta.url);
const made = new URL("../src/api/generated/", import.meta.url);

await mkdir(made, { recursive: true });
for (const file of (await readdir(documents)).filter((name) => name.endsWith(".json"))) {
  const types = astToString(await openapiTS(new URL(file, documents)));
  await writeFile(new URL(`${basename(file, ".json")}.ts`, made), types);
}
