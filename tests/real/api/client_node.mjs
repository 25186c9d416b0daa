// @kubernetes/client-node as it comes: writes, an informer, and a watch that is opened anew.
//
//     node client_node.mjs CONTEXT     with KUBECONFIG set; prints a line for each thing seen

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

const list = () => core.listNamespacedConfigMap({ namespace, labelSelector: select });
const informer = k8s.makeInformer(
  config,
  `/api/v1/namespaces/${namespace}/configmaps`,
  list,
  select,
);
informer.on("error", () => setTimeout(() => informer.start(), 100));
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
