// Runs kubemini in Pyodide under node, from the very archive that the book's pages load.
// Input (stdin, JSON): {rounds, messages: {name: message of session.handle}, digests: [arguments of kubemini.simulate.run]}
// Output (stdout, JSON): {times: {name: [CPU ms of each round]}, digests: [SHA-256 of each trace]}
import { readFileSync } from "node:fs";
import { loadPyodide } from "pyodide";

const request = JSON.parse(readFileSync(0, "utf8"));
const py = await loadPyodide({ env: { PYTHONHASHSEED: "0" } });
const archive = new URL("../../_build/kubemini_static/kubemini/kubemini.zip", import.meta.url);
py.unpackArchive(new Uint8Array(readFileSync(archive)), "zip", { extractDir: "/site" });
py.runPython("import sys, json; sys.path.insert(0, '/site')");
py.runPython(`
from kubemini.simulate import run
from kubemini.session import handle

def click(message):
    return json.dumps(handle(json.loads(message)))

def digest(arguments):
    return run(**json.loads(arguments)).digest()
`);
const click = py.globals.get("click");
const digest = py.globals.get("digest");

const times = {};
for (const [name, message] of Object.entries(request.messages ?? {})) {
  const text = JSON.stringify(message);
  click(text);
  times[name] = Array.from({ length: request.rounds }, () => {
    const before = process.cpuUsage();
    click(text);
    const used = process.cpuUsage(before);
    return (used.user + used.system) / 1000;
  });
}
const digests = (request.digests ?? []).map((a) => digest(JSON.stringify(a)));
process.stdout.write(JSON.stringify({ times, digests }));
