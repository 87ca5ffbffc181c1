// The page: draws what /status.json says, every 2 s.

import { $, h, orderLink, pill, reason, say, time } from "./dom.js";
import { formatNumber as number, formatTime, has, start, t } from "./language.js";
import { redrawOrder, setProducts } from "./order.js";

// --- small helpers -----------------------------------------------------------------------------------------------

const empty = (text) => h("p", { class: "empty" }, text);

/** Why a part cannot be shown, in words of the page's language. */
function problemText(problem, who) {
  const key = "problem." + problem.code;
  return has(key) ? t(key, { who, status: String(problem.status ?? ""), detail: problem.detail }) : problem.detail;
}

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
  const element = $("#" + id);
  const focused = element.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
  element.replaceChildren(...[build(data)].flat());
  if (focused) element.querySelector(`[href="${CSS.escape(focused)}"]`)?.focus();
}

// --- the parts ---------------------------------------------------------------------------------------------------

function ordersPart({ orders, problem, names }) {
  if (problem) return empty(problemText(problem, "order-service"));
  if (!orders.length) return empty(t("orders.none"));
  const columns = [["col.time", "time"], ["col.order", "code"], ["col.user"], ["col.product"], ["col.qty", "num"], ["col.total", "num"], ["col.status"]];
  const rows = table(columns, orders.map((order) => [
    time(order.createdAt),
    orderLink(order.orderId),
    order.userId ?? "",
    productName(order.productId, names),
    number(order.qty),
    number(order.totalPrice),
    h("span", {}, pill(order.status ?? "UNKNOWN"), order.reason ? h("span", { class: "small soft", title: order.reason }, " " + reason(order.reason)) : null),
  ]), "cards");
  const meaning = (status) => h("li", {}, pill(status), " " + t("status." + status));
  return [rows, h("ul", { class: "legend" }, ...["PLACED", "CONFIRMED", "REJECTED"].map(meaning))];
}

const productName = (id, names) => (names[id] === undefined ? "#" + id : names[id]);

function productsPart({ products, problem }) {
  if (problem) return empty(problemText(problem, "catalog-service"));
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
    h("div", {}, h("span", { class: "mono" }, topic.name), topicNote(topic)),
    topic.records === null ? "\u2013" : topic.deadLetters && topic.records ? h("span", { class: "pill warn" }, number(topic.records)) : number(topic.records),
  ]));
}

function topicNote({ deadLetters, records, partitions, problem }) {
  const note = (text, kind) => h("div", { class: "small " + kind }, text);
  // A dead-letter topic that was never needed is good news.
  if (deadLetters && (records === 0 || problem?.code === "NO_TOPIC")) return note(t("topics.dead.none"), "soft");
  if (problem) return note(problemText(problem), "soft");
  return deadLetters ? note(t("topics.dead"), "warn") : note(t("topics.partitions", { n: partitions }), "soft");
}

function connectPart(workers) {
  if (!workers.length) return empty(t("connect.none"));
  const trace = (text) => (text ? h("div", { class: "trace" }, text) : null);
  const line = (label, state, problem) => h("div", {}, h("div", { class: "line" }, label, pill(state)), trace(problem));
  return workers.flatMap((worker) => [
    h("p", { class: "name" }, h("span", { class: "mono" }, worker.url.replace("http://", "")), pill(worker.healthy ? "HEALTHY" : "UNHEALTHY")),
    worker.problem ? empty(problemText(worker.problem, t("who.worker"))) : null,
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
  say(element.querySelector("[data-metric]"), metric);
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
  setProducts(status.products);
  const frozen = $("#frozen");
  frozen.hidden = !status.registry.frozen;
  // The reason is the gateway's English and says little more: it is there for who points at the notice.
  frozen.title = status.registry.reason ?? "";
  say(frozen, status.registry.frozen ? t("frozen", { time: formatTime(status.registry.since) }) : "");
}

function live(state) {
  $("#live").dataset.state = state;
  document.body.classList.toggle("stale-data", state === "stale" || state === "offline");
  const text = state === "offline" && !latest ? t("live.never") : t("live." + state, { time: latest ? formatTime(latest.generatedAt) : "" });
  say($("#live-text"), text);
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

// --- start -------------------------------------------------------------------------------------------------------

start(() => {
  drawn.clear();
  if (latest) show(latest);
  live($("#live").dataset.state);
  redrawOrder();
});
live("waiting");
refresh();
