"""What can be served, and one sentence for what cannot."""

import sys
from datetime import datetime
from pathlib import Path

import pytest

from kubemini.__main__ import main
from kubemini.api.kinds import DEPLOYMENT
from kubemini.serve import world
from kubemini.serve.tokens import read_tokens
from kubemini.serve.world import Wanted

NOON = datetime(2027, 5, 1, 12)
SCENARIO = """
title: two steps
topology: {kind: single, workers: 1}
faults: [[90s, crash, scheduler-1]]
"""
MANIFEST = """
apiVersion: v1
kind: ConfigMap
metadata: {name: there, namespace: default}
"""


def ready(wanted):
    cluster = world.made(wanted, NOON)
    world.run_until_ready(cluster)
    return cluster


def roles(cluster):
    return {name.split("@")[0].rstrip("0123456789").rstrip("-") for name in cluster.components}


def test_a_server_alone_has_an_etcd_and_nobody_else():
    assert roles(ready(Wanted(api_only=True))) == {"etcd", "apiserver"}


@pytest.mark.parametrize("topology", ["single", "stacked", "external"])
def test_a_cluster_is_ready_at_about_the_time_that_it_is(topology):
    cluster = ready(Wanted(topology=topology))
    now = datetime.fromisoformat(world_time(cluster))
    assert abs((now - NOON).total_seconds()) < 2
    assert all(server.core.health.ready for server in world.api_servers(cluster))


def world_time(cluster):
    from kubemini.api.timestamps import timestamp

    return timestamp(cluster.sim.now).rstrip("Z")


def test_a_scenario_brings_its_manifests_and_its_faults_at_their_instants(tmp_path):
    file = tmp_path / "mine.yaml"
    file.write_text(SCENARIO)
    cluster = ready(Wanted((str(file),)))
    begun = cluster.trace.records[0].at
    cluster.sim.run_until(begun + 89_000_000)
    assert cluster.components["scheduler-1"].up
    cluster.sim.run_until(begun + 91_000_000)
    assert not cluster.components["scheduler-1"].up


def test_a_story_of_ours_is_served_with_what_it_deploys():
    cluster = ready(Wanted(("first",)))
    cluster.sim.run_until(cluster.sim.now + 10_000_000)
    assert world.api_servers(cluster)[0].cache(DEPLOYMENT).items()


def test_manifests_are_applied_at_the_start(tmp_path):
    file = tmp_path / "there.yaml"
    file.write_text(MANIFEST)
    cluster = ready(Wanted((str(file),)))
    cluster.sim.run_until(cluster.sim.now + 10_000_000)
    (said,) = [r.detail["said"] for r in cluster.trace.of("request") if "there" in r.detail.get("said", "")]
    assert said == "configmap/there created"


def test_parameters_are_written_as_in_a_scenario():
    cluster = world.made(Wanted(params={"etcd_pre_vote": "false", "disk_fsync": "[1ms, 2ms]"}), NOON)
    assert cluster.params.etcd_pre_vote is False and cluster.params.disk_fsync == (1000, 2000)


@pytest.mark.parametrize(
    "words, said",
    [
        (["first", "--topology", "stacked"], "has a topology of its own"),
        (["first", "dns"], "one scenario at a time"),
        (["etcd-3"], "has no API server to talk to"),
        (["there.yaml", "--api-only"], "nobody is there to apply manifests"),
        (["nowhere.yaml"], "nowhere.yaml: cannot be read"),
        (["--param", "etcd_pre_vote"], "--param takes NAME=VALUE"),
        (["--param", "nonsense=1"], "there is no parameter"),
        (["--param", "etcd_pre_vote=[1"], "a value cannot be read"),
        (["--speed", "fast"], "--speed: expected step or a number"),
        (["--port", "70000"], "--port: expected a number up to 65535"),
        (["--token-auth-file", "nowhere.csv"], "cannot read nowhere.csv"),
        (["--audit-log-path", "-"], "an audit log needs both --audit-policy-file and --audit-log-path"),
        (["--audit-policy-file", "nowhere.yaml", "--audit-log-path", "-"], "cannot read nowhere.yaml"),
        (["--audit-policy-file", "there.yaml", "--audit-log-path", "-"], "an audit policy says apiVersion"),
        (["--workers", "900"], "workers: expected a number from 0 to 20"),
    ],
)
def test_what_cannot_be_served_is_said_in_a_sentence(words, said, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("there.yaml").write_text(MANIFEST)
    assert main(["serve", *words]) == 2
    error = capsys.readouterr().err
    assert said in error and error.startswith("kubemini: ") and error.count("\n") == 1


def test_tokens_are_read_as_kube_apiserver_reads_them(tmp_path):
    file = tmp_path / "tokens.csv"
    file.write_text('one,alice,7,"a,b"\n\ntwo,bob,8\n')
    found = read_tokens(file)
    alice, bob = found["one"], found["two"]
    assert (alice.name, alice.uid, alice.groups) == ("alice", "7", ("a", "b")) and bob.groups == ()


@pytest.mark.parametrize("text", ["one,alice\n", ",alice,7\n", "one,a,1\none,b,2\n"])
def test_a_token_file_that_is_none_is_refused_with_its_line(text, tmp_path):
    file = tmp_path / "tokens.csv"
    file.write_text(text)
    with pytest.raises(ValueError, match=r"line [12]"):
        read_tokens(file)


def test_without_its_libraries_it_says_what_to_install(monkeypatch, capsys):
    for name in [name for name in sys.modules if name.startswith("kubemini.serve")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "cryptography", None)
    assert main(["serve"]) == 2
    assert "serve needs cryptography: pip install 'kubemini[serve]'" in capsys.readouterr().err
