"""More lines that a person types: MORE after those of lines.py, LOOKED at a whole cluster where nothing is changed."""

NEW = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: new}\ndata: {a: '1'}\n"
NEWER = NEW.replace("'1'", "'2'")
NOTHING = "a: b\n"
UNKNOWN = "apiVersion: v1\nkind: Foo\nmetadata: {name: x}\n"
BROKEN = "a: [\n"
ELSEWHERE = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x, namespace: nowhere}\n"
MISNAMED = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: X_}\n"
EMPTY_POD = "apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec: {containers: []}\n"
MISTYPED = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata: {a: 1}\n"
MISSPELT = "apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec: {foo: 1}\n"
TWO = f"{NEW}---\napiVersion: v1\nkind: ServiceAccount\nmetadata: {{name: new}}\n"
MORE = r"""
get
get pods --nope
get pods -Z
get pods -o
get pods -n
get pods -o foo
get pods -o jsonpath={
get pods -o jsonpath='{.items[a]}'
get pods -o jsonpath='{end}'
get pods -o jsonpath='{foo}'
get pods -o jsonpath='text only'
get pods -o custom-columns=
get pods -o custom-columns=NAME
get pods/x y
get pods,svc x/y
get pod -l a=b x
get pods -l a=b=c
get pods --field-selector=x=y
get deployments.foo
get foo,pods
get nodes x y
get ev
get --raw /nope
describe
describe foo
describe pod nope
describe limits
describe ns default
describe clusterrole view
describe clusterrolebinding cluster-admin
describe priorityclass system-node-critical
describe flowschema exempt
create
create foo
create deployment
create cm
create cm c --from-literal=a
create cm c --from-literal=a=b --from-literal=a=c
create cm c --from-literal=a=b --from-literal=c=d --dry-run=client -o yaml
create secret generic s --from-literal=a=b --dry-run=client -o yaml
create secret docker-registry s --docker-username=a --docker-password=b --docker-email=c --dry-run=client -o yaml
create role r --verb=get,list --resource=pods,deployments.apps --dry-run=client -o yaml
create role r --verb=get
create role r --verb=foo --resource=pods --dry-run=client
create clusterrole r --verb=get --non-resource-url=/logs/* --dry-run=client -o yaml
create rolebinding b --role=r --user=bob --group=g --serviceaccount=default:x --dry-run=client -o yaml
create ingress i --rule=foo.com/bar=svc1:8080,tls=my-cert --class=x --dry-run=client -o yaml
create ingress i
create ingress i --rule=foo
create pdb p --selector=app=x --min-available=50% --dry-run=client -o yaml
create pdb p --selector=app=x
create quota q --hard=cpu=1,memory=1Gi --scopes=BestEffort --dry-run=client -o yaml
create svc clusterip s --tcp=80:8080 --dry-run=client -o yaml
create svc externalname s --external-name=x.org --dry-run=client -o yaml
create svc clusterip s
create cronjob c --image=busybox --schedule='* * * * *' --dry-run=client -o yaml
create job j
create ns more
create ns more
-n more create deployment web --image=nginx:1 --image=busybox --replicas=2
-n more create deployment web --image=nginx
-n more get deploy web -o jsonpath='{range .spec.template.spec.containers[*]}{.name}{"\t"}{.image}{"\n"}{end}'
-n more get deploy web -o jsonpath='{.spec.template.spec.containers[?(@.name=="nginx")].image}'
-n more get deploy web -o jsonpath='{.spec.template.spec.containers[-1:].name}'
-n more get deploy web -o jsonpath='{.spec.template.spec.containers[5].name}'
-n more get deploy web -o jsonpath='{.spec.replicas[0]}'
-n more get deploy web -o jsonpath-as-json='{.spec.template.spec.containers[*].name}'
-n more get deploy web -o custom-columns=N:.metadata.name,C:.spec.template.spec.containers[*].name,X:.nope
-n more get deploy web -o json
-n more get deploy,cm,sa --show-labels
-n more get all -o name
-n more get deploy nope web
-n more get deploy nope --ignore-not-found
-n more get deploy -L app,nope
get deploy -A -l app=web --sort-by=.metadata.name
-n more label deploy web app-
-n more label deploy web a=b=c
-n more label deploy web
-n more label deploy web --list
-n more label deploy web a=b c=d
-n more label deploy web a=b
-n more label deploy web a- nope-
-n more annotate deploy web note=x
-n more annotate deploy web note=y
-n more annotate deploy web note-
-n more patch deploy web -p '{"spec":{"replicas":3}}'
-n more patch deploy web -p '{"spec":{"replicas":3}}'
-n more patch deploy web -p '{'
-n more patch deploy web --type=foo -p '{}'
-n more patch deploy web --type=json -p '[{"op":"remove","path":"/x"}]'
-n more patch deploy nope -p '{}'
-n more patch deploy web
-n more scale deploy web
-n more scale deploy web --replicas=x
-n more scale deploy web --replicas=-1
-n more scale deploy nope --replicas=3
-n more scale sa default --replicas=3
-n more autoscale deploy web --max=5 --dry-run=client -o yaml
-n more autoscale deploy web
-n more expose deploy web
-n more expose deploy web --port=80 --name=y --type=NodePort --dry-run=client -o yaml
-n more set image deploy/web nginx=nginx:2 nope=x
-n more set image deploy/web *=nginx:3
-n more set image
-n more rollout status svc/nope
-n more rollout history deploy/web
-n more rollout undo deploy/web
-n more rollout pause deploy/web
-n more rollout pause deploy/web
-n more rollout restart deploy/web
-n more rollout resume deploy/web
-n more rollout resume deploy/web
-n more rollout foo
-n more wait deploy/web --for=condition=Available --timeout=0
-n more wait deploy/web --for=jsonpath='{.spec.replicas}'=3
-n more wait deploy/web --for=foo
-n more wait deploy/web
-n more wait deploy/nope --for=delete
-n more apply -f - < TWO
-n more apply -f - < TWO
-n more apply -f - < NEWER
-n more apply -f - --dry-run=server < NEW
-n more apply -f - -o name < NEW
-n more apply --server-side -f - < NEWER
-n more get cm new -o yaml --show-managed-fields
-n more apply -f -
-n more apply -f - < NOTHING
-n more apply -f - < UNKNOWN
-n more apply -f - < BROKEN
-n more apply -f - < ELSEWHERE
-n more apply -f - < MISNAMED
-n more apply -f - < EMPTY_POD
-n more apply -f - < MISTYPED
-n more apply -f - < MISSPELT
-n more apply -f - --dry-run=foo < NEW
-n more apply --server-side --dry-run=client -f - < NEW
-n more create -f - < TWO
-n more replace -f - < NEWER
apply -f nowhere.yaml
-n more delete -f - < TWO
-n more delete -f - < TWO
-n more delete deploy
-n more delete deploy nope
-n more delete deploy nope --ignore-not-found
-n more delete deploy --all -l x=y
-n more delete deploy -l x=y
-n more delete deploy web --dry-run=server
-n more delete deploy web --cascade=foo
-n more describe deploy web
-n more describe sa
auth can-i get
auth can-i get foo
auth can-i get nodes
auth can-i '*' '*'
auth can-i get pods --as=system:serviceaccount:default:default
auth can-i get /healthz --as=nobody
auth whoami -o json
api-resources --api-group=apps
api-resources --verbs=list,get --no-headers --api-group=rbac.authorization.k8s.io
api-resources --sort-by=kind --api-group=batch
api-resources foo
version --output=foo
run x
run x --image=nginx --port=80 --env=A=b --labels=a=b,c=d --restart=Never --dry-run=client -o yaml -- a b
run x --image=nginx --restart=Sometimes
drain nope
drain
cordon nope
taint nodes nope a=b:NoSchedule
taint nodes nope a=b:Nope
taint pods x a=b:NoSchedule
taint node x foo
logs
logs nope
top pods
explain
explain nope
explain pod.spec.nope
explain deploy.spec --recursive
explain pod.spec --recursive --max-depth=2
explain svc.spec.ports
events --types=Foo
events --for foo
"""
LOOKED = r"""
get nodes -o wide
get pods -o wide
get pods -A
get pods -L app,pod-template-hash -A
get pods --sort-by=.metadata.creationTimestamp
get pods --sort-by={.spec.nodeName}
get pods --sort-by=.nope
get nodes --sort-by=.status.capacity.memory
get all -A
get deploy,rs,ds
get deploy web -o yaml
get pods -o jsonpath='{range .items[*]}{.metadata.name}{"\t"}{.status.podIP}{"\n"}{end}'
get pods -o jsonpath='{.items[?(@.metadata.labels.app=="web")].metadata.name}'
get pods -o jsonpath='{.items[0:2].metadata.name}'
get pods -o jsonpath='{.items[*].spec.containers[*].ports}'
get pods -o jsonpath="{.items[*]['metadata.name','status.phase']}"
get pods -o jsonpath='{.kind}{"\n"}{.items[99].x}'
get pods -o jsonpath='{.items[0].metadata.nope}'
get pods -o jsonpath='{range .items[?(@.status.phase=="Running")]}{.metadata.name}{","}{end}'
get pods -o jsonpath='{.items[?(@.spec.nodeName>"a")].metadata.name}'
get pods -o jsonpath='{.items[?(@.status.startTime)].kind}'
get pods -A -o custom-columns=NS:.metadata.namespace,N:.metadata.name,IP:.status.podIP
get pods --field-selector spec.nodeName=worker-1 -o name
get pods -A --chunk-size=2 -o name
get events
events
events --for deploy/web
get deploy web --subresource=scale
describe deploy web
describe pod web
describe pods -l app=web
describe node worker-1
describe svc web
describe rs
describe pdb web
describe netpol np
describe cm cfg
describe endpointslices
describe lease worker-1 -n kube-node-lease
describe deploy/web svc/web
describe deploy web --show-events=false
rollout status deploy/web
rollout history deploy/web
rollout history deploy/web --revision=1
rollout history deploy/web --revision=9
rollout history svc/web
rollout undo deploy/web
wait pod -l app=web --for=condition=Ready --timeout=5s
wait deploy/web --for=condition=Nope --timeout=1s
wait deploy/web --for=jsonpath='{.status.readyReplicas}'=2 --timeout=2s
wait deploy/nope --for=condition=Available --timeout=1s
drain worker-1 --dry-run=client
drain worker-1 --dry-run=client --ignore-daemonsets
drain worker-1 --dry-run=client --ignore-daemonsets --delete-emptydir-data
drain worker-1 --dry-run=client --ignore-daemonsets --delete-emptydir-data --force
cordon worker-1 --dry-run=client
taint nodes worker-1 a=b:NoSchedule --dry-run=client
taint nodes worker-1 a-
scale deploy web --replicas=3 --current-replicas=7
delete deploy web --dry-run=client
explain pod.spec.containers
explain hpa.spec.metrics
debug
debug nope --image=busybox
debug deploy/web --image=busybox
debug nope --image=b:::1
debug nope --image=busybox --profile=foo
debug nope --image=busybox --profile=legacy
debug nope --image=busybox --target=c
debug nope --copy-to=x
debug nope --copy-to=x -- ls
debug nope --copy-to=x --image=busybox --target=c
debug nope --copy-to=x --set-image=c
debug nope --image=busybox --replace
debug nope --image=busybox --same-node
debug nope --image=busybox --set-image=c=d
debug nope --image=busybox --image-pull-policy=Foo
debug nope --image=busybox --env=A
debug nope --image=busybox -t
debug node/nope --image=busybox
"""
TOLERATED = {  # line → why what our line prints differs from what a real kubectl prints
    "explain cm --output=plaintext-openapiv2": "our line reads version 3 alone",
    "version": "the kubectl of PyPI is another patch release",
    "logs on-plain -f --previous": "a real kubectl dials again and again, and says so each time",
    "cp on-speaks:/etc/hosts /dev/null": "our line has no such verb, and says so",
}
