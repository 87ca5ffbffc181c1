// The form that places an order, and what becomes of the order.

import { $, h, orderLink, pill, reason, say } from "./dom.js";
import { around, t } from "./language.js";

const form = $("#place");
const box = $("#result");

// order-service's rules for what can be typed here; it checks them (and more) again.
const USER_MAX = 64;
const NUMBERS = [["productId", 1, Number.MAX_SAFE_INTEGER], ["qty", 1, 10000], ["unitPrice", 0, Number.MAX_SAFE_INTEGER]];

const ASK_EVERY_MS = 1000;
const SLOW_AFTER_MS = 15000;
const ASK_SLOWLY_EVERY_MS = 5000;

let products = [];
let attempt = null;     // { content, key }: the same content is sent with the same key until it is accepted
let shown = null;       // builds what the box shows, in the language of the moment

function show(state, build) {
  shown = { state, build };
  box.dataset.state = state;
  box.replaceChildren(...[build()].flat());
}

/** Writes everything again in another language; what was typed stays. */
export function redrawOrder() {
  if (shown) show(shown.state, shown.build);
  hint();
}

export function setProducts(now) {
  products = now;
  hint();
}

const chosenProduct = () => products.find((product) => String(product.productId) === form.productId.value.trim());

function hint() {
  const product = chosenProduct();
  const typed = /^\d+$/.test(form.productId.value.trim());
  say($("#hint"), product ? t("place.hint", { name: product.name, qty: product.qty })
    : products.length && typed ? t("place.unknown") : "");
}

function mark(field) {
  for (const input of form.querySelectorAll("input")) {
    input.removeAttribute("aria-invalid");
    input.removeAttribute("aria-errormessage");
  }
  const input = field && form.elements.namedItem(field);
  if (!input) return;
  input.setAttribute("aria-invalid", "true");
  input.setAttribute("aria-errormessage", "result");
  input.focus();
}

/** The order in the form, or the first field that breaks a rule, with the key of the rule's text. */
function read() {
  const userId = form.userId.value.trim();
  if (!userId) return { field: "userId", rule: "rule.required" };
  if ([...userId].length > USER_MAX) return { field: "userId", rule: "rule.length", max: USER_MAX };
  const order = {};
  for (const [field, min, max] of NUMBERS) {
    const input = form.elements.namedItem(field);
    const text = input.value.trim();
    if (!text && !input.validity.badInput) return { field, rule: "rule.required" };
    const value = Number(text || NaN);
    if (!Number.isSafeInteger(value) || value < min || value > max) {
      return { field, rule: max === Number.MAX_SAFE_INTEGER ? "rule.min" : "rule.range", min, max };
    }
    order[field] = value;
  }
  return { userId, order };
}

function newKey() {
  // crypto.randomUUID is missing where the page is not served from localhost or over TLS.
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

form.productId.addEventListener("input", () => {
  const product = chosenProduct();
  if (product) form.unitPrice.value = product.unitPrice;
});
form.addEventListener("input", () => {
  hint();
  if (shown?.state !== "bad") return;
  // What was wrong is being put right; an order under way stays in sight.
  mark(null);
  show("idle", () => []);
});

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  mark(null);
  const { userId, order, field, rule, min, max } = read();
  if (field) {
    show("bad", () => t(rule, { field: t("field." + field), min, max }));
    return mark(field);
  }
  const content = JSON.stringify([userId, order]);
  if (attempt?.content !== content) attempt = { content, key: newKey() };
  const button = form.querySelector("button");
  button.setAttribute("aria-disabled", "true");
  show("busy", () => t("place.sending"));
  try {
    const answer = await fetch(`/order-service/users/${encodeURIComponent(userId)}/orders`, {
      method: "POST",
      headers: { "content-type": "application/json", "idempotency-key": attempt.key },
      body: JSON.stringify(order),
    });
    const document = await answer.json().catch(() => ({}));
    if (answer.ok) {
      attempt = null;
      follow(document);
    } else {
      refused(answer.status, document);
    }
  } catch {
    show("bad", () => t("place.retry", { detail: t("place.unreachable") }));
  } finally {
    button.removeAttribute("aria-disabled");
  }
});
// A button that is really disabled loses the keyboard's focus.
form.querySelector("button").addEventListener("click", (event) => {
  if (event.currentTarget.getAttribute("aria-disabled") === "true") event.preventDefault();
});

function refused(status, { field, detail, title }) {
  // The services speak English. That the outcome is unknown the page says itself.
  const unknown = status >= 500;
  const words = detail ?? title ?? "";
  const element = () => h("span", { lang: "en", title: words }, unknown || !words ? "HTTP " + status : words);
  show("bad", () => around(unknown ? "place.retry" : "place.refused", "detail", element()));
  mark(field);
}

/** Shows the order's way: accepted, then decided. Asks until it is decided or another order has taken the place. */
async function follow(placed) {
  let order = placed;
  let slow = false;
  const decision = () => {
    if (order.status === "PLACED") return h("li", { "data-state": "wait" }, t(slow ? "way.slow" : "way.waiting"));
    return h("li", { "data-state": order.status === "REJECTED" ? "bad" : "done" }, t("way." + order.status, { reason: reason(order.reason) }));
  };
  const build = () => [
    h("p", { class: "line" }, h("span", {}, ...around("place.order", "id", orderLink(order.orderId))), pill(order.status)),
    h("ol", { class: "way" }, h("li", { "data-state": "done" }, t("way.accepted")), decision()),
  ];
  show("order", build);
  const mine = () => shown?.build === build;
  // Only what changed is replaced, so that only that is read out.
  const update = () => {
    box.querySelector(".way").lastElementChild.replaceWith(decision());
    box.querySelector(".pill").replaceWith(pill(order.status));
  };
  const began = performance.now();
  while (order.status === "PLACED") {
    await new Promise((resolve) => setTimeout(resolve, slow ? ASK_SLOWLY_EVERY_MS : ASK_EVERY_MS));
    if (!mine()) return;
    const answer = await fetch("/order-service/orders/" + encodeURIComponent(order.orderId)).catch(() => null);
    const now = answer?.ok ? await answer.json().catch(() => null) : null;
    if (!mine()) return;
    const late = performance.now() - began > SLOW_AFTER_MS;
    if (now && now.status !== "PLACED") order = now;
    else if (late === slow) continue;
    slow = late;
    update();
  }
}
