"""How long the real kube-proxy takes for many Services of ten endpoints, beside ours: a report, and no test.

Its own measure is the time of a sync as it logs it: the rules made and loaded by the tool. Ours is the text
made (as `make bench` measures it) and loaded by the same tool in an empty network. The tool takes nearly
all of it: iptables-nft 1.8.9 took 13 minutes for the real one's 5,000 Services, and nft 5 s.
"""

import http.client
import json
import re
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

from kubemini.api.objects import get
from kubemini.bench import rules
from kubemini.network.decide.rules import saved, table
from kubemini.network.decide.rules.iptables_sync import IptablesRules
from kubemini.network.decide.rules.nftables_sync import NftablesRules
from kubemini.network.decide.rules.plan import plans
from kubemini.network.decide.services.node import ProxyConfig
from tests.oracles.ha.real import hosts
from tests.oracles.ha.real.asking import ADMIN, ANY_CERTIFICATE, SECURE, until
from tests.oracles.ha.real.programs import Failed
from tests.oracles.ha.real.room import DISK
from tests.real.kubeproxy.lab import HOSTS, SERVICES, SLICES

WRITERS, PATIENCE = 4, 1800
COMPLETE = re.compile(r'"SyncProxyRules complete".* elapsed="([^"]+)"')
UNITS = {"h": 3600, "m": 60, "s": 1, "ms": 1e-3, "µs": 1e-6}
TOOLS = {"iptables": ("iptables-nft-restore", "--noflush"), "nftables": ("nft", "-f", "-")}


def report(lab, many):
    """Post the Services, start both proxies, change one endpoint, and say what each took."""
    objects = rules.objects(many)
    began = time.monotonic()
    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(_post, (objects[n::WRITERS] for n in range(WRITERS))))
    print(f"{len(objects)} Services posted in {time.monotonic() - began:.0f} s", flush=True)
    lab.start_proxies({}, "")
    for mode in reversed(HOSTS):  # the tool of iptables takes so long that it comes last
        _wait(lab, mode, lambda mode=mode: _full(mode, many), "did not write all rules")
        print(f"{mode}, all: the real one took {max(_syncs(mode)):.3f} s", flush=True)
    whole = {mode: max(_syncs(mode)) for mode in HOSTS}
    had = {mode: len(_syncs(mode)) for mode in HOSTS}
    _shrink(lab)
    for mode in HOSTS:
        _wait(lab, mode, lambda mode=mode: len(_syncs(mode)) > had[mode], "did not write a change")
    lab.stop(*HOSTS)
    for mode in HOSTS:
        change = _syncs(mode)[had[mode]]
        mine = _ours(mode, objects)
        for what, real, text, load in (("all", whole[mode], *mine[:2]), ("a change", change, *mine[2:])):
            ratio = f"ours ÷ the real one {(text + load) / real:.2f}"
            print(f"{mode}, {what}: {real:.3f} s; ours {text:.3f} s for the text, {load:.3f} s to load it; {ratio}")


def _post(objects):
    """Post Services and slices over one connection. Raises Failed."""
    connection = http.client.HTTPSConnection(hosts.HERE, SECURE, timeout=60, context=ANY_CERTIFICATE)
    headers = {"Authorization": ADMIN["Authorization"], "Content-Type": "application/json"}
    for service, slices in objects:
        for form, one in ((SERVICES, service), *((SLICES, one) for one in slices)):
            connection.request("POST", form.format("default"), json.dumps(one, default=dict), headers)
            reply = connection.getresponse()
            said = reply.read()
            if reply.status != 201:
                raise Failed(f"{get(one, 'metadata', 'name')}: {reply.status} {said[:300]}")
    connection.close()


def _wait(lab, mode, condition, what):
    if not until(condition, PATIENCE, every=0.5):
        raise Failed(f"the {mode} kube-proxy {what} within {PATIENCE} s; it says last:\n{lab.log(mode)}")


def _log(mode):
    return (DISK / f"{mode}.log").read_text()


def _full(mode, many):
    """Whether a sync that had all Services is complete."""
    _, had, after = _log(mode).rpartition(f"numServices={many + 1} ")
    return bool(had) and bool(COMPLETE.search(after))


def _syncs(mode):
    """Seconds of each sync of IPv4, in order."""
    lines = [line for line in _log(mode).splitlines() if 'ipFamily="IPv4"' in line]
    return [_seconds(found[1]) for line in lines if (found := COMPLETE.search(line))]


def _seconds(text):
    """A duration as Go prints it."""
    return sum(float(number) * UNITS[unit] for number, unit in re.findall(r"([\d.]+)(h|ms|µs|m|s)", text))


def _shrink(lab):
    """The first Service loses an endpoint."""
    path = f"{SLICES.format('default')}/s0-1"
    one = lab.must(path)
    lab.must(path, "PUT", {**one, "endpoints": one["endpoints"][:-1]})


def _ours(mode, objects):
    """Seconds for (all text, loading it, the text of a change, loading that)."""
    config, inside = ProxyConfig(mode), ("ip", "netns", "exec", HOSTS[mode])
    hosts.run(*inside, "nft", "flush", "ruleset")
    kernel = (IptablesRules if mode == "iptables" else NftablesRules)(config, rules.HERE)
    empty = saved.loadable(saved.written([], config, rules.HERE))
    _load(inside, mode, empty if mode == "iptables" else table.loadable(table.written([], config, rules.HERE)))
    took, text = _timed(lambda: kernel.sync({_key(s): plans(s, slices, rules.HERE) for s, slices in objects}))
    load, _ = _timed(lambda: _load(inside, mode, text))
    service, slices = rules.posted(0, rules.ENDPOINTS - 1)
    other, change = _timed(lambda: kernel.sync({_key(service): plans(service, slices, rules.HERE)}))
    reload, _ = _timed(lambda: _load(inside, mode, change))
    return took, load, other, reload


def _key(service):
    return f"default/{service['metadata']['name']}"


def _load(inside, mode, text):
    done = subprocess.run([*inside, *TOOLS[mode]], input=text, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Failed(f"{TOOLS[mode][0]}: {done.stderr[:500]}")


def _timed(work):
    began = time.monotonic()
    result = work()
    return time.monotonic() - began, result
