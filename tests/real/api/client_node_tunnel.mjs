// @kubernetes/client-node as it comes: exec, attach, port-forward, a log that is followed.
//
//     node client_node_tunnel.mjs POD SPEAKER     with KUBECONFIG set; prints a line for each thing seen

import net from "node:net";
import stream from "node:stream";
import * as k8s from "@kubernetes/client-node";

const config = new k8s.KubeConfig();
config.loadFromDefault();
const [pod, speaker, namespace, container] = [...process.argv.slice(2), "default", "c"];

class Kept extends stream.Writable {
  text = "";
  _write(chunk, _, done) {
    this.text += chunk;
    this.emit("more");
    done();
  }
}

async function run(command, input) {
  const [out, err] = [new Kept(), new Kept()];
  const status = await new Promise((resolve, reject) => {
    new k8s.Exec(config)
      .exec(namespace, pod, container, command, out, err, input, false, resolve)
      .catch(reject);
  });
  const code = status.details?.causes?.find((cause) => cause.reason === "ExitCode")?.message;
  console.log(command[0], status.status, code ?? "", JSON.stringify(out.text + err.text));
}

await run(["hostname"], null);
await run(["false"], null);
await run(["sh", "-c", "echo out && cat /none"], null);
await run(["cat"], stream.Readable.from(["typed\n"]));

const followed = new Kept();
const abort = await new k8s.Log(config).log(namespace, speaker, container, followed, { follow: true });
await new Promise((resolve) => followed.once("more", resolve));
console.log("log", JSON.stringify(followed.text.split("\n")[0]));
abort.abort();

const forward = new k8s.PortForward(config);
const server = net.createServer((socket) => forward.portForward(namespace, pod, [80], socket, null, socket));
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const page = await fetch(`http://127.0.0.1:${server.address().port}/`);
console.log("port-forward", page.status, JSON.stringify((await page.text()).match(/<h1>.*<\/h1>/)?.[0]));
process.exit(0);
