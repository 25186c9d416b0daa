"""The command line.

    python -m kubemini run quorum                       a scenario by name
    python -m kubemini run my.yaml --seed 7 --until 60s --trace out.jsonl
    python -m kubemini scenarios                        what there is
    python -m kubemini check history.jsonl              is it linearizable?
    python -m kubemini bench --check                    how fast it is, against the bars
    python -m kubemini serve --topology stacked         a cluster for real clients, over TLS on this machine
    python -m kubemini trace packet --from pod/web --to svc/web:80 --scenario services --at 18s
                                                        where a packet goes, hop by hop, and which rule decided
    python -m kubemini explain pod/web-1 --scenario services --at 18s --node worker-1
                                                        where a pod goes and why; what would have to change for a node
Exit status: 0 done, 1 a check failed, 2 the input cannot be used (one sentence says why, a second may hint).
"""

import argparse
import io
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from kubemini.commands import read_line
from kubemini.ranges import shown
from kubemini.scenarios import load, names
from kubemini.sim import Trace
from kubemini.sim.engine import FIDELITIES, FULL
from kubemini.sim.units import SECOND, clock, duration
from kubemini.simulate import Runaway, run

WIDTH = 40  # characters of the bar
A_WORD = 10  # seconds between two words about progress where nobody watches a bar
PATIENCE = "10m"  # of real time


class Progress:
    """How far a run is, on standard error; ends one that takes longer than *patience* (seconds of real time)."""

    def __init__(self, quiet: bool, patience: float):
        self.quiet, self.patience = quiet, patience
        self.begun = self.last_word = time.monotonic()

    def __call__(self, share: float) -> None:
        now = time.monotonic()
        if now - self.begun > self.patience and share < 1:
            text = f"stopped after {self.patience:g} s of real time, {share:.0%} done"
            raise Runaway(f"{text}. Ask for a shorter --until, fewer hosts or pods, or give more --patience")
        if sys.stderr.isatty() and not self.quiet:
            self._draw(share)
        elif now - self.last_word > A_WORD and not self.quiet:
            self.last_word = now
            print(f"kubemini: {share:.0%} done", file=sys.stderr, flush=True)

    def _draw(self, share: float) -> None:
        done = round(share * WIDTH)
        end = "\n" if share >= 1 else ""
        print(f"\r[{'#' * done}{'.' * (WIDTH - done)}] {share:4.0%}", end=end, file=sys.stderr, flush=True)


# -- run -----------------------------------------------------------------------------------------------------------
def _run(options: argparse.Namespace) -> int:
    if options.trace is not None:
        _check_writable(Path(options.trace))
    commands = [read_line(c) for c in options.command]
    progress = Progress(options.quiet, duration(options.patience) / SECOND)
    trace = run(options.scenario, options.seed, commands, options.until, progress, fidelity=options.fidelity)
    print(report(trace))
    if options.trace is not None:
        _write(Path(options.trace), trace.to_jsonl())
        print(f"written to {options.trace}")
    return 0


def report(trace: Trace) -> str:
    """What a run was, how its clients fared, and what kubectl said."""
    from kubemini.view.scene import text_summary

    summary = text_summary(trace)
    said = [(r.at, r.detail["said"]) for r in trace.of("request") if "said" in r.detail]
    said += [(r.at, r.detail["text"]) for r in trace.of("note", "kubectl") if r.detail["text"] not in summary]
    lines = [f"{clock(at):>9}  {text}" for at, text in sorted(said)]
    words = Counter(record.what for record in trace)
    counted = f"{len(trace)} records: " + ", ".join(f"{n} {what}" for what, n in sorted(words.items()))
    return "\n".join([summary, *(["kubectl apply:", *lines, ""] if lines else []), counted])


def _check_writable(file: Path) -> None:
    """ValueError before a long run if its trace could not be written after it."""
    if file.is_dir() or not file.parent.is_dir():
        why = "it is a directory" if file.is_dir() else f"No such file or directory: {file.parent}"
        raise ValueError(f"cannot write {file}: {why}; name a file in a directory that exists")


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ValueError(f"cannot write {file}: {error.strerror or error}; name another file") from None


# -- the other subcommands -----------------------------------------------------------------------------------------
def _scenarios(_: argparse.Namespace) -> int:
    for name in names():
        scenario = load(name)
        print(f"{name:10} {clock(scenario.until):>9}  {scenario.title}")
    return 0


def _bench(options: argparse.Namespace) -> int:
    from kubemini import bench

    return bench.main(check=options.check, pyodide=options.pyodide)


def _serve(options: argparse.Namespace) -> int:
    try:
        from kubemini.serve import program
    except ModuleNotFoundError as error:
        raise ValueError(f"serve needs {error.name}: pip install 'kubemini[serve]'") from None
    return program.main(options)


def _check(options: argparse.Namespace) -> int:
    from kubemini.judge import check, draw, parse

    try:
        text = Path(options.history).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is not text in UTF-8"
        raise ValueError(
            f"cannot read {options.history or 'a file without a name'}: {why}; give a file of JSON lines"
        ) from None
    operations = parse(text)
    violation = check(operations)
    if violation:
        print(draw(violation))
        return 1
    print(f"linearizable: {len(operations)} operation{'' if len(operations) == 1 else 's'} with a known or open fate")
    return 0


def _trace_packet(options: argparse.Namespace) -> int:
    from kubemini.packets import trace_packet

    if bool(options.scenario) == bool(options.manifests):
        raise ValueError("say where the packet goes: --scenario NAME or --manifests FILE, one of the two")
    said = ("at", "seed", "proxy_mode", "protocol", "size", "network", "pod_mtu", "firewall", "manifests")
    how = {name: getattr(options, name) for name in said}
    print(trace_packet(options.scenario, options.sender, options.to, **how))
    return 0


def _explain(options: argparse.Namespace) -> int:
    from kubemini.explaining import explain

    if bool(options.scenario) == bool(options.manifests):
        raise ValueError("say where the pod is: --scenario NAME or --manifests FILE, one of the two")
    said = {name: getattr(options, name) for name in ("at", "seed", "node", "manifests")}
    print(explain(options.scenario, options.what, **said))
    return 0


# -- the grammar ---------------------------------------------------------------------------------------------------
class Parser(argparse.ArgumentParser):
    """A parser whose mistakes are one sentence."""

    def error(self, message: str) -> NoReturn:
        raise ValueError(f"{message} (kubemini --help tells more)")


def _seed(text: str) -> int:
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) < 19):
        raise argparse.ArgumentTypeError(f"expected a whole number of at most 18 digits, got {shown(text)}")
    return int(text)


def parser() -> argparse.ArgumentParser:
    """The command line's grammar."""
    top = Parser(prog="kubemini", description="A small Kubernetes cluster that you can break.")
    verbs = top.add_subparsers(required=True, metavar="COMMAND")
    _add_run(verbs.add_parser("run", help="simulate a scenario and print what happened"))
    listing = verbs.add_parser("scenarios", help="list the scenarios that come with kubemini")
    listing.set_defaults(act=_scenarios)
    judge = verbs.add_parser("check", help="judge whether a history of reads and writes is linearizable")
    judge.add_argument("history", help="JSON lines in Jepsen's shape: process, type, f, key, value")
    judge.set_defaults(act=_check)
    measure = verbs.add_parser("bench", help="measure speed in interleaved rounds")
    measure.add_argument("--check", action="store_true", help="exit 1 where a bar is not held")
    measure.add_argument("--pyodide", action="store_true", help="also in Pyodide (needs node and npm's pyodide)")
    measure.set_defaults(act=_bench)
    _add_serve(verbs.add_parser("serve", help="let real clients in: kubectl, client libraries, operators"))
    _add_explain(verbs.add_parser("explain", help="say why a pod goes where it goes, plugin by plugin, node by node"))
    tracing = verbs.add_parser("trace", help="walk one packet and say which rule decided")
    _add_trace(tracing.add_subparsers(required=True, metavar="WHAT").add_parser("packet", help="a new connection"))
    return top


def _add_explain(why: argparse.ArgumentParser) -> None:
    add: Callable[..., argparse.Action] = why.add_argument
    add("what", metavar="POD", help="pod/NAME, or pod/NAMESPACE/NAME")
    add("--scenario", help="a name (see `kubemini scenarios`) or a YAML file, run to --at")
    add("--manifests", metavar="FILE", default="", help="instead: manifests, applied to a small cluster")
    add("--at", metavar="TIME", help="such as 18s; the end of the scenario, if it is not said")
    add("--seed", type=_seed, help="another seed: other luck")
    add("--node", default="", help="say what would have to change for the pod to go to this node")
    why.set_defaults(act=_explain)


def _add_trace(go: argparse.ArgumentParser) -> None:
    add: Callable[..., argparse.Action] = go.add_argument
    add("--from", dest="sender", required=True, metavar="PLACE", help="pod/NAME, node/NAME or outside")
    add("--to", required=True, metavar="PLACE", help="svc/NAME:PORT, pod/NAME:PORT, node/NAME:PORT or ADDRESS:PORT")
    add("--scenario", help="a name (see `kubemini scenarios`) or a YAML file, run to --at")
    add("--manifests", metavar="FILE", default="", help="instead: manifests, applied to a small cluster")
    add("--at", metavar="TIME", help="such as 18s; the end of the scenario, if it is not said")
    add("--seed", type=_seed, help="another seed: other luck")
    add("--proxy-mode", default="", help="iptables or nftables: the same rules in that mode")
    add("--protocol", default="", help="TCP, UDP or SCTP; the Service's, if it is not said")
    add("--size", type=int, default=60, metavar="BYTES", help="of the packet, which must not be cut")
    add("--network", default="host-gw", help="host-gw, vxlan or routed: how nodes find each other's pods")
    add("--pod-mtu", type=int, default=0, metavar="BYTES", help="an MTU for the pods' interfaces, perhaps a wrong one")
    add("--firewall", metavar="FILE", default="", help="rules of every node beside kube-proxy's: iptables-save or nft")
    go.set_defaults(act=_trace_packet)


def _add_serve(go: argparse.ArgumentParser) -> None:
    add: Callable[..., argparse.Action] = go.add_argument
    add("sources", nargs="*", metavar="SCENARIO|FILE", help="the name of a scenario, files of manifests")
    add("--topology", choices=("single", "stacked", "external"), help="which programs, and where (single)")
    add("--workers", type=int, default=3, help="how many nodes (3)")
    add("--dns", action="store_true", help="pods of CoreDNS behind a Service kube-dns, as kubeadm sets them up")
    add("--api-only", action="store_true", help="an API server and etcd: no controllers, no nodes")
    add("--port", type=int, default=0, help="the port; the next ones, too, if there are several API servers (any)")
    add("--kubeconfig", metavar="FILE", default="kubemini.kubeconfig", help="written when it answers")
    add("--token-auth-file", metavar="FILE", help='who may come with a token: lines of token,user,uid,"group,group"')
    add("--audit-policy-file", metavar="FILE", default="", help="which requests the audit log tells of: a Policy")
    add("--audit-log-path", metavar="FILE", default="", help="where it is written, an event a line; -: printed")
    add("--param", action="append", default=[], metavar="NAME=VALUE", help="such as etcd_pre_vote=false")
    add("--speed", default="1", help="how fast time runs: 1, 10, 0.1, or step: only as long as `go TIME` says (1)")
    go.set_defaults(act=_serve)


def _add_run(go: argparse.ArgumentParser) -> None:
    add: Callable[..., argparse.Action] = go.add_argument
    add("scenario", help="a name (see `kubemini scenarios`) or a YAML file")
    add("--seed", type=_seed, help="another seed: other luck")
    add("--until", help="the horizon, such as 60s")
    add("--fidelity", choices=FIDELITIES, default=FULL, help="quiescent: leave out the heartbeats that change nothing")
    add("--trace", metavar="FILE", help="write every record as JSON lines")
    add("--command", action="append", default=[], metavar="TIME,ACTION,TARGET", help="such as 12s,crash,etcd-1")
    add("--patience", default=PATIENCE, metavar="TIME", help=f"end a run after so much real time ({PATIENCE})")
    add("--quiet", action="store_true", help="no progress")
    go.set_defaults(act=_run)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # an old terminal has no ▲; it gets a question mark
    try:
        options = parser().parse_args(arguments)
        return options.act(options)
    except BrokenPipeError:
        sys.stderr.close()  # who read our output has gone, and Python would complain of it at the end
        return 0
    except OSError as error:
        print(f"kubemini: the output cannot be written: {error.strerror or error}", file=sys.stderr)
        return 2
    except (ValueError, Runaway) as error:
        print(f"kubemini: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("kubemini: interrupted", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
