// Reads the task from the URL, its result from Airflow's REST API with the reader's own session, and shows it.
// All values are set as text, never as HTML.

import { problemOf } from "./problems.js";
import { showFailures } from "./table.js";
import { advice, count, facts, failuresOf, label, outcomesOf, snippet, verdict } from "./words.js";

const page = (selector) => document.querySelector(selector);
// The page is <base>/retell/report, whatever path the base has.
const base = new URL("../", location.href).pathname;
// Airflow shows tabs in a frame that cannot open windows.
const framed = window.top !== window;

function taskOf(search) {
  const values = {};
  for (const part of search.replace(/^\?/, "").split("&")) {
    const [name, ...rest] = part.split("=");
    const text = rest.join("=");
    // Unlike URLSearchParams, keep the plus sign that is in run ids.
    try {
      values[name] = decodeURIComponent(text);
    } catch {
      values[name] = text;
    }
  }
  // Airflow keeps the placeholder of a task that is not mapped.
  const index = /^\d+$/.test(values.map_index ?? "") ? Number(values.map_index) : -1;
  return { dag: values.dag_id, run: values.run_id, task: values.task_id, index };
}

async function read(path) {
  let response;
  try {
    response = await fetch(base + "api/v2/" + path, {
      credentials: "same-origin",
      cache: "no-store",
      headers: { Accept: "application/json" },
    });
  } catch {
    return { status: 0 };
  }
  if (!response.ok) return { status: response.status };
  try {
    return { status: 200, body: await response.json() };
  } catch {
    return { status: -1 };
  }
}

function valueOf(answer) {
  let value = answer.body?.value;
  if (typeof value === "string") {
    try {
      value = JSON.parse(value);
    } catch {
      return undefined;
    }
  }
  return value;
}

function element(name, text, options = {}) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  return Object.assign(made, options);
}

async function copy(button, text) {
  let done = true;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Browsers have no clipboard on pages without TLS.
    const area = element("textarea", undefined, { value: text, className: "offscreen" });
    document.body.append(area);
    area.select();
    done = document.execCommand("copy");
    area.remove();
  }
  const before = button.dataset.label ?? button.textContent;
  button.dataset.label = before;
  button.textContent = done ? "Copied" : "Copying failed";
  setTimeout(() => (button.textContent = before), 2000);
}

function showTask(where) {
  const line = page("#task");
  const path = [where.dag, "runs", where.run, "tasks", where.task].map(encodeURIComponent).join("/");
  const mapped = where.index < 0 ? "" : `/mapped/${where.index}`;
  const name = where.index < 0 ? where.task : `${where.task} [${where.index}]`;
  if (framed) line.append(element("strong", name));
  else line.append(element("a", name, { href: `${base}dags/${path}${mapped}` }));
  line.append(` of DAG ${where.dag}, run ${where.run}`);
}

function showProblem(problem) {
  const box = page("#message");
  box.querySelector("h2").textContent = problem.title;
  box.querySelector("p").textContent = problem.text;
  if (problem.signIn && !framed) box.append(element("a", "Sign in to Airflow", { href: base }));
  document.title = `${problem.title} – Retell report`;
}

function showOutcomes(outcomes, rows) {
  const bar = page("#bar");
  const list = page("#outcomes");
  const some = outcomes.filter((each) => each.count > 0);
  bar.setAttribute("aria-label", some.map((each) => `${count(each.count)} ${label(each.name)}`).join(", "));
  for (const each of some) {
    const part = element("span", undefined, { className: `part ${each.kind}` });
    part.style.flexGrow = each.count;
    bar.append(part);
    const item = element("li");
    item.append(element("span", undefined, { className: `dot ${each.kind}` }));
    item.append(element("strong", count(each.count)), ` ${label(each.name)}`);
    if (rows) item.append(element("small", ` ${share(each.count / rows)}`));
    list.append(item);
  }
  bar.hidden = !some.length;
}

function share(ratio) {
  if (ratio > 0 && ratio < 0.001) return "< 0.1 %";
  return `${Number((ratio * 100).toFixed(1))} %`;
}

function showResult(where, manifest, failures, task) {
  const outcomes = outcomesOf(manifest);
  const said = verdict(manifest, outcomes, failures, task);
  page("#verdict").className = said.kind;
  page("#verdict h2").textContent = said.title;
  page("#verdict p").textContent = said.text;
  document.title = `${said.title} – Retell report`;
  showOutcomes(outcomes, manifest.rows);
  for (const [name, value] of facts(manifest)) {
    const group = element("div");
    group.append(element("dt", name), element("dd", value));
    page("#facts").append(group);
  }
  for (const [subject, text] of advice(manifest, outcomes, failures, task)) {
    const item = element("li");
    item.append(element("strong", subject), ` ${text}`);
    page("#next ul").append(item);
  }
  const code = snippet(manifest, failures, where, task);
  page("#snippet").hidden = !code;
  page("#snippet code").textContent = code;
  page("#snippet .copy").addEventListener("click", (event) => copy(event.currentTarget, code));
  page("#next").hidden = !page("#next li");
  showFailures(failures, manifest, { copy, element, framed });
  page("#message").hidden = true;
  page("#result").hidden = false;
}

async function main() {
  // The theme that the reader has chosen in Airflow.
  const theme = localStorage.getItem("theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  const where = taskOf(location.search);
  if (!where.dag || !where.run || !where.task) return showProblem(problemOf("no task"));
  showTask(where);
  const [dag, run, id] = [where.dag, where.run, where.task].map(encodeURIComponent);
  const path = `dags/${dag}/dagRuns/${run}/taskInstances/${id}`;
  const [manifest, failures, task] = await Promise.all([
    read(`${path}/xcomEntries/manifest?map_index=${where.index}`),
    read(`${path}/xcomEntries/failures?map_index=${where.index}`),
    read(where.index < 0 ? path : `${path}/${where.index}`),
  ]);
  const state = task.body?.state;
  if (manifest.status !== 200) return showProblem(problemOf(manifest.status, where, task.status, state));
  const value = valueOf(manifest);
  if (typeof value !== "object" || value === null || !Number.isInteger(value.rows)) {
    return showProblem(problemOf("custom backend"));
  }
  showResult(where, value, failuresOf(valueOf(failures)), task.body ?? {});
}

main().catch(() => showProblem(problemOf("unreadable")));
