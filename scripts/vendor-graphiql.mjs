#!/usr/bin/env node
// Brings GraphiQL into api/graphql/console/vendor: fetched from npm once, by a developer, and committed. Nothing is
// fetched when the platform is built or run. To refresh it: change VERSIONS, run `node scripts/vendor-graphiql.mjs`
// from the root of the checkout, open /graphql in a browser and run a query, then commit.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

// 4.x is the last line of GraphiQL that ships one script for a page (5.x brings Monaco and workers); 18 of React.
const VERSIONS = { graphiql: "4.1.2", react: "18.3.1", "react-dom": "18.3.1", esbuild: "0.25.12" };
// In the bundle, but no dependency that npm installs with it: for their licences alone.
const BESIDE = ["graphql", "graphql-ws", "@radix-ui/react-use-escape-keydown", "@react-aria/utils"];
const TARGET = "api/graphql/console/vendor";

const work = mkdtempSync(join(tmpdir(), "graphiql-"));
try {
  const wanted = Object.entries(VERSIONS).map(([name, version]) => `${name}@${version}`);
  writeFileSync(join(work, "package.json"), "{}");
  execFileSync("npm", ["install", "--no-audit", "--no-fund", "--silent", "--legacy-peer-deps", ...wanted, ...BESIDE], { cwd: work, stdio: "inherit" });
  const modules = join(work, "node_modules");
  rmSync(TARGET, { recursive: true, force: true });
  mkdirSync(TARGET, { recursive: true });

  const bundle = readFileSync(join(modules, "graphiql/graphiql.min.js"), "utf8");
  writeFileSync(join(TARGET, "graphiql.js"), bundle.replace(/^\/\/# sourceMappingURL=.*$/m, ""));
  // Its fonts stay away: the page takes those of the system, which have Chinese.
  const css = readFileSync(join(modules, "graphiql/graphiql.min.css"), "utf8").replace(/@font-face\s*\{[^}]*\}/g, "");
  const made = execFileSync(join(modules, ".bin/esbuild"), ["--minify", "--charset=utf8", "--loader=css"], { input: css, encoding: "utf8" });
  writeFileSync(join(TARGET, "graphiql.css"), made);
  for (const name of ["react", "react-dom"]) {
    const file = readFileSync(join(modules, name, `umd/${name}.production.min.js`), "utf8");
    writeFileSync(join(TARGET, `${name}.js`), file);
  }

  // Whose code is in the bundle: its map says where each part came from.
  const names = new Set(["graphiql", "react", "react-dom", "@graphiql/react", "@graphiql/toolkit"]);
  for (const source of JSON.parse(readFileSync(join(modules, "graphiql/graphiql.min.js.map"), "utf8")).sources) {
    const name = /.*node_modules\/((?:@[\w.-]+\/)?[\w.-]+)\//.exec(source)?.[1];
    if (name) names.add(name);
  }
  const licences = [];
  const without = [];
  for (const name of [...names].sort()) {
    const folder = join(modules, name);
    if (!existsSync(folder)) { without.push(name); continue; }
    const about = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    const file = readdirSync(folder).find((one) => /^(licen[cs]e|copying)/i.test(one));
    const text = file ? readFileSync(join(folder, file), "utf8").trim() : `Licence: ${about.license}`;
    licences.push(`${name} ${about.version} (${about.license})\n\n${text}\n`);
  }
  if (without.length) throw new Error(`no licence found for: ${without.join(", ")}`);
  writeFileSync(join(TARGET, "LICENSES.txt"), licences.join(`\n${"-".repeat(80)}\n\n`));
  writeFileSync(join(TARGET, "VERSIONS.json"), `${JSON.stringify(VERSIONS, null, 2)}\n`);
} finally {
  rmSync(work, { recursive: true, force: true });
}
