// The page as a host: a model without a kernel for each recording, and one shared worker that runs the simulator.
// Classic script, so that it works from file:// too. Needs window.kubeminiWidgets (the widgets, as classic scripts)
// and window.kubeminiBuild {live, version, pyodide, size}, written into the page by the book's build.
(() => {
  "use strict";
  const BASE = new URL("./", document.currentScript.src).href;
  const BUILD = window.kubeminiBuild || { live: false };
  const hang = () => window.kubeminiHang || 20000; // ms without an answer after which a simulation counts as running away

  /** What anywidget's models offer, as far as the widgets use it. */
  class Model {
    constructor(state) {
      this.state = state;
      this.heard = {};
      this.onsend = () => {};
    }
    get(key) {
      return this.state[key];
    }
    set(key, value) {
      if (this.state[key] !== value) {
        this.state[key] = value;
        this.tell("change:" + key);
      }
    }
    save_changes() {}
    on(what, f) {
      (this.heard[what] ||= new Set()).add(f);
    }
    off(what, f) {
      if (this.heard[what]) this.heard[what].delete(f);
    }
    tell(what, ...args) {
      for (const f of [...(this.heard[what] || [])]) f(...args);
    }
    message(content) {
      this.tell("msg:custom", content, []);
    }
    send(content) {
      this.onsend(content);
    }
  }

  const addScript = (src) =>
    new Promise((done, failed) => {
      const e = Object.assign(document.createElement("script"), {
        src,
        onload: done,
        onerror: () => failed(new Error("cannot load " + src.split("/").pop())),
      });
      document.head.append(e);
    });

  /** One worker a page; calls are answered by their number. */
  class Simulator {
    constructor() {
      this.calls = new Map();
      this.number = 0;
      this.ready = null;
      this.worker = null;
    }
    start(status) {
      this.ready ||= this.boot(status).catch((error) => {
        this.stop();
        throw error;
      });
      return this.ready;
    }
    async boot(status) {
      const disk = location.protocol === "file:";
      status(disk ? "Loading Python from disk…" : `Loading Python, ${BUILD.size}, once…`);
      const init = disk ? await this.fromDisk() : this.fromSite();
      await new Promise((done, failed) => {
        this.worker.onerror = (e) => failed(new Error(e.message || "the worker did not start"));
        this.worker.onmessage = ({ data }) => {
          if (data.op === "progress") status(data.text);
          else if (data.op === "ready") done();
          else if (data.op === "failed") failed(new Error(data.error));
          else this.answer(data);
        };
        this.worker.postMessage(init);
      });
    }
    fromSite() {
      this.worker = new Worker(`${BASE}worker.js?v=${BUILD.version}`, { type: "module" });
      return {
        op: "init",
        pyodide: `${BASE}${BUILD.pyodide}/`,
        zip: `${BASE}kubemini.zip?v=${BUILD.version}`,
      };
    }
    /** Browsers let a page from disk read nothing: the bundle is a script, the worker a data: URL. */
    async fromDisk() {
      if (!window.kubeminiBundle) await addScript(`${BASE}pyodide-bundle.js?v=${BUILD.version}`);
      this.worker = new Worker("data:text/javascript;base64," + window.kubeminiBundle.worker, {
        type: "module",
      });
      return { op: "init", files: window.kubeminiBundle.files };
    }
    answer({ key, json, error }) {
      const done = this.calls.get(key);
      this.calls.delete(key);
      if (done) done(json ? JSON.parse(json) : { op: "error", error });
    }
    stop(why = "The simulator was stopped.") {
      if (this.worker) this.worker.terminate();
      this.worker = this.ready = null;
      for (const done of this.calls.values()) done({ op: "error", error: why });
      this.calls.clear();
      for (const model of models) model.set("kernel", "recording");
    }
    call(message) {
      if (!this.worker)
        return Promise.resolve({ op: "error", error: "The simulator is not running." });
      const key = ++this.number;
      return new Promise((done) => {
        const watchdog = setTimeout(
          () =>
            this.stop(
              `The simulation gave no answer for ${hang() / 1000} seconds and was stopped: it may be running away.`,
            ),
          hang(),
        );
        this.calls.set(key, (answer) => {
          clearTimeout(watchdog);
          done(answer);
        });
        this.worker.postMessage({ op: "call", key, json: JSON.stringify(message) });
      });
    }
  }
  const ASKS = ["simulate", "elections", "request", "stopwatch", "lanes", "placement"]; // questions of widgets
  const models = [],
    simulator = new Simulator();

  async function golive(model) {
    try {
      await simulator.start((text) => model.message({ op: "status", text }));
      model.set("kernel", "pyodide");
      return true;
    } catch (error) {
      model.message({
        op: "error",
        error: `The simulator could not start here: ${error.message}.`,
      });
      return false;
    }
  }
  async function simulate(model, message) {
    const answer = await simulator.call(message);
    if (answer.run) model.set("run", answer.run);
    model.message({ ...answer, run: undefined });
  }

  /** A link: #id;t=12.50;seed=7;until=90;c=14.2,crash,etcd-1 with a "," inside an argument written as "+". */
  function linked(id) {
    const [name, ...parts] = location.hash.slice(1).split(";");
    if (decodeURIComponent(name) !== id) return null;
    const link = { commands: [] };
    for (const part of parts) {
      const [key, value] = [part.slice(0, part.indexOf("=")), part.slice(part.indexOf("=") + 1)];
      if (key === "c") {
        const [at, ...rest] = value
          .split(",")
          .map((x) => decodeURIComponent(x.replace(/\+/g, "%2C")));
        link.commands.push([+at, ...rest]);
      } else if (key === "p")
        (link.params ||= {})[value.slice(0, value.indexOf(","))] = JSON.parse(
          decodeURIComponent(value.slice(value.indexOf(",") + 1)),
        );
      else if (["t", "seed", "until"].includes(key) && Number.isFinite(+value)) link[key] = +value;
    }
    return link;
  }
  /** Show the moment of a link; what the recording does not hold is simulated again. */
  async function follow(model, link) {
    const header = model.get("run").header,
      seed = link.seed ?? header.seed;
    const same =
      seed === header.seed &&
      JSON.stringify(link.params) === JSON.stringify(header.params) &&
      JSON.stringify(link.commands) === JSON.stringify(header.commands || []);
    if (same) return;
    if (!BUILD.live)
      return model.message({
        op: "status",
        text: "This link shows a run that has to be simulated; this copy of the book plays recordings only.",
      });
    const until = link.until || header.until / 1e6,
      spec = {
        scenario: header.source || header.scenario,
        seed,
        commands: link.commands,
        until,
        params: link.params,
      };
    if (await golive(model)) {
      const picture = model.get("widget");
      await simulate(model, { op: "simulate", id: 0, spec, picture });
    }
  }

  const unique = (wish) => {
    let id = wish,
      n = 1;
    while (document.getElementById(id)) id = `${wish}-${++n}`;
    return id;
  };

  function mount(div) {
    const { render } = (window.kubeminiWidgets || {})[div.dataset.kubemini] || {};
    if (!render) return; // its script did not arrive: guard.js says so
    const state = JSON.parse(div.querySelector('script[type="application/json"]').textContent),
      header = state.run.header;
    div.id = unique((state.options || {}).id || header.scenario || "widget");
    const link = linked(div.id),
      options = {
        ...state.options,
        id: div.id,
        live: BUILD.live && header.scenario != null,
        size: BUILD.size,
      };
    if (link && link.t != null) options.t0 = link.t;
    const model = new Model({ ...state, options, kernel: "recording" });
    model.onsend = (m) => {
      if (m.op === "golive") golive(model);
      else if (ASKS.includes(m.op)) simulate(model, m);
      else if (m.op === "link") history.replaceState(null, "", m.hash);
    };
    models.push(model);
    render({ model, el: div });
    div.dataset.kmMounted = "";
    if (link) {
      div.scrollIntoView({ block: "center" });
      follow(model, link);
    }
  }
  function start() {
    for (const div of document.querySelectorAll("[data-kubemini]:not([data-km-mounted])"))
      try {
        mount(div);
      } catch (error) {
        div
          .querySelector("pre")
          .prepend(
            `This widget cannot be shown (${error.message}); here is its recording as text.\n\n`,
          );
      }
  }
  window.kubemini = { simulator, models };
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
