// Which language the page speaks: what its address says (?lang=ko), else what was chosen here before, else the first
// language of the browser that there is a table for.

import { TEXTS } from "./texts.js";

const STORE = "language";
let language = "en";
let plural, number, clock, moment;

function use(code) {
  language = code;
  plural = new Intl.PluralRules(code);
  number = new Intl.NumberFormat(code);
  clock = new Intl.DateTimeFormat(code, { timeStyle: "medium" });
  moment = new Intl.DateTimeFormat(code, { dateStyle: "full", timeStyle: "long" });
}

/** The text of a key; `{name}` is replaced by a value, `n` decides between singular and plural. */
export function t(key, values = {}) {
  let text = TEXTS[language][key] ?? key;
  if (typeof text === "object") text = text[plural.select(values.n)] ?? text.other;
  return text.replace(/\{(\w+)\}/g, (_, name) => formatNumber(values[name]));
}

/** The text of a key around an element that takes the place of `{name}`. */
export function around(key, name, element) {
  const [before, after] = t(key, { [name]: "\u0000" }).split("\u0000");
  return [before, element, after];
}

export const has = (key) => key in TEXTS[language];
export const formatNumber = (value) => (typeof value === "number" ? number.format(value) : String(value ?? ""));

const formatted = (format, iso) => {
  const date = new Date(iso);
  return Number.isNaN(date.getTime()) ? "" : format.format(date);
};
export const formatTime = (iso) => formatted(clock, iso);
export const formatMoment = (iso) => formatted(moment, iso);

function chosen() {
  const asked = new URLSearchParams(location.search).get("lang");
  let remembered = null;
  try {
    remembered = localStorage.getItem(STORE);
  } catch {
    // A browser may refuse to store anything.
  }
  const wishes = [asked, remembered, ...(navigator.languages ?? [navigator.language])];
  const codes = wishes.map((wish) => String(wish ?? "").toLowerCase().split("-")[0]);
  return codes.find((code) => Object.hasOwn(TEXTS, code)) ?? "en";
}

function remember(code) {
  try {
    localStorage.setItem(STORE, code);
  } catch {
    // Then the address remembers alone.
  }
  const address = new URL(location.href);
  address.searchParams.set("lang", code);
  history.replaceState(history.state, "", address);
}

function write() {
  document.documentElement.lang = language;
  document.title = t("title");
  for (const element of document.querySelectorAll("[data-t]")) element.textContent = t(element.dataset.t);
  for (const element of document.querySelectorAll("[data-t-label]")) element.setAttribute("aria-label", t(element.dataset.tLabel));
  for (const button of document.querySelectorAll("[data-language]")) {
    button.setAttribute("aria-pressed", String(button.dataset.language === language));
  }
}

/** Writes the texts of the markup, and again at each change of language; `redraw` does the rest. */
export function start(redraw) {
  use(chosen());
  write();
  for (const button of document.querySelectorAll("[data-language]")) {
    button.addEventListener("click", () => {
      use(button.dataset.language);
      remember(language);
      write();
      redraw();
    });
  }
}
