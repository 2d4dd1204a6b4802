// The table of failed rows: filters, order, copying.

import { commonReason, count, kindOf, label } from "./words.js";

const DASHBOARD = "https://dashboard.retellai.com/call-history?history=";
const MOST_REASONS = 50;
const MOST_ROWS = 200; // in the log and in XCom

export function showFailures(rows, manifest, { copy, element, framed }) {
  const section = document.querySelector("#failures");
  const find = (selector) => section.querySelector(selector);
  const total = manifest.failed_rows ?? rows?.length ?? 0;
  if (!total) {
    section.hidden = true;
    return;
  }
  if (!rows?.length) {
    const log = `The task's log has ${total > MOST_ROWS ? `the first ${MOST_ROWS}` : "them"}.`;
    const others = manifest.report ? " The report has all of them." : "";
    find(".note").textContent = `Airflow returned no list of the failed rows. ${log}${others}`;
    for (const part of [".tools", "#shown", ".scroll"]) find(part).hidden = true;
    return;
  }
  find(".note").textContent = note(rows.length, total, manifest.report, framed);
  // The id of a call, or of another kind of record.
  const idName = Object.keys(rows[0]).find((name) => name.endsWith("_id")) ?? "call_id";
  const fields = ["row", idName, "outcome", "reason", "changed"];
  const kind = idName.replace("_id", "").replaceAll("_", " ");
  const idButton = find("th button[data-key=call_id]");
  idButton.dataset.key = idName;
  idButton.textContent = kind[0].toUpperCase() + kind.slice(1);
  find("#copy-ids").textContent = `Copy ${kind} ids`;
  const order = { key: "row", down: false };
  find("table").classList.toggle("unchanged", !rows.some((row) => text(row.changed)));

  fill(find("#outcome"), rows, (row) => row.outcome, label, element);
  const reasonOf = (row) => commonReason(text(row.reason));
  fill(find("#reason"), rows, reasonOf, (reason) => reason || "no reason", element);

  function chosen() {
    const outcome = find("#outcome").value;
    const reason = find("#reason").value;
    return rows
      .filter((row) => (!outcome || text(row.outcome) === outcome) && (!reason || reasonOf(row) === reason))
      .sort((one, other) => compare(one[order.key], other[order.key]) * (order.down ? -1 : 1));
  }

  function draw() {
    const now = chosen();
    find("tbody").replaceChildren(...now.map((row) => line(row, idName, element, framed)));
    find("#shown").textContent = `${count(now.length)} of ${count(rows.length)} rows shown`;
    for (const button of section.querySelectorAll("th button")) {
      const sorted = button.dataset.key === order.key;
      button.parentElement.setAttribute("aria-sort", sorted ? (order.down ? "descending" : "ascending") : "none");
    }
  }

  for (const select of section.querySelectorAll("select")) select.addEventListener("change", draw);
  for (const button of section.querySelectorAll("th button")) {
    button.addEventListener("click", () => {
      order.down = order.key === button.dataset.key && !order.down;
      order.key = button.dataset.key;
      draw();
    });
  }
  find("#copy-ids").addEventListener("click", (event) => {
    const ids = chosen().map((row) => row[idName]).filter(Boolean);
    copy(event.currentTarget, ids.map((id) => `${id}\n`).join(""));
  });
  find("#copy-csv").addEventListener("click", (event) => {
    const lines = [fields, ...chosen().map((row) => fields.map((name) => text(row[name])))];
    copy(event.currentTarget, lines.map((cells) => `${cells.map(quoted).join(",")}\n`).join(""));
  });
  draw();
}

function note(kept, total, report, framed) {
  const rest = report ? "the report has all of them" : "a task with report_path keeps all of them";
  return [
    kept < total ? `These are the first ${count(kept)} of ${count(total)} failed rows; ${rest}.` : "",
    framed ? "To follow links to calls, open this report with the link “Report” under the task's Details." : "",
  ].join(" ").trim();
}

function text(value) {
  if (Array.isArray(value)) return value.join(", ");
  return value === null || value === undefined ? "" : String(value);
}

function compare(one, other) {
  if (typeof one === "number" && typeof other === "number") return one - other;
  return text(one).localeCompare(text(other), "en");
}

// Quotes a cell. A spreadsheet would run a cell that begins like a formula.
function quoted(value) {
  const safe = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

function fill(select, rows, valueOf, named, element) {
  const counts = new Map();
  for (const row of rows) counts.set(text(valueOf(row)), (counts.get(text(valueOf(row))) ?? 0) + 1);
  const values = [...counts].sort((one, other) => other[1] - one[1]).slice(0, MOST_REASONS);
  const options = values.filter(([value]) => value).map(([value, number]) =>
    element("option", `${named(value)} (${count(number)})`, { value }),
  );
  select.replaceChildren(element("option", "all", { value: "" }), ...options);
}

function line(row, idName, element, framed) {
  const made = element("tr");
  const call = element("td", undefined, { className: "call" });
  const id = text(row[idName]);
  if (id && idName === "call_id" && !framed) {
    const link = element("a", id, { href: DASHBOARD + encodeURIComponent(id), target: "_blank", rel: "noreferrer" });
    link.title = "Open the call in Retell's dashboard";
    call.append(link);
  } else {
    call.textContent = id || "unknown";
  }
  const outcome = element("td");
  outcome.append(element("span", label(text(row.outcome)), { className: `badge ${kindOf(text(row.outcome))}` }));
  made.append(
    element("td", text(row.row), { className: "number" }),
    call,
    outcome,
    element("td", text(row.reason), { className: "reason" }),
    element("td", text(row.changed), { className: "changed" }),
  );
  return made;
}
