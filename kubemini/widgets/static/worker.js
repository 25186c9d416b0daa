// The simulator in the browser: a module worker (Pyodide refuses classic ones) that runs kubemini.session.handle.
// Over http it loads Pyodide from the site; from disk the page hands over everything as gzip in base64, because a page
// from file:// may fetch nothing, and a worker's own blobs are all it may import.
let handle;

const unzip = async (text) => {
  const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  return new Response(
    new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip")),
  ).arrayBuffer();
};

async function fromSite({ pyodide, zip }) {
  const archive = fetch(zip).then((r) => {
    if (!r.ok) throw new Error(`kubemini.zip: HTTP ${r.status}`);
    return r.arrayBuffer();
  });
  const { loadPyodide } = await import(pyodide + "pyodide.mjs");
  return {
    loadPyodide,
    archive,
    options: { indexURL: pyodide, lockFileURL: pyodide + "lock.json" },
  };
}

async function fromDisk({ files }) {
  const here = {},
    nowhere = "https://offline.invalid/"; // a name that no server has: nothing is fetched
  await Promise.all(
    Object.entries(files).map(async ([name, text]) => {
      here[name] = await unzip(text);
    }),
  );
  const script = (name) => URL.createObjectURL(new Blob([here[name]], { type: "text/javascript" }));
  self.fetch = async (url) => {
    const name = String(url.url || url)
      .split("/")
      .pop();
    if (!(name in here)) throw new TypeError("not in the book: " + name);
    return new Response(here[name], {
      headers: {
        "content-type": name.endsWith(".wasm") ? "application/wasm" : "application/octet-stream",
      },
    });
  };
  const { loadPyodide } = await import(script("pyodide.mjs"));
  const createPyodideModule = (await import(script("pyodide.asm.mjs"))).default;
  const lockFileContents = new TextDecoder().decode(here["lock.json"]);
  return {
    loadPyodide,
    archive: here["kubemini.zip"],
    options: { indexURL: nowhere, packageBaseUrl: nowhere, createPyodideModule, lockFileContents },
  };
}

async function init(message) {
  const { loadPyodide, archive, options } = await (message.files
    ? fromDisk(message)
    : fromSite(message));
  postMessage({ op: "progress", text: "Starting Python…" });
  const py = await loadPyodide({ ...options, env: { PYTHONHASHSEED: "0" } });
  postMessage({ op: "progress", text: "Loading the simulator…" });
  py.unpackArchive(await archive, "zip", { extractDir: "/site" });
  py.runPython(`
import json, sys
sys.path.insert(0, "/site")
from kubemini.session import handle

def answer(text):
    return json.dumps(handle(json.loads(text)), separators=(",", ":"))
`);
  handle = py.globals.get("answer");
  postMessage({ op: "ready" });
}

const lastLine = (error) =>
  String((error && error.message) || error)
    .trim()
    .split("\n")
    .pop();

self.onmessage = ({ data }) => {
  if (data.op === "init") {
    init(data).catch((error) => postMessage({ op: "failed", error: lastLine(error) }));
    return;
  }
  try {
    postMessage({ key: data.key, json: handle(data.json) });
  } catch (error) {
    postMessage({ key: data.key, error: `The simulator has a bug: ${lastLine(error)}` });
  }
};
