"""Lines of kubectl that a person types, in this order, at a server without controllers and nodes."""

MAP = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: cm1}\ndata: {a: "1"}\n'
OTHER = MAP.replace('"1"', '"2"')
NODES = "".join(
    f"""---
apiVersion: v1
kind: Node
metadata: {{name: {name}}}
---
apiVersion: v1
kind: Pod
metadata: {{name: on-{name}}}
spec: {{nodeName: {name}, tolerations: [{{operator: Exists}}], containers: [{{name: c, image: i}}]}}
"""
    for name in ("plain", "speaks", "nowhere")
)
AT = '{"status":{"addresses":[{"type":"InternalIP","address":"127.0.0.1"}],"declaredFeatures":[FEATURES]}}'
PLAIN, SPEAKS = AT.replace("FEATURES", ""), AT.replace("FEATURES", '"ExtendWebSocketsToKubelet"')
TYPED = """
create sa default
version
cluster-info
api-resources -o wide
get ns
create namespace team-a
create deployment web --image=nginx:1 --replicas=3 --port=80
get deploy web
get deploy web -o wide
get deploy web -o yaml
get pods
get all
get pod nope
run p1 --image=busybox --restart=Never --labels=app=p1
run p2 --image=busybox --dry-run=client -o yaml
run p2 --image=busybox --dry-run=server
get pods
get pods -o wide
get pods -A
get pods --sort-by=.metadata.name
get pods --field-selector=status.phase=Pending
get pod p1 -o yaml
describe pod p1
describe deploy web
events
get events
expose deploy web --port=80 --target-port=8080
get svc
get svc -o wide
describe svc web
scale deploy web --replicas=5
scale deploy web --current-replicas=9 --replicas=2
autoscale deploy web --min=1 --max=5 --cpu=80%
get hpa
describe hpa web
label pod p1 tier=front
label pod p1 tier=back
label pod p1 tier=back --overwrite
annotate pod p1 note=x
set image deploy/web nginx=nginx:2
rollout history deploy/web
rollout restart deploy/web
rollout pause deploy/web
rollout resume deploy/web
patch deploy web --type=merge -p '{"metadata":{"labels":{"x":"y"}}}'
patch deploy web --type=json -p '[{"op":"replace","path":"/spec/replicas","value":2}]'
patch deploy web --subresource=scale --type=merge -p '{"spec":{"replicas":4}}'
wait pod/p1 --for=create --timeout=3s
apply -f - < MAP
apply -f - < MAP
apply -f - < OTHER
apply --server-side -f - < MAP
apply --server-side --force-conflicts -f - < MAP
apply --server-side --field-manager=other -f - < OTHER
apply --dry-run=server -f - < OTHER
create -f - < MAP
replace -f - < OTHER
get cm cm1 -o yaml --show-managed-fields
create configmap c1 --from-literal=a=b
create secret generic s1 --from-literal=a=b
get secrets
describe secret s1
create sa robot
get sa
describe sa robot
create role r1 --verb=get --resource=pods
create rolebinding rb1 --role=r1 --user=bob
get roles,rolebindings -o wide
describe role r1
describe rolebinding rb1
create job j1 --image=busybox -- true
get jobs
describe job j1
create cronjob cj1 --image=busybox --schedule='*/5 * * * *'
get cronjobs
create ingress i1 --rule=foo.com/*=web:80
get ingress
describe ingress i1
create pdb pdb1 --selector=app=web --min-available=1
get pdb
describe pdb pdb1
create quota q1 --hard=pods=10
get quota
describe quota q1
create svc clusterip s9 --tcp=80:80
create svc nodeport n9 --tcp=80:80
create svc externalname e9 --external-name=x.org
get svc
create priorityclass high --value=10
get priorityclasses
create clusterrole cr1 --verb=get --resource=nodes
get clusterrole cr1 -o yaml
auth can-i create pods
auth can-i --list
auth whoami
get pods --as=bob
auth can-i get pods --as=bob
get pods -l 'app in (web,p1),tier!=x' -o wide
get pods -o custom-columns=N:.metadata.name,NODE:.spec.nodeName
get pods -o 'jsonpath={.items[*].metadata.name}'
get widgets
get cm,secret
get prioritylevelconfigurations
explain pod.spec
explain crd.spec.versions --recursive
explain hpa --api-version=autoscaling/v1
explain cm --output=plaintext-openapiv2
explain pod.spec.nothing
get cs etcd-0
get cs scheduler -o yaml
get cs nothing
get cs -l a=b
get --raw /readyz
get --raw /livez?verbose
logs p1
top nodes
delete pod p1 --grace-period=0 --force
delete deploy web --cascade=foreground --wait=false
get deploy web -o yaml
delete cm cm1 --wait=false
delete cm --all
delete ns team-a --wait=false
get ns
describe ns team-a
apply -f - < NODES
patch node plain --subresource=status --type=merge --patch-file=/dev/stdin < PLAIN
patch node speaks --subresource=status --type=merge --patch-file=/dev/stdin < SPEAKS
logs on-plain --tail=5 --since=10s --timestamps
logs on-plain -f --previous
logs on-speaks --limit-bytes=3
logs on-nowhere
exec on-plain -- ls -l
exec on-speaks -- ls -l
exec on-nowhere -- ls
exec -i on-plain -- sh -c 'echo a b'
attach on-plain
attach on-speaks
port-forward on-plain 8000:80
port-forward on-speaks 8000:80
port-forward on-nowhere 8000:80
cp on-speaks:/etc/hosts /dev/null
get --raw /api/v1/nodes/plain/proxy/healthz
get --raw /api/v1/nodes/nowhere/proxy/healthz
get --raw /api/v1/namespaces/default/pods/on-plain/proxy/
get --raw /api/v1/namespaces/default/pods/http:on-plain:x:y/proxy/
get --raw /api/v1/namespaces/default/services/nobody/proxy/
"""
TOLERATED = {  # line → why what is printed differs
    "api-resources -o wide": "kinds of the Gateway API and of policies of a cluster are served without their CRDs",
    "logs on-plain -f --previous": "kubectl dials again, as often as there is time, and says so each time",
}
