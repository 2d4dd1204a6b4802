// The result in words: outcomes, verdict, facts and the next steps.

const OUTCOMES = {
  updated: { label: "updated", kind: "done" },
  created: { label: "created", kind: "done" },
  deleted: { label: "deleted", kind: "done" },
  archived: { label: "archived", kind: "done" },
  no_recording: { label: "without a recording", kind: "same" },
  would_update: { label: "would be updated", kind: "planned" },
  would_create: { label: "would be created", kind: "planned" },
  would_delete: { label: "would be deleted", kind: "planned" },
  unchanged: { label: "unchanged", kind: "same" },
  failed: { label: "failed", kind: "bad" },
  invalid: { label: "invalid", kind: "invalid" },
  conflict: { label: "conflict", kind: "conflict" },
  not_found: { label: "not found", kind: "missing" },
  not_ended: { label: "not ended", kind: "early" },
};

const FAILURES = ["failed", "not_ended", "invalid", "conflict", "not_found"];

// The reason of a duplicate ends with the number of the earlier row. All duplicates have this reason in common.
export function commonReason(reason) {
  return reason.replace(/^(an earlier row has the same [^:]*): row \d+$/, "$1");
}

// The operators of contacts have "Contact" in their names, and those of chats "Chat".
function nounOf(task) {
  return /Contact/.test(task.operator_name) ? "contact" : /Chat/.test(task.operator_name) ? "chat" : "call";
}

// The operators of contacts reject FailedRows. A new run of an archive skips the files that are there.
function takesFailedRows(task) {
  return !/Contact|ArchiveRecordings/.test(task.operator_name);
}

function adviceFor(outcome, task) {
  const noun = nounOf(task);
  const isContact = noun === "contact";
  switch (outcome) {
    case "failed":
      // A task starts each import once.
      if (/ImportContacts/.test(task.operator_name)) {
        return "Retell did not import these rows, and does not give the reason. Run SyncContactsOperator with the same rows to get it.";
      }
      return (
        "Retell rejected the request, or the network failed. Clear the task: the second run processes only the rows " +
        "that are missing. If a row fails again, its reason names the mistake."
      );
    case "not_ended":
      return `The ${noun}s are ongoing. Clear the task after they have ended.`;
    case "invalid":
      return "Correct these rows in their source, and clear the task. Each row's reason names the mistake.";
    case "conflict":
      return isContact
        ? "A do-not-call mark would be cleared or deleted. Check the rows. Each row's reason names the parameter that allows it."
        : "The storage setting can only be made stricter. Remove the setting from these rows, and clear the task.";
    case "not_found":
      return isContact
        ? "The organization of the API key has no such contact. Check the phone numbers and the connection."
        : `The organization of the API key has no such ${noun}. Check the ${noun} ids and the connection.` +
            ' If such rows are normal, set tolerate=["not_found"].';
  }
}

export const label = (name) => OUTCOMES[name]?.label ?? name.replaceAll("_", " ");
export const kindOf = (name) => OUTCOMES[name]?.kind ?? "other";
export const count = (number) => number.toLocaleString("en-US");

function rowsOf(number) {
  return `${count(number)} ${number === 1 ? "row" : "rows"}`;
}

export function outcomesOf(manifest) {
  const order = Object.keys(OUTCOMES);
  return Object.keys(manifest)
    .filter((name) => order.includes(name) && Number.isInteger(manifest[name]))
    .sort((one, other) => order.indexOf(one) - order.indexOf(other))
    .map((name) => ({ name, count: manifest[name], kind: kindOf(name) }));
}

export function verdict(manifest, outcomes, task) {
  const failed = manifest.failed_rows ?? 0;
  const planned = outcomes.filter((each) => each.name.startsWith("would_"));
  const dry = planned.length > 0;
  const done = outcomes
    .filter((each) => each.count > 0 && !FAILURES.includes(each.name))
    .map((each) => `${count(each.count)} ${label(each.name)}`)
    .join(", ");
  const prefix = dry ? "Dry run: " : "";
  const rest = [done && `${done[0].toUpperCase()}${done.slice(1)}.`, dry && "Nothing was sent to Retell."];
  const text = (...more) => [...rest, ...more].filter(Boolean).join(" ");
  const again = task.state === "up_for_retry" ? "Airflow will run the task again." : "";
  if (failed) {
    const title = `${prefix}${count(failed)} of ${rowsOf(manifest.rows)} failed`;
    const within = task.state === "success" && "The task succeeded, because its limits allow so many failed rows.";
    return { kind: within ? "warning" : "error", title, text: text(within, again) };
  }
  if (task.state === "failed" || task.state === "up_for_retry") {
    return {
      kind: "error",
      title: `The run stopped after ${rowsOf(manifest.rows)}`,
      text: text("None of these rows failed. The task's log has the reason why the run stopped.", again),
    };
  }
  if (!manifest.rows) {
    return { kind: "warning", title: `${prefix}No rows`, text: "There was no row to process. Nothing was changed." };
  }
  const tolerated = outcomes.filter((each) => each.count > 0 && FAILURES.includes(each.name));
  if (tolerated.length) {
    const names = tolerated.map((each) => `${count(each.count)} ${label(each.name)}`).join(", ");
    return { kind: "success", title: `${prefix}No row failed`, text: text(`The task tolerates ${names}.`) };
  }
  if (dry) {
    const changes = planned.reduce((sum, each) => sum + each.count, 0);
    const title = `${prefix}${count(changes)} of ${rowsOf(manifest.rows)} would be sent`;
    return { kind: "success", title, text: text() };
  }
  return { kind: "success", title: `All ${rowsOf(manifest.rows)} succeeded`, text: text() };
}

// A retry sends only what is missing, so its own counts are not those of the whole task.
function allTries(run) {
  if (!(run?.tries > 1)) return [];
  const parts = outcomesOf(run).filter((each) => each.count > 0);
  return [[`All ${count(run.tries)} tries`, parts.map((each) => `${count(each.count)} ${label(each.name)}`).join(", ")]];
}

function duration(seconds) {
  const whole = Math.round(seconds);
  if (whole < 60) return `${Number(seconds.toPrecision(3))} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  const minutes = Math.round(seconds / 60);
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

export function facts(manifest) {
  const known = (name, text) => (Number.isFinite(manifest[name]) ? [text(manifest[name])] : []);
  return [
    ["Rows", count(manifest.rows)],
    ...known("requests", (number) => ["Requests", count(number)]),
    ...known("seconds", (seconds) => ["Duration", duration(seconds)]),
    ...known("bytes", (bytes) => ["Size", `${(bytes / 1e6).toFixed(1)} MB`]),
    ...(manifest.waited_seconds >= 0.5 ? [["Held back by the quota", duration(manifest.waited_seconds)]] : []),
    ...known("cost_cents", (cents) => ["Cost", `${(cents / 100).toFixed(2)} USD`]),
    ...known("calls_without_cost", (number) => ["Calls without a cost", count(number)]),
    ...allTries(manifest.task_run),
    ["Report", manifest.report || "none (the task has no report_path)"],
  ];
}

export function advice(manifest, outcomes, failures, task) {
  // An outcome that the task tolerates does not count as failed.
  const counting = failures && new Set(failures.map((each) => each.outcome));
  const all = failures && failures.length === manifest.failed_rows;
  const items = outcomes
    .filter((each) => each.count > 0 && FAILURES.includes(each.name) && (!all || counting.has(each.name)))
    .map((each) => [`${count(each.count)} ${label(each.name)}:`, adviceFor(each.name, task)]);
  const stopped = task.state === "failed" || task.state === "up_for_retry";
  if (stopped && !manifest.failed_rows) {
    items.push(["Run stopped:", "Read the task's log, and clear the task. The next run continues with the rows that are missing."]);
  }
  if (outcomes.some((each) => each.name.startsWith("would_") && each.count > 0)) {
    items.push(["Dry run:", "To send these changes, run the task without dry_run."]);
  }
  if (manifest.failed_rows && !manifest.report) {
    const use = takesFailedRows(task) ? ", and to repeat only the failed rows" : "";
    items.push(["No report:", `Set report_path to keep a line for every row${use}.`]);
  }
  return items;
}

export function snippet(manifest, where, task) {
  if (!manifest.failed_rows || !manifest.report || !takesFailedRows(task)) return "";
  const named = /^[A-Za-z]\w*$/.test(task.operator_name ?? "") ? task.operator_name : "BulkUpdateCallOperator";
  return [
    "from airflow_provider_retell.bulk import FailedRows",
    `from airflow_provider_retell.operators import ${named}`,
    "",
    `${named}(`,
    `    task_id=${JSON.stringify(`${where.task.split(".").pop()}_failed_rows`)},`,
    "    rows=FailedRows(",
    `        ...,  # the rows of task ${JSON.stringify(where.task)}`,
    `        report=${JSON.stringify(String(manifest.report))},`,
    "    ),",
    `    # the other arguments of task ${JSON.stringify(where.task)}, with another report_path`,
    ")",
  ].join("\n");
}
