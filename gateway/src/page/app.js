"use strict";

// Every text of the page, by language. Markup names its text with data-t.
const TEXTS = {
  en: {
    "skip": "Skip to the content",
    "title": "Order platform",
    "subtitle": "Many instances, one truth: facts travel through Kafka into one database",
    "live.waiting": "Loading",
    "live.live": "Live",
    "live.stale": "Stale: data of {time}",
    "live.offline": "Gateway does not answer: data of {time}",
    "live.never": "Gateway does not answer",
    "frozen": "The service registry cannot be read since {time} ({reason}). Instances neither join nor leave meanwhile; the known ones stay in use.",
    "frozen.unknown": "no reason known",
    "flow.title": "The way of an order",
    "flow.lead": "Each arrow is a hop. An order is a fact in a topic; the decision about it is another; the database joins them.",
    "flow.client": "Client",
    "flow.client.sub": "places orders, reads them",
    "flow.gateway": "Gateway",
    "flow.gateway.sub": "finds, balances, retries",
    "flow.database": "Database",
    "flow.database.sub": "orders, order_decisions",
    "flow.down": "\u2193 orders",
    "flow.up": "\u2191 decisions",
    "flow.reads": "reads: orders joined with their decisions",
    "flow.instances": { one: "{n} instance", other: "{n} instances" },
    "flow.none": "no instance",
    "flow.kafka": "{orders} orders\n{decisions} decisions",
    "flow.kafka.bad": "not readable",
    "flow.tasks": { one: "{n} task running", other: "{n} tasks running" },
    "flow.tasks.failed": { one: "{n} failure", other: "{n} failures" },
    "flow.connect.none": "not reachable",
    "flow.connect.idle": "no connector",
    "place.title": "Place an order",
    "place.submit": "Place order",
    "place.sending": "Sending ...",
    "place.hint": "{name}: {qty} in stock",
    "place.placed": "Order {id}: {status}",
    "place.retry": "{detail} Press again: the same Idempotency-Key makes sure that it is one order.",
    "place.unreachable": "The gateway could not be reached.",
    "place.invalid": "{field}: {rule}",
    "field.userId": "User",
    "field.productId": "Product id",
    "field.qty": "Quantity",
    "field.unitPrice": "Unit price",
    "rule.required": "a value is needed",
    "rule.integer": "a whole number of at least {min} is needed",
    "products.title": "Stock",
    "products.none": "There are no products yet.",
    "orders.title": "Last orders",
    "orders.none": "There are no orders yet. Place the first one.",
    "services.title": "Services",
    "services.none": "No instance is registered.",
    "services.lease": "lease {s} s",
    "services.inFlight": "{n} in flight",
    "topics.title": "Topics",
    "topics.none": "Kafka has not been asked yet.",
    "topics.partitions": { one: "{n} partition", other: "{n} partitions" },
    "connect.title": "Connect workers",
    "connect.none": "No worker is configured.",
    "connect.noConnectors": "No connector runs here.",
    "connect.task": "task {id}",
    "col.time": "Time",
    "col.order": "Order",
    "col.user": "User",
    "col.product": "Product",
    "col.qty": "Qty",
    "col.total": "Total",
    "col.status": "Status",
    "col.price": "Price",
    "col.stock": "In stock",
    "col.topic": "Topic",
    "col.records": "Records",
    "state.UP": "up",
    "state.ASIDE": "put aside",
    "state.HEALTHY": "healthy",
    "state.UNHEALTHY": "not healthy",
  },
};
const LANGUAGE = "en";
const PLURAL = new Intl.PluralRules(LANGUAGE);
const NUMBER = new Intl.NumberFormat(LANGUAGE);
const CLOCK = new Intl.DateTimeFormat(LANGUAGE, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });

function t(key, values = {}) {
  let text = TEXTS[LANGUAGE][key] ?? key;
  if (typeof text === "object") text = text[PLURAL.select(values.n)] ?? text.other;
  return text.replace(/\{(\w+)\}/g, (_, name) => {
    const value = values[name];
    return typeof value === "number" ? NUMBER.format(value) : (value ?? "");
  });
}

// --- small helpers -----------------------------------------------------------------------------------------------

const $ = (selector) => document.querySelector(selector);

/** An element; children are elements or texts. Nothing is ever parsed as HTML. */
function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== null) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined).map((child) =>
    child instanceof Node ? child : String(child)));
  return element;
}

const STATE_CLASS = {
  UP: "ok", CONFIRMED: "ok", RUNNING: "ok", HEALTHY: "ok",
  PLACED: "warn", PAUSED: "warn", STOPPED: "warn", RESTARTING: "warn", ASIDE: "warn", UNASSIGNED: "warn", UNKNOWN: "warn",
  REJECTED: "bad", FAILED: "bad", UNHEALTHY: "bad",
};

function pill(state) {
  const known = TEXTS[LANGUAGE]["state." + state];
  return h("span", { class: "pill " + (STATE_CLASS[state] ?? "") }, known ?? state);
}

const time = (iso) => {
  const date = new Date(iso);
  return Number.isNaN(date.getTime()) ? "" : CLOCK.format(date);
};
const number = (value) => (typeof value === "number" ? NUMBER.format(value) : String(value ?? ""));
const empty = (text) => h("p", { class: "empty" }, text);

/** columns: [label key, class]; rows: arrays of cells. */
function table(columns, rows, kind) {
  const cell = (content, i) => h("td", { class: columns[i][1], "data-label": t(columns[i][0]) }, content);
  return h("table", { class: kind },
    h("thead", {}, h("tr", {}, ...columns.map(([label, kind]) => h("th", { scope: "col", class: kind }, t(label))))),
    h("tbody", {}, ...rows.map((row) => h("tr", {}, ...row.map(cell)))));
}

const drawn = new Map();
/** Draws a part only when its data changed, so that a selection or a screen reader is not disturbed for nothing. */
function draw(id, data, build) {
  const text = JSON.stringify(data);
  if (drawn.get(id) === text) return;
  drawn.set(id, text);
  $("#" + id).replaceChildren(...[build(data)].flat());
}

// --- the parts ---------------------------------------------------------------------------------------------------

function ordersPart({ orders, problem, names }) {
  if (problem) return empty(problem);
  if (!orders.length) return empty(t("orders.none"));
  const columns = [["col.time", "code"], ["col.order", "code"], ["col.user"], ["col.product"], ["col.qty", "num"], ["col.total", "num"], ["col.status"]];
  return table(columns, orders.map((order) => [
    time(order.createdAt),
    h("a", { href: "/order-service/orders/" + encodeURIComponent(order.orderId), title: order.orderId }, shortId(order.orderId)),
    order.userId ?? "",
    productName(order.productId, names),
    number(order.qty),
    number(order.totalPrice),
    h("span", {}, pill(order.status ?? "UNKNOWN"), order.reason ? h("span", { class: "small soft" }, " " + order.reason) : null),
  ]), "cards");
}

// The end of a UUIDv7 tells orders of the same moment apart, its beginning does not.
const shortId = (id) => "\u2026" + String(id ?? "").slice(-8);
const productName = (id, names) => (names[id] === undefined ? "#" + id : names[id]);

function productsPart({ products, problem }) {
  if (problem) return empty(problem);
  if (!products.length) return empty(t("products.none"));
  return table([["col.product"], ["col.price", "num"], ["col.stock", "num"]], products.map((product) => [
    h("span", {}, h("span", { class: "soft mono" }, "#" + product.productId + " "), product.name ?? ""),
    number(product.unitPrice),
    number(product.qty),
  ]));
}

function servicesPart(services) {
  return services.flatMap((service) => [
    h("p", { class: "name" }, service.name),
    ...(service.instances.length
      ? service.instances.map((instance) => h("div", { class: "line" },
        h("div", {}, h("span", { class: "mono", title: instance.id }, instance.url.replace("http://", "")),
          h("div", { class: "small soft" },
            t("services.lease", { s: Math.ceil(instance.leaseRemainingMs / 1000) }) + " \u00b7 " + t("services.inFlight", { n: instance.inFlight }))),
        pill(instance.state)))
      : [empty(t("services.none"))]),
  ]);
}

function topicsPart(topics) {
  if (!topics.length) return empty(t("topics.none"));
  return table([["col.topic"], ["col.records", "num"]], topics.map((topic) => [
    h("div", {}, h("span", { class: "mono" }, topic.name),
      h("div", { class: "small soft" }, topic.problem ?? t("topics.partitions", { n: topic.partitions }))),
    topic.records === null ? "\u2013" : number(topic.records),
  ]));
}

function connectPart(workers) {
  if (!workers.length) return empty(t("connect.none"));
  const trace = (text) => (text ? h("div", { class: "trace" }, text) : null);
  const line = (label, state, problem) => h("div", {}, h("div", { class: "line" }, label, pill(state)), trace(problem));
  return workers.flatMap((worker) => [
    h("p", { class: "name" }, h("span", { class: "mono" }, worker.url.replace("http://", "")), pill(worker.healthy ? "HEALTHY" : "UNHEALTHY")),
    worker.problem ? empty(worker.problem) : null,
    !worker.problem && !worker.connectors.length ? empty(t("connect.noConnectors")) : null,
    ...worker.connectors.flatMap((connector) => [
      line(h("b", {}, connector.name), connector.state, connector.trace),
      ...connector.tasks.map((task) => line(h("span", { class: "soft" }, t("connect.task", { id: task.id })), task.state, task.trace)),
    ]),
  ]).filter(Boolean);
}

// --- the picture -------------------------------------------------------------------------------------------------

function node(name, state, metric) {
  const element = $(`[data-node="${name}"]`);
  element.dataset.state = state;
  const target = element.querySelector("[data-metric]");
  if (target.textContent !== metric) target.textContent = metric;
}

function picture(status) {
  for (const { name, instances } of status.services) {
    const up = instances.filter((instance) => instance.state === "UP").length;
    const state = !instances.length ? "bad" : up === instances.length ? "ok" : "warn";
    if ($(`[data-node="${name}"]`)) node(name, state, instances.length ? t("flow.instances", { n: instances.length }) : t("flow.none"));
  }
  const [orders, decisions] = status.topics;
  if (status.registry.frozen && !(orders && orders.records !== null)) node("kafka", "bad", t("flow.kafka.bad"));
  else node("kafka", orders && orders.records !== null ? "ok" : "warn",
    t("flow.kafka", { orders: orders?.records ?? "\u2013", decisions: decisions?.records ?? "\u2013" }));

  const healthy = status.connect.filter((worker) => worker.healthy);
  const connectors = healthy.flatMap((worker) => worker.connectors);
  const states = connectors.flatMap((connector) => [...connector.tasks.map((task) => task.state)]);
  const running = states.filter((state) => state === "RUNNING").length;
  const failed = [...states, ...connectors.map((connector) => connector.state)].filter((state) => state === "FAILED").length;
  if (!healthy.length) node("connect", "bad", t("flow.connect.none"));
  else if (failed) node("connect", "bad", t("flow.tasks.failed", { n: failed }));
  else if (!states.length) node("connect", "warn", t("flow.connect.idle"));
  else node("connect", running === states.length ? "ok" : "warn", t("flow.tasks", { n: running }));
}

// --- keeping it fresh --------------------------------------------------------------------------------------------

const REFRESH_MS = 2000;
const STALE_MS = 10000;
let latest = null;      // the last status
let changedAt = 0;      // when it last was a new one, by this clock

function show(status) {
  const names = Object.fromEntries(status.products.map((product) => [product.productId, product.name]));
  picture(status);
  draw("orders", { orders: status.lastOrders, problem: status.problems.lastOrders, names }, ordersPart);
  draw("products", { products: status.products, problem: status.problems.products }, productsPart);
  draw("services", status.services, servicesPart);
  draw("topics", status.topics, topicsPart);
  draw("connect", status.connect, connectPart);
  draw("product-ids", status.products, (products) =>
    products.map((product) => h("option", { value: product.productId }, product.name ?? "")));
  const frozen = $("#frozen");
  frozen.hidden = !status.registry.frozen;
  const notice = status.registry.frozen
    ? t("frozen", { time: time(status.registry.since), reason: status.registry.reason ?? t("frozen.unknown") }) : "";
  if (frozen.textContent !== notice) frozen.textContent = notice;
  hint();
}

function live(state) {
  $("#live").dataset.state = state;
  document.body.classList.toggle("stale-data", state === "stale" || state === "offline");
  const text = state === "offline" && !latest ? t("live.never") : t("live." + state, { time: latest ? time(latest.generatedAt) : "" });
  if ($("#live-text").textContent !== text) $("#live-text").textContent = text;
}

async function refresh() {
  try {
    const answer = await fetch("/status.json", { cache: "no-store", signal: AbortSignal.timeout(5000) });
    if (!answer.ok) throw new Error(String(answer.status));
    const status = await answer.json();
    if (!latest || status.generatedAt !== latest.generatedAt) changedAt = performance.now();
    latest = status;
    show(status);
    live(performance.now() - changedAt > STALE_MS ? "stale" : "live");
  } catch {
    live("offline");
  }
  // A page that nobody sees need not ask.
  if (!document.hidden) timer = setTimeout(refresh, REFRESH_MS);
}

let timer;
document.addEventListener("visibilitychange", () => {
  clearTimeout(timer);
  if (!document.hidden) refresh();
});

// --- placing an order --------------------------------------------------------------------------------------------

const form = $("#place");
let attempt = null;     // { content, key }: the same content is sent with the same key until it is accepted

function newKey() {
  // crypto.randomUUID is missing where the page is not served from localhost or over TLS.
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

function result(state, ...content) {
  const element = $("#result");
  element.dataset.state = state;
  element.replaceChildren(...content);
}

function hint() {
  if ($("#result").dataset.state !== "idle") return;
  const product = latest?.products.find((product) => String(product.productId) === form.productId.value.trim());
  const text = product ? t("place.hint", { name: product.name, qty: product.qty }) : "";
  if ($("#result").textContent !== text) $("#result").textContent = text;
}

function mark(field) {
  for (const input of form.querySelectorAll("input")) input.removeAttribute("aria-invalid");
  const input = field && form.elements.namedItem(field);
  if (input) {
    input.setAttribute("aria-invalid", "true");
    input.focus();
  }
}

/** The order in the form, or the first field that holds none. */
function read() {
  const userId = form.userId.value.trim();
  if (!userId) return { field: "userId", rule: t("rule.required") };
  const order = {};
  for (const [field, min] of [["productId", 1], ["qty", 1], ["unitPrice", 0]]) {
    const value = Number(form.elements.namedItem(field).value.trim() || NaN);
    if (!Number.isSafeInteger(value) || value < min) return { field, rule: t("rule.integer", { min }) };
    order[field] = value;
  }
  return { userId, order };
}

form.productId.addEventListener("change", () => {
  const product = latest?.products.find((product) => String(product.productId) === form.productId.value.trim());
  if (product) form.unitPrice.value = product.unitPrice;
});
form.addEventListener("input", () => {
  mark(null);
  result("idle");
  hint();
});

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  mark(null);
  const { userId, order, field, rule } = read();
  if (field) {
    mark(field);
    return result("bad", t("place.invalid", { field: t("field." + field), rule }));
  }
  const content = JSON.stringify([userId, order]);
  if (attempt?.content !== content) attempt = { content, key: newKey() };
  const button = form.querySelector("button");
  button.disabled = true;
  result("busy", t("place.sending"));
  try {
    const answer = await fetch(`/order-service/users/${encodeURIComponent(userId)}/orders`, {
      method: "POST",
      headers: { "content-type": "application/json", "idempotency-key": attempt.key },
      body: JSON.stringify(order),
    });
    const document = await answer.json().catch(() => ({}));
    if (answer.ok) {
      attempt = null;
      await follow(document);
    } else {
      mark(document.field);
      const detail = document.detail ?? document.title ?? String(answer.status);
      const sentence = /[.!?]$/.test(detail) ? detail : detail + ".";
      result("bad", answer.status >= 500 ? t("place.retry", { detail: sentence }) : detail);
    }
  } catch {
    result("bad", t("place.retry", { detail: t("place.unreachable") }));
  } finally {
    button.disabled = false;
  }
});

/** Shows the order, and for some seconds what becomes of it. */
async function follow(order) {
  const line = (order) => {
    const link = h("a", { href: "/order-service/orders/" + encodeURIComponent(order.orderId), title: order.orderId }, shortId(order.orderId));
    const [before, after] = t("place.placed", { id: "\u0000", status: "" }).split("\u0000");
    result("ok", before, link, after, pill(order.status), order.reason ? " " + order.reason : "");
  };
  line(order);
  const mine = $("#result").firstChild;
  (async () => {
    for (let tries = 0; tries < 10; tries++) {
      await new Promise((resolve) => setTimeout(resolve, 1000));
      // Another order, or another input, has taken the place meanwhile.
      if (!mine.isConnected) return;
      const answer = await fetch("/order-service/orders/" + encodeURIComponent(order.orderId)).catch(() => null);
      const now = answer?.ok ? await answer.json().catch(() => null) : null;
      if (!mine.isConnected) return;
      if (now && now.status !== "PLACED") return line(now);
    }
  })();
}

// --- start -------------------------------------------------------------------------------------------------------

document.documentElement.lang = LANGUAGE;
for (const element of document.querySelectorAll("[data-t]")) element.textContent = t(element.dataset.t);
document.title = t("title");
live("waiting");
refresh();
