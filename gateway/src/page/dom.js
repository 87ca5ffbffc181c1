// Small helpers around the document. Nothing is ever parsed as HTML.

import { formatMoment, formatTime, has, t } from "./language.js";

export const $ = (selector) => document.querySelector(selector);

/** An element; children are elements or texts. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== null) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined).map((child) =>
    child instanceof Node ? child : String(child)));
  return element;
}

/** Sets a text only when it is another one: a screen reader would read it out again. */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

const STATE_CLASS = {
  UP: "ok", CONFIRMED: "ok", RUNNING: "ok", HEALTHY: "ok",
  PLACED: "warn", PAUSED: "warn", STOPPED: "warn", RESTARTING: "warn", ASIDE: "warn", UNASSIGNED: "warn", UNKNOWN: "warn",
  REJECTED: "bad", FAILED: "bad", UNHEALTHY: "bad",
};

/** A state: our own in words, codes of the wire as they are, explained when pointed at. */
export function pill(state) {
  const meaning = has("status." + state) ? t("status." + state) : null;
  return h("span", { class: "pill " + (STATE_CLASS[state] ?? ""), title: meaning }, has("state." + state) ? t("state." + state) : state);
}

export const time = (iso) => h("time", { datetime: iso, title: formatMoment(iso) }, formatTime(iso));

// The end of a UUIDv7 tells orders of the same moment apart, its beginning does not.
const shortId = (id) => "\u2026" + String(id ?? "").slice(-8);

export const orderLink = (id) =>
  h("a", { href: "/order-service/orders/" + encodeURIComponent(id), title: id }, shortId(id));

export const reason = (code) => (has("reason." + code) ? t("reason." + code) : String(code ?? ""));
