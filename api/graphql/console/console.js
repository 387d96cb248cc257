"use strict";
// The token stays in this page's memory: it is never stored.
const $ = (id) => document.getElementById(id);
let sdl = "";

function headers() {
  const token = $("token").value.trim();
  return token ? { authorization: "Bearer " + token } : {};
}

function show() {
  const wanted = $("search").value.trim().toLowerCase();
  const blocks = sdl.split("\n\n");
  $("schema").textContent = wanted ? blocks.filter((one) => one.toLowerCase().includes(wanted)).join("\n\n") : sdl;
}

async function load() {
  const own = $("token").value.trim() !== "";
  const answer = await fetch(own ? "/graphql/schema" : "/catalogue/schema.graphql", { headers: headers() });
  sdl = await answer.text();
  show();
}

async function run() {
  let variables = {};
  try {
    variables = JSON.parse($("variables").value || "{}");
  } catch (error) {
    $("answer").textContent = "变量不是 JSON · The variables are no JSON: " + error.message;
    return;
  }
  try {
    const answer = await fetch("/graphql", {
      method: "POST",
      headers: { "content-type": "application/json", ...headers() },
      body: JSON.stringify({ query: $("query").value, variables }),
    });
    $("answer").textContent = JSON.stringify(await answer.json(), null, 2);
  } catch (error) {
    $("answer").textContent = String(error);
  }
}

$("run").addEventListener("click", run);
$("load").addEventListener("click", load);
$("search").addEventListener("input", show);
document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) run();
});
load();
