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
const TOLERABLE = ["not_ended", "not_found"];

// The states of a task that will run again, although it has a result.
const UNFINISHED = ["queued", "scheduled", "deferred", "restarting", "up_for_reschedule"];

// The reason of a duplicate ends with the number of the earlier row. All duplicates have this reason in common.
export function commonReason(reason) {
  return reason.replace(/^(an earlier row has the same [^:]*): row \d+$/, "$1");
}

// The manifest shows what the task does. A subclass of an operator has a name of its own.
function jobOf(manifest, failures, task) {
  if (Array.isArray(manifest.imports)) return "import";
  if ("deleted" in manifest) return "deletion";
  if ("created" in manifest) return "sync";
  if ("archived" in manifest) return "archive";
  const isChat = failures?.some((each) => "chat_id" in each) || /Chat/.test(task.operator_name);
  return isChat ? "chats" : "calls";
}

function isDry(manifest) {
  return Object.keys(manifest).some((name) => name.startsWith("would_"));
}

function isStopped(manifest) {
  return manifest.complete === false;
}

// The operators of contacts reject FailedRows. A new run of an archive skips the files that are there. A dry run has
// sent nothing, so its other rows are not done.
function takesFailedRows(manifest, job) {
  return ["calls", "chats"].includes(job) && !isDry(manifest);
}

const NEXT_RUN = {
  calls: "it compares all rows again, and sends what is missing.",
  chats: "it compares all rows again, and sends what is missing.",
  sync: "it compares all rows again, and sends what is missing.",
  deletion:
    "it deletes the contacts that are left. With missing_ok=False, the rows of those that it has deleted then count " +
    "as not found.",
  import: 'it compares all rows again. It starts no import again, unless on_clear is "resend".',
  archive: "it copies only the missing files.",
};

function nextRun(manifest, job) {
  return isDry(manifest) ? "it compares all rows again." : NEXT_RUN[job];
}

function adviceFor(outcome, manifest, job) {
  const noun = { calls: "call", archive: "call", chats: "chat" }[job] ?? "contact";
  // After a stop, the next run is an item of its own.
  const fix = isStopped(manifest)
    ? ""
    : ` Fix it unless it was temporary, then clear the task: ${nextRun(manifest, job)}`;
  // A task starts each import once.
  const isImported = job === "import" && manifest.imports.length > 0;
  switch (outcome) {
    case "failed":
      if (isImported) {
        return (
          "Each row's reason names the cause. Run SyncContactsOperator with the same rows: it sends the remaining " +
          "differences, with Retell's reason for each row that fails."
        );
      }
      return `Each row's reason names the cause.${fix}`;
    case "not_ended":
      return (
        `The ${noun}s have not ended. Clear the task after they have ended. If such rows are normal, set ` +
        'tolerate=["not_ended"].'
      );
    case "invalid":
      return isImported
        ? "Each row's reason names the mistake. Correct it, and run SyncContactsOperator with all rows, because a " +
            "task starts each import once."
        : "Each row's reason names the mistake. Correct it, and clear the task.";
    case "conflict":
      return job === "deletion"
        ? "The contacts are marked as do-not-call, and the marks would be deleted with them. Check the rows. Each " +
            "row's reason names the parameter that allows it."
        : "The storage setting can only be made stricter. Remove the setting from these rows or from the task, and " +
            "clear the task.";
    case "not_found":
      switch (job) {
        case "sync":
          return (
            "These contacts were deleted during the run. To create them again, clear the task. Otherwise, remove the " +
            "rows."
          );
        case "import":
          return (
            "These contacts were deleted during the run. To create them again, run SyncContactsOperator with the " +
            "same rows."
          );
        case "deletion":
          return (
            "The organization of the API key has no such contact, or an earlier try has deleted it. Check the phone " +
            "numbers and the connection. If such rows are normal, set missing_ok=True."
          );
        default:
          return (
            `The organization of the API key has no such ${noun}. Check the ${noun} ids and the connection. If such ` +
            'rows are normal, set tolerate=["not_found"].'
          );
      }
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

// Returns the failed rows, or null if Airflow has returned no list.
export function failuresOf(value) {
  return Array.isArray(value) ? value.filter((each) => typeof each === "object" && each !== null) : null;
}

// Returns the outcomes that count as failed, and those that the task tolerates.
function badOutcomes(manifest, outcomes, failures) {
  const bad = outcomes.filter((each) => each.count > 0 && FAILURES.includes(each.name));
  const sum = (some) => some.reduce((total, each) => total + each.count, 0);
  const seen = new Set((failures ?? []).map((each) => each.outcome));
  const tolerable = bad.filter((each) => TOLERABLE.includes(each.name) && !seen.has(each.name));
  const choices = [[], ...tolerable.map((each) => [each]), ...(tolerable.length > 1 ? [tolerable] : [])];
  const fitting = choices.filter((some) => sum(bad) - sum(some) === (manifest.failed_rows ?? 0));
  const tolerated = fitting.length === 1 ? fitting[0] : [];
  return { counting: bad.filter((each) => !tolerated.includes(each)), tolerated };
}

function listed(outcomes) {
  return outcomes.map((each) => `${count(each.count)} ${label(each.name)}`).join(", ");
}

// The task ends or runs again after this result.
function outlook(state) {
  if (state === "up_for_retry") return "Airflow will run the task again.";
  if (state === "running") return "The task is running. Reload this page when it has ended.";
  if (state === null || UNFINISHED.includes(state)) {
    return "This is the result of an earlier try. The task will run again.";
  }
  return "";
}

function stoppedTitle(rows, failed) {
  if (!rows) return "The run stopped before any row had a result";
  const after = `The run stopped after ${rowsOf(rows)}`;
  if (!failed) return after;
  return rows === 1 ? `${after}, which failed` : `${after}; ${count(failed)} of them failed`;
}

export function verdict(manifest, outcomes, failures, task) {
  const failed = manifest.failed_rows ?? 0;
  const planned = outcomes.filter((each) => each.name.startsWith("would_"));
  const dry = isDry(manifest);
  const done = listed(outcomes.filter((each) => each.count > 0 && !FAILURES.includes(each.name)));
  const { tolerated } = badOutcomes(manifest, outcomes, failures);
  const prefix = dry ? "Dry run: " : "";
  const rest = [
    done && `${done[0].toUpperCase()}${done.slice(1)}.`,
    dry && "Nothing was sent to Retell.",
    tolerated.length > 0 && `The task tolerates ${listed(tolerated)}.`,
  ];
  const say = (kind, title, ...more) => ({
    kind,
    title: `${prefix}${title}`,
    text: [...rest, ...more, outlook(task.state)].filter(Boolean).join(" "),
  });
  const hasFailed = task.state === "failed" || task.state === "up_for_retry";
  if (isStopped(manifest)) {
    return say(
      "error",
      stoppedTitle(manifest.rows, failed),
      manifest.rows > 0 && !failed && "None of these rows failed.",
      "The rest of the source has no result.",
      manifest.imports?.length > 0 &&
        "The task has started an import, so contacts of rows without a result may have changed.",
      "The task's log has the reason why the run stopped.",
    );
  }
  if (failed) {
    const within =
      task.state === "success" && "The task's limits allow so many failed rows, or a user has marked it as success.";
    return say(within ? "warning" : "error", `${count(failed)} of ${rowsOf(manifest.rows)} failed`, within);
  }
  if (!manifest.rows) {
    return hasFailed
      ? say("error", "No rows", "There was no row to process. The task's log has the reason why the task failed.")
      : say("warning", "No rows", "There was no row to process, so this try changed nothing.");
  }
  if (hasFailed) {
    return say("error", "No row failed, but the task did", "The task's log has the reason.");
  }
  if (tolerated.length) return say("success", "No row failed");
  if (dry) {
    const changes = planned.reduce((sum, each) => sum + each.count, 0);
    return say("success", `${count(changes)} of ${rowsOf(manifest.rows)} would be sent`);
  }
  return say("success", `All ${rowsOf(manifest.rows)} succeeded`);
}

// A retry sends only what is missing, so its own counts are not those of the whole task.
function allTries(run) {
  if (!(run?.tries > 1)) return [];
  return [[`All ${count(run.tries)} tries`, listed(outcomesOf(run).filter((each) => each.count > 0))]];
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
    ["Rows", `${count(manifest.rows)}${isStopped(manifest) ? " (not all of the source)" : ""}`],
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
  const job = jobOf(manifest, failures, task);
  const items = badOutcomes(manifest, outcomes, failures).counting.map((each) => [
    `${count(each.count)} ${label(each.name)}:`,
    adviceFor(each.name, manifest, job),
  ]);
  if (isStopped(manifest)) {
    const next = `Fix the cause unless it was temporary, then clear the task: ${nextRun(manifest, job)}`;
    items.push(["Run stopped:", `The task's log has the reason. ${next}`]);
  } else if (!manifest.failed_rows && (task.state === "failed" || task.state === "up_for_retry")) {
    items.push(["Task failed:", "The task's log has the reason. Fix the cause, then clear the task."]);
  }
  if (outcomes.some((each) => each.name.startsWith("would_") && each.count > 0)) {
    items.push(["Dry run:", "To send these changes, run the task without dry_run."]);
  }
  if (manifest.failed_rows && !manifest.report) {
    const use = takesFailedRows(manifest, job) ? ", and to repeat only the failed rows" : "";
    items.push(["No report:", `Set report_path to keep a line for every row${use}.`]);
  }
  return items;
}

export function snippet(manifest, failures, where, task) {
  const job = jobOf(manifest, failures, task);
  if (!manifest.failed_rows || !manifest.report || !takesFailedRows(manifest, job)) return "";
  const operator = job === "chats" ? "BulkUpdateChatOperator" : "BulkUpdateCallOperator";
  return [
    "from airflow_provider_retell.bulk import FailedRows",
    `from airflow_provider_retell.operators import ${operator}`,
    "",
    `${operator}(`,
    `    task_id=${JSON.stringify(`${where.task.split(".").pop()}_failed_rows`)},`,
    "    rows=FailedRows(",
    `        ...,  # the rows of task ${JSON.stringify(where.task)}`,
    `        report_path=${JSON.stringify(String(manifest.report))},`,
    "        # report_conn_id=..., that of the task, if it has one",
    "    ),",
    `    # the other arguments of task ${JSON.stringify(where.task)}, with another report_path`,
    ")",
  ].join("\n");
}
