// The sentences for everything that keeps the page from showing a result.

const RAN = ["success", "failed", "up_for_retry"];
const UNFINISHED = ["running", "queued", "scheduled", "deferred", "restarting", "up_for_reschedule"];

export function problemOf(status, where, taskStatus, state) {
  switch (status) {
    case "no task":
      return {
        title: "No task",
        text:
          "The address of this page names no task. Open the report in Airflow: select the task, and follow the link " +
          "“Report” under Details.",
      };
    case "custom backend":
      return {
        title: "The result is stored elsewhere",
        text:
          "Airflow stores XComs in a custom XCom backend, so its API returns only a reference to the result. The " +
          "task's log has the counts and the failed rows.",
      };
    case "unreadable":
      return {
        title: "The result cannot be shown",
        text: "The page failed while it read the task's result. The task's log has the counts and the failed rows.",
      };
    case 401:
      return {
        title: "Not signed in",
        text: "You are not signed in to Airflow, or your session has expired. Sign in, and reload this page.",
        signIn: true,
      };
    case 403:
      return {
        title: "No permission",
        text: `Your Airflow user may not read the XComs of DAG ${where.dag}. Ask an administrator of Airflow for it.`,
      };
    case 404:
      return missing(where, taskStatus, state);
    case 0:
      return { title: "No answer", text: "Airflow's API does not answer. Check your connection, and reload this page." };
    case -1:
      return { title: "Unexpected answer", text: "Airflow's API returned no JSON. A proxy may have answered instead." };
    default:
      return { title: "Airflow's API failed", text: `Airflow's API answered with status ${status}. Reload this page.` };
  }
}

function missing(where, taskStatus, state) {
  if (taskStatus === 404) {
    return {
      title: "No such task",
      text: `DAG ${where.dag} has no task ${where.task} in the run ${where.run}. The run may have been deleted.`,
    };
  }
  if (UNFINISHED.includes(state)) {
    return { title: "No result yet", text: `The task is ${words(state)}. Reload this page when it has ended.` };
  }
  const was = state ? `The task's state is “${words(state)}”. ` : "";
  const waits = RAN.includes(state) ? "" : "it has not run yet, ";
  return {
    title: "No result",
    text:
      `${was}The task has no result: ${waits}it failed before its first row, it was killed, or its XComs were ` +
      "deleted. The task's log has the reason.",
  };
}

function words(state) {
  return state.replaceAll("_", " ");
}
