// @kubernetes/client-node as it comes: writes, an informer, and a watch that is opened anew.
//
//     node client_node.mjs CONTEXT     with KUBECONFIG set; prints a line for each thing seen
//     node client_node.mjs CONTEXT ask  makes an object for each line that it reads, and prints what its informer hears

import { createInterface } from "node:readline/promises";

import * as k8s from "@kubernetes/client-node";

const config = new k8s.KubeConfig();
config.loadFromDefault();
config.setCurrentContext(process.argv[2]);
const core = config.makeApiClient(k8s.CoreV1Api);
const namespace = "default";
const select = "made=here";

function map(name) {
  return { metadata: { name, labels: { made: "here" } }, data: { k: "v" } };
}

async function seen(informer, verb, act) {
  const heard = new Promise((resolve) => informer.on(verb, resolve));
  await act();
  const object = await heard;
  console.log(verb, object.metadata.name, object.data?.k ?? "");
}

// an object for each line; a server may be gone, then the next try finds another one
async function made() {
  informer.on("add", (object) => console.log("add", object.metadata.name));
  await informer.start();
  for await (const name of createInterface({ input: process.stdin })) {
    while (!(await created(name))) await new Promise((resolve) => setTimeout(resolve, 100));
  }
  process.exit(0);
}

// whether it is there now; one that a lost answer has made is there too
async function created(name) {
  try {
    await core.createNamespacedConfigMap({ namespace, body: map(name) });
    return true;
  } catch (error) {
    return error.code === 409;
  }
}

const list = () => core.listNamespacedConfigMap({ namespace, labelSelector: select });
const informer = k8s.makeInformer(
  config,
  `/api/v1/namespaces/${namespace}/configmaps`,
  list,
  select,
);
informer.on("error", () => setTimeout(() => informer.start(), 100));
if (process.argv[3] === "ask") await made();
await informer.start();
await seen(informer, "add", () =>
  core.createNamespacedConfigMap({ namespace, body: map("by-node") }),
);
await seen(informer, "update", async () => {
  const found = await core.readNamespacedConfigMap({ namespace, name: "by-node" });
  found.data.k = "w";
  await core.replaceNamespacedConfigMap({ namespace, name: "by-node", body: found });
});
await seen(informer, "delete", () =>
  core.deleteNamespacedConfigMap({ namespace, name: "by-node" }),
);
await informer.stop();

const version = await config.makeApiClient(k8s.VersionApi).getCode();
console.log("version", version.gitVersion);
try {
  await core.readNamespacedConfigMap({ namespace, name: "nobody" });
} catch (error) {
  console.log("refused", error.code);
}
process.exit(0);
