"use strict";
// GraphiQL with the schema that the token opens. The token stays in this page's memory: it is never stored.
// What is typed as a query is kept for this tab (sessionStorage).

const TEXTS = {
  zh: {
    token: "访问令牌", use: "使用令牌", have: "只有 client_id 与密钥?", get: "换取令牌", guide: "使用说明", language: "English",
    start: "未提供令牌:可以浏览公开的模式;粘贴令牌后才能执行。",
    loading: "正在读取模式……",
    opened: (services) => `令牌有效。模式已按它的权限裁剪:${services}。按 ▶ 执行。`,
    none: "令牌有效,但它没有可查询的服务:先为应用订阅服务。",
    failed: (detail) => `模式未能读取:${detail}`,
    refused: (detail) => `未能换取令牌:${detail}`,
    ended: (reason) => `订阅已结束:${reason}`,
    query: `# 平台自身:这个令牌可以调用什么、配额还剩多少(不计费)。
# 粘贴令牌,按 ▶(Ctrl+Enter)执行;左侧书本图标列出全部类型。
query Start {
  kaimen {
    app { id plan quotas { quota_class left units } }
    services { id field title level operations }
  }
}
`,
  },
  en: {
    token: "Access token", use: "Use it", have: "Only a client_id and a secret?", get: "Get a token", guide: "Guide", language: "中文",
    start: "No token yet: the public schema can be read; a query runs once a token is given.",
    loading: "Reading the schema …",
    opened: (services) => `The token is good. The schema is cut to its rights: ${services}. Press ▶ to run.`,
    none: "The token is good, but opens no service: subscribe the app to one first.",
    failed: (detail) => `The schema could not be read: ${detail}`,
    refused: (detail) => `No token was given: ${detail}`,
    ended: (reason) => `The subscription has ended: ${reason}`,
    query: `# The platform itself: what this token may call, and what is left of its quotas. It costs nothing.
# Paste a token and press ▶ (Ctrl+Enter); the book on the left lists all types.
query Start {
  kaimen {
    app { id plan quotas { quota_class left units } }
    services { id field title level operations }
  }
}
`,
  },
};

// GraphiQL speaks English; these are the words of it that stand on its face.
const GRAPHIQL_ZH = {
  "Variables": "变量", "Headers": "请求头", "Docs": "文档", "History": "历史", "Settings": "设置", "Theme": "主题",
  "System": "跟随系统", "Light": "浅色", "Dark": "深色", "Close": "关闭", "Short Keys": "快捷键", "Clear": "清除",
  "Execute query (Ctrl-Enter)": "执行(Ctrl-Enter)", "Prettify query (Shift-Ctrl-P)": "排版(Shift-Ctrl-P)",
  "Merge fragments into query (Shift-Ctrl-M)": "展开片段(Shift-Ctrl-M)", "Copy query (Shift-Ctrl-C)": "复制(Shift-Ctrl-C)",
  "Re-fetch GraphQL schema": "重新读取模式", "Open short keys dialog": "快捷键", "Open settings dialog": "设置",
  "Show Documentation Explorer": "打开文档", "Hide Documentation Explorer": "收起文档",
  "Show History": "打开历史", "Hide History": "收起历史", "Show editor tools": "打开变量与请求头", "Hide editor tools": "收起变量与请求头",
  "New tab": "新标签页", "Close Tab": "关闭标签页", "Clear storage": "清除本地数据", "Clear data": "清除",
  "Adjust how the interface appears.": "界面的明暗。", "Remove all locally stored data and start fresh.": "清除本标签页保存的查询,重新开始。",
  "Root Types": "根类型", "All Schema Types": "全部类型", "Fields": "字段", "Arguments": "参数", "Type": "类型", "Enum Values": "枚举值",
  "Possible Types": "可能的类型", "Implementations": "实现", "Implements": "实现于", "Deprecated Fields": "弃用的字段",
  "Show Deprecated Fields": "显示弃用的字段", "Show Deprecated Arguments": "显示弃用的参数",
  "A GraphQL schema provides a root type for each kind of operation.": "每种操作有一个根类型。",
};

const $ = (id) => document.getElementById(id);
const kept = (() => { try { return window.sessionStorage; } catch { return undefined; } })();
let language = kept?.getItem("kaimen:language") ?? (navigator.language.startsWith("zh") ? "zh" : "en");
let texts = TEXTS[language];
let token = "";
let schema = null;
let message = () => [texts.start, ""];

function headersOf(given) {
  const made = { "accept-language": language === "zh" ? "zh-CN" : "en", ...given };
  if (token) made.authorization = `Bearer ${token}`;
  return made;
}

function say(make) {
  message = make;
  const [text, kind] = make();
  $("state").textContent = text;
  $("state").className = kind;
}

// -- asking ------------------------------------------------------------------------------------------
// GraphiQL looks at the text a moment after it was typed: what is run is read from the text itself.
function chosenOf(params) {
  let document;
  try {
    document = GraphiQL.GraphQL.parse(params.query);
  } catch {
    return null; // the platform says where it is wrong
  }
  const operations = document.definitions.filter((one) => one.kind === "OperationDefinition");
  if (operations.length === 1) return operations[0];
  return operations.find((one) => one.name?.value === params.operationName) ?? null;
}

async function fetcher(params, options) {
  if (params.operationName === "IntrospectionQuery") { // GraphiQL's button; introspection is off
    await load();
    return { data: GraphiQL.GraphQL.introspectionFromSchema(schema) };
  }
  const chosen = chosenOf(params);
  const asked = { query: params.query, variables: params.variables, operationName: chosen ? chosen.name?.value : params.operationName };
  if (chosen?.operation === "subscription") return subscribe(asked);
  const answer = await fetch("/graphql", {
    method: "POST",
    headers: { "content-type": "application/json", ...headersOf(options?.headers) },
    body: JSON.stringify(asked),
  });
  return answer.json();
}

// graphql-transport-ws, one subscription to a socket.
async function* subscribe(asked) {
  const url = new URL("/graphql", window.location.href);
  url.protocol = url.protocol.replace("http", "ws");
  const socket = new WebSocket(url, "graphql-transport-ws");
  const arrived = [];
  let wake = () => {};
  const put = (item) => { arrived.push(item); wake(); };
  const send = (one) => socket.send(JSON.stringify(one));
  socket.onopen = () => send({ type: "connection_init", payload: headersOf() });
  socket.onclose = (event) => put({ type: "closed", reason: event.reason || String(event.code) });
  socket.onmessage = (event) => {
    const said = JSON.parse(event.data);
    if (said.type === "connection_ack") {
      send({ id: "1", type: "subscribe", payload: asked });
    } else if (said.type === "ping") send({ type: "pong" });
    else put(said);
  };
  try {
    for (;;) {
      while (!arrived.length) await new Promise((resolve) => { wake = resolve; });
      const said = arrived.shift();
      if (said.type === "next") yield said.payload;
      else if (said.type === "error") { yield { errors: said.payload }; return; }
      else {
        if (said.type === "closed") say(() => [texts.ended(said.reason), "bad"]);
        return;
      }
    }
  } finally {
    socket.onclose = null;
    socket.close(1000);
  }
}

// -- the schema of the token -------------------------------------------------------------------------
async function load() {
  const path = token ? "/graphql/schema" : "/catalogue/schema.graphql";
  say(() => [texts.loading, ""]);
  try {
    const answer = await fetch(path, { headers: headersOf(), cache: "no-cache" });
    const text = await answer.text();
    if (!answer.ok) throw new Error(JSON.parse(text).detail ?? text);
    schema = GraphiQL.GraphQL.buildSchema(text, { assumeValidSDL: true });
    const services = Object.keys(schema.getQueryType().getFields()).filter((name) => name !== "kaimen");
    if (!token) say(() => [texts.start, ""]);
    else if (services.length) say(() => [texts.opened(services.join(language === "zh" ? "、" : ", ")), "good"]);
    else say(() => [texts.none, "bad"]);
  } catch (error) {
    say(() => [texts.failed(error.message), "bad"]);
  }
  draw();
}

async function exchange(client, secret) {
  const answer = await fetch("/oauth/token", {
    method: "POST",
    headers: { authorization: `Basic ${btoa(`${encodeURIComponent(client)}:${encodeURIComponent(secret)}`)}` },
    body: new URLSearchParams({ grant_type: "client_credentials" }),
  });
  const said = await answer.json();
  if (!answer.ok) throw new Error(said.error_description ?? said.detail ?? said.error);
  return said.access_token;
}

// -- the page ----------------------------------------------------------------------------------------
const root = ReactDOM.createRoot($("graphiql"));

function draw() {
  root.render(React.createElement(GraphiQL, {
    key: language,
    fetcher,
    schema,
    storage: kept,
    defaultQuery: texts.query,
    defaultEditorToolsVisibility: false,
    shouldPersistHeaders: false,
    inputValueDeprecation: true,
  }));
}

function translate() {
  texts = TEXTS[language];
  document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
  for (const element of document.querySelectorAll("[data-text]")) element.textContent = texts[element.dataset.text];
  $("language").textContent = texts.language;
  $("guide").href = language === "zh" ? "/docs/how-to/use-graphql/" : "/docs/en/how-to/use-graphql/";
  say(message);
}

$("entry").addEventListener("submit", (event) => {
  event.preventDefault();
  token = $("token").value.trim().replace(/^bearer\s+/i, "");
  load();
});
$("credentials").addEventListener("submit", async (event) => {
  event.preventDefault();
  try {
    token = await exchange($("client").value.trim(), $("secret").value.trim());
  } catch (error) {
    say(() => [texts.refused(error.message), "bad"]);
    return;
  }
  $("secret").value = "";
  $("token").value = token;
  $("exchange").open = false;
  load();
});
$("language").addEventListener("click", () => {
  language = language === "zh" ? "en" : "zh";
  kept?.setItem("kaimen:language", language);
  translate();
  draw();
});
function translateGraphiql(node) {
  const texts = document.createTreeWalker(node, NodeFilter.SHOW_TEXT);
  for (let text = texts.nextNode(); text; text = texts.nextNode()) {
    if (GRAPHIQL_ZH[text.nodeValue] && !text.parentElement.closest(".CodeMirror")) text.nodeValue = GRAPHIQL_ZH[text.nodeValue];
  }
  for (const element of node.querySelectorAll("[aria-label], [title]")) {
    for (const name of ["aria-label", "title"]) {
      const made = GRAPHIQL_ZH[element.getAttribute(name)];
      if (made) element.setAttribute(name, made);
    }
  }
}

new MutationObserver(() => { if (language === "zh") translateGraphiql(document.body); })
  .observe(document.body, { childList: true, subtree: true, attributes: true, attributeFilter: ["aria-label"] });

translate();
draw();
load();
