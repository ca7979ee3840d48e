//! Connectors: what the provider asks of an image, and what it does with the answer.
//!
//! The GPUs are the lab's. Stand-ins for vLLM and for the modules of connectors are in a folder where Python finds them, and
//! serve by Dynamo's simulator; the image, the containers and the question are real.

use std::os::unix::fs::PermissionsExt;

use super::{
    super::{
        Case,
        harness::{BYSTANDER_IMAGE, IMAGE, Scene},
    },
    chats, chats_from, end,
    lab::{Host, visit, with_key},
    left_on, provider,
};

pub const CASES: &[Case] = &[
    ("an_image_without_the_module_is_refused", refused),
    ("a_worker_is_not_stopped_for_one_that_cannot_run", not_stopped),
    ("a_server_keeps_the_cache_of_all_workers", served),
    ("workers_bring_a_server_to_each_host", brought),
    ("caches_that_do_not_fit_their_host_are_refused_at_plan", too_much),
];

const CACHE_SERVER: &str = include_str!("../cases/cache_server/main.tf");
const CONNECTOR: &str = include_str!("../cases/connector/main.tf");
/// On the host.
const MODULES: &str = "/srv/stand-ins";

/// Of vLLM's command line, what the simulator understands.
const VLLM: &str = r#"
import runpy, sys
RENAMED = {"--model": "--model-path", "--served-model-name": "--model-name"}
KEPT = {"--disaggregation-mode", "--block-size"}
words, told = iter(sys.argv[1:]), ["dynamo.mocker"]
for word in words:
    if word in RENAMED or word in KEPT:
        told += [RENAMED.get(word, word), next(words)]
sys.argv = told
runpy.run_module("dynamo.mocker", run_name="__main__")
"#;

/// Of LMCache's server, that it takes its ports where it is told and answers when it is well.
const LMCACHE: &str = r#"#!/usr/bin/python3
import http.server, socket, sys
def told(flag):
    return sys.argv[sys.argv.index(flag) + 1]
requests = socket.create_server((told("--host"), int(told("--port"))))
measurements = socket.create_server(("0.0.0.0", int(told("--prometheus-port"))))
class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/healthcheck" else 404)
        self.end_headers()
    def log_message(self, *words):
        pass
http.server.ThreadingHTTPServer((told("--http-host"), int(told("--http-port"))), Page).serve_forever()
"#;
/// The lab's image with these in it.
const SERVING_IMAGE: &str = "stand-ins:1.6.1";

fn scene_on(host: &Host) -> Scene {
    Scene::new(&format!("{}{CONNECTOR}", provider(&host.entry("ops", &with_key("ed25519")))))
}

/// A folder with a stand-in for vLLM, and one for each of these modules that can be found and not imported.
fn stand_ins(host: &Host, modules: &[&str]) {
    let script = r#"
        folder=$1 engine=$2; shift 2
        rm -rf "$folder"; mkdir -p "$folder/dynamo/vllm"
        printf '%s' "$engine" >"$folder/dynamo/vllm/__main__.py"
        for module; do mkdir "$folder/$module"; echo 'raise ImportError' >"$folder/$module/__init__.py"; done
        chmod -R go=rX "$folder""#;
    host.run(&[&["sh", "-ec", script, "sh", MODULES, VLLM], modules].concat());
}

/// Ids of containers of one component, running or not.
fn of(host: &Host, component: &str) -> String {
    let filter = format!("label=io.dynamo-terraform.component={component}");
    host.docker(&["ps", "--all", "--quiet", "--no-trunc", "--filter", &filter])
}

fn refused() {
    let mut lab = visit();
    let host = lab.host();
    let mut scene = scene_on(&host);
    scene
        .apply()
        .fails()
        .says("has no Python module kvbm")
        .says("dynamo-mocker:1.6.1")
        .says("dynamo_version to one whose image has it (1.4.2,")
        .says("\"none\" or \"nixl\" or \"lmcache\"")
        .says("deployment = dynamo_deployment.chat"); // the line at fault
    assert_eq!((of(&host, "worker"), of(&host, "ask")), (String::new(), String::new()));

    // What a killed run left is not taken for an answer, and goes.
    let left = format!("{}-ask-00000000--starting", scene.name);
    let label = |name: &str, value: &str| format!("--label=io.dynamo-terraform.{name}={value}");
    let labels = [
        label("manager", "terraform-provider-dynamo"),
        label("deployment", &scene.name),
        label("component", "ask"),
        label("run", "killed"),
    ];
    let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
    host.docker(&[&["create", "--name", &left], labels.as_slice(), &[BYSTANDER_IMAGE, "true"]].concat());
    stand_ins(&host, &["kvbm"]);
    scene.set("modules", MODULES);
    let state = scene.settle();
    assert_eq!(of(&host, "ask"), "");
    chats(&host, &state);
    let told = host.docker(&["inspect", "--format", "{{json .Config.Env}}", &of(&host, "worker")]);
    assert!(told.contains("DYN_KVBM_CPU_CACHE_GB=1"), "{told}");
    end(&host, &scene);
}

fn not_stopped() {
    let mut lab = visit();
    let host = lab.host();
    let mut scene = scene_on(&host);
    stand_ins(&host, &["kvbm"]);
    scene.set("modules", MODULES);
    scene.settle();
    let before = of(&host, "worker");
    scene.set("connector", "lmcache");
    scene.set("server", "false");
    scene.apply().fails().says("has no Python module lmcache").says("no release is known to come with it");
    assert_eq!(of(&host, "worker"), before);
    let state = host.docker(&["inspect", "--format", "{{.State.Running}} {{.RestartCount}}", &before]);
    assert_eq!(state, "true 0");
    stand_ins(&host, &["kvbm", "lmcache"]);
    chats(&host, &scene.settle());
    end(&host, &scene);
}

/// An image with stand-ins for vLLM, LMCache's module and its server.
fn image_with_server(host: &Host, scene: &Scene) {
    let (folder, site) = (scene.path().join("image"), "site/dynamo/vllm");
    std::fs::create_dir_all(folder.join(site)).unwrap();
    std::fs::create_dir_all(folder.join("site/lmcache")).unwrap();
    std::fs::write(folder.join(site).join("__main__.py"), VLLM).unwrap();
    std::fs::write(folder.join("site/lmcache/__init__.py"), "raise ImportError\n").unwrap();
    std::fs::write(folder.join("lmcache"), LMCACHE).unwrap();
    std::fs::set_permissions(folder.join("lmcache"), std::fs::Permissions::from_mode(0o755)).unwrap();
    let recipe = format!(
        "FROM {IMAGE}\nUSER 0\nCOPY site /usr/local/lib/python3.11/dist-packages\n\
         COPY lmcache /usr/local/bin/lmcache\nUSER 1000:0\n"
    );
    std::fs::write(folder.join("Dockerfile"), recipe).unwrap();
    host.docker(&["build", "--quiet", "--tag", SERVING_IMAGE, folder.to_str().unwrap()]);
}

fn served() {
    let mut lab = visit();
    let host = lab.host();
    let mut scene = scene_on(&host);
    scene.set("connector", "lmcache");
    scene.set("roles", r#"{ a = "decode", b = "prefill" }"#);
    scene.apply().fails().says("has no Python module lmcache").says("deployment = dynamo_deployment.chat");
    assert_eq!((of(&host, "lmcache"), of(&host, "worker")), (String::new(), String::new()));

    image_with_server(&host, &scene);
    scene.set("image", SERVING_IMAGE);
    let state = scene.settle();
    chats(&host, &state);
    let server = of(&host, "lmcache");
    let name = servers_of(&host).split(' ').next().unwrap().to_owned();
    let alias = name.strip_prefix(&format!("{}-", scene.name)).unwrap().to_owned();
    let seen = host.docker(&[
        "inspect",
        "--format",
        "{{.HostConfig.IpcMode}} {{json .HostConfig.DeviceRequests}} {{json .Config.Cmd}}",
        &server,
    ]);
    assert!(
        seen.starts_with("host") && seen.contains("\"all\"") && seen.contains("\"--l1-size-gb\",\"1\""),
        "{seen}"
    );
    // It has all GPUs in sight and keeps none from a worker: each of the two has one.
    let workers = of(&host, "worker");
    assert_eq!(workers.lines().count(), 2);
    for worker in workers.lines() {
        let told = host.docker(&["inspect", "--format", "{{json .Config.Cmd}}", worker]);
        assert!(told.contains(&format!("tcp://{alias}")), "{told}");
        let connect = format!("import socket; socket.create_connection(('{alias}', 5555))");
        host.docker(&["exec", worker, "python3", "-c", &connect]);
    }

    // Another size is another server, which the workers follow one by one.
    scene.set("cache_gb", "2");
    chats(&host, &scene.settle());
    assert!(servers_of(&host).lines().count() == 1 && of(&host, "lmcache") != server);
    assert!(of(&host, "worker").lines().all(|id| !workers.contains(id)));

    // One that is gone is seen and comes back; nothing else is touched.
    let (frontend, workers) = (of(&host, "frontend"), of(&host, "worker"));
    host.docker(&["rm", "--force", &of(&host, "lmcache")]);
    assert_eq!(scene.plan().changed(), ["dynamo_worker.chat[\"a\"]", "dynamo_worker.chat[\"b\"]"]);
    scene.settle();
    assert!(servers_of(&host).ends_with(" running"));
    assert_eq!((of(&host, "frontend"), of(&host, "worker")), (frontend, workers));

    // And without it, it goes.
    scene.set("roles", r#"{ a = "decode" }"#);
    scene.set("server", "false");
    chats(&host, &scene.settle());
    assert_eq!(of(&host, "lmcache"), "");
    end(&host, &scene);
    host.docker(&["rmi", SERVING_IMAGE]);
}

/// Name, id and state of the cache servers of a host, a line each.
fn servers_of(host: &Host) -> String {
    let filter = "label=io.dynamo-terraform.component=lmcache";
    host.docker(&[
        "ps",
        "--all",
        "--no-trunc",
        "--filter",
        filter,
        "--format",
        "{{.Names}} {{.ID}} {{.State}}",
    ])
}

/// The port at which a container was told that its cache server is, and that there is one.
fn meets_its_server(host: &Host, worker: &str) -> String {
    let command = host.docker(&["inspect", "--format", "{{json .Config.Cmd}}", worker]);
    assert!(command.contains("tcp://127.0.0.1"), "{command}");
    let port = command.split(r#"mp.port\":"#).nth(1).and_then(|rest| rest.split('}').next());
    let port = port.unwrap_or_else(|| panic!("{command}")).to_owned();
    let connect = format!("import socket; socket.create_connection(('127.0.0.1', {port}))");
    host.docker(&["exec", worker, "python3", "-c", &connect]);
    port
}

fn brought() {
    let mut lab = visit();
    let hosts = [lab.host(), lab.other_host()];
    let [first, second] = &hosts;
    let entries = hosts
        .each_ref()
        .map(|host| format!("    {} = {{\n{}\n    }}\n", host.name, host.entry("ops", &with_key("ed25519"))));
    let mut scene = Scene::new(&format!(
        "provider \"dynamo\" {{\n  hosts = {{\n{}  }}\n}}\n{CACHE_SERVER}",
        entries.concat()
    ));
    hosts.iter().for_each(|host| image_with_server(host, &scene));
    scene.set("image", SERVING_IMAGE);
    scene.set("first", &first.name);
    scene.set("address", &first.address);
    let on = |host: &Host, more: &str| format!("{{ host = \"{}\"{more} }}", host.name);
    let three = |more: &str| format!("{{ a = {0}, b = {0}, c = {1} }}", on(first, ""), on(second, more));

    // A worker that does not start leaves none behind.
    scene.set("workers", &format!("{{ c = {} }}", on(second, "")));
    scene.set("env", r#"{ PYTHONHOME = "/nowhere" }"#);
    scene.apply().fails().says("Fatal Python error");
    assert_eq!((left_on(second), of(first, "frontend").lines().count()), (String::new(), 1));
    scene.set("env", "{}");

    // All of it at once: the workers of a host share what one of them brought.
    scene.set("workers", &three(""));
    let state = scene.settle();
    chats_from(second, &state);
    let before = hosts.each_ref().map(servers_of);
    for (host, servers) in hosts.iter().zip(&before) {
        assert!(servers.lines().count() == 1 && servers.ends_with(" running"), "{servers}");
        let ports: Vec<String> = of(host, "worker").lines().map(|id| meets_its_server(host, id)).collect();
        assert!(ports.iter().all(|port| *port == ports[0]), "{ports:?}");
    }
    let shown = state.get("dynamo_deployment.chat", "containers");
    assert!(shown.get("lmcache").is_none() && shown.get("frontend").is_some(), "{shown}");

    // Another size is another server, and the one before goes with the last who has it.
    scene.set("cache_gb", "2");
    chats_from(second, &scene.settle());
    for (host, before) in hosts.iter().zip(&before) {
        let servers = servers_of(host);
        assert!(servers.lines().count() == 1 && servers.ends_with(" running"), "{servers}");
        assert_ne!(servers.split(' ').next(), before.split(' ').next());
        of(host, "worker").lines().for_each(|id| drop(meets_its_server(host, id)));
    }

    // One that is gone is seen by its workers and comes back, and nothing else is touched.
    let workers = of(second, "worker");
    let server = servers_of(second);
    second.docker(&["rm", "--force", server.split(' ').next().unwrap()]);
    let plan = scene.plan();
    assert_eq!(plan.changed(), ["dynamo_worker.chat[\"c\"]"]);
    scene.settle();
    assert!(servers_of(second).ends_with(" running"));
    assert_eq!(of(second, "worker"), workers);

    // It runs while one of its workers does.
    scene.set("workers", &three(", state = \"stopped\""));
    scene.settle();
    assert!(servers_of(second).ends_with(" exited") && servers_of(first).ends_with(" running"));
    scene.set("workers", &three(""));
    chats_from(first, &scene.settle());
    assert!(servers_of(second).ends_with(" running"));

    // It goes with the last of them, and without it when they are told to do without.
    scene.set("workers", &format!("{{ a = {0}, b = {0} }}", on(first, "")));
    scene.settle();
    assert_eq!(left_on(second), "");
    assert_eq!(servers_of(first).lines().count(), 1);
    scene.set("server", "false");
    chats_from(first, &scene.settle());
    assert_eq!(servers_of(first), "");
    scene.forget("TF_VAR_server");

    // What is handed over in the memory of one host is not on the next one.
    let apart = format!("{{ a = {}, b = {} }}", on(first, ", role = \"prefill\""), on(second, ""));
    scene.set("workers", &apart);
    let refused = scene.terraform(&["plan", "-input=false", "-no-color"]).fails();
    refused.says("The workers would not meet").says("connector.type = \"nixl\"");
    scene
        .set("workers", &format!("{{ a = {}, b = {} }}", on(second, ", role = \"prefill\""), on(second, "")));
    chats_from(first, &scene.settle());
    assert_eq!((servers_of(first).lines().count(), servers_of(second).lines().count()), (0, 1));

    // Workers that somebody removed cannot ask for its removal: the deployment does.
    for worker in of(second, "worker").lines() {
        second.docker(&["rm", "--force", worker]);
    }
    scene.destroy().succeeds();
    assert_eq!(hosts.each_ref().map(left_on), ["", ""]);
    for host in &hosts {
        host.docker(&["rmi", SERVING_IMAGE]);
    }
}

fn too_much() {
    let mut lab = visit();
    let host = lab.host();
    let mut scene = scene_on(&host);
    let refused = |scene: &Scene, words: &[&str]| {
        let plan = scene.terraform(&["plan", "-input=false", "-no-color"]).fails();
        words.iter().fold(plan, |plan, word| plan.says(word));
    };
    let kilobytes = host.run(&["awk", "/^MemTotal/ { print $2 }", "/proc/meminfo"]);
    let most = kilobytes.parse::<u64>().unwrap() * 6 / 10 / (1 << 20);
    scene.set("cache_gb", &most.to_string());
    scene.plan();
    // Each fits, and both do not.
    scene.set("roles", r#"{ a = "decode", b = "decode" }"#);
    refused(
        &scene,
        &["2 caches on host", &format!("would pin {} GB in all", 2 * most), "beyond its reserve"],
    );

    scene.set("roles", r#"{ a = "decode" }"#);
    scene.set("cache_gb", "1");
    scene.set("disk", "{ gb = 1000000 }");
    refused(&scene, &["in Docker's data folder on host", "are free there"]);
    scene.set("disk", r#"{ gb = 1000000, path = "/srv" }"#);
    refused(&scene, &["in /srv on host", "would take 1000000 GB in all", "connector.disk_cache_path"]);
    scene.set("disk", r#"{ gb = 1, path = "/srv/nowhere" }"#);
    refused(&scene, &["there is no folder /srv/nowhere"]);
}
