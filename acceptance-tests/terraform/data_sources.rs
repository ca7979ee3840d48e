//! Looking without touching: what data sources say of this machine, and that they say it twice in the same words.

use serde_json::{Value, json};

use super::{
    Case,
    harness::{DYING_IMAGE, Scene, model_folder},
    registry::{PASSWORD, Registry, USER},
    world::{docker, inspect},
};

pub const CASES: &[Case] = &[
    ("images_on_this_machine", images_on_this_machine),
    ("images_in_a_registry_that_wants_a_login", images_in_a_registry),
    ("a_registry_is_trusted_as_the_system_trusts_it", a_registry_is_trusted_as_the_system_trusts_it),
    ("models_in_both_layouts", models_in_both_layouts),
    ("a_folder_and_the_disks", a_folder_and_the_disks),
    ("a_folder_that_is_not_there", a_folder_that_is_not_there),
    ("containers_with_log_and_usage", containers_with_log_and_usage),
    ("the_catalog_and_models_of_ones_own", the_catalog_and_models_of_ones_own),
    ("a_model_that_fits_and_one_that_does_not", a_model_that_fits_and_one_that_does_not),
];

/// The element of a list whose `key` is `value`.
#[track_caller]
fn row<'a>(list: &'a Value, key: &str, value: &str) -> &'a Value {
    let found = list.as_array().into_iter().flatten().find(|row| row[key] == value);
    found.unwrap_or_else(|| panic!("no {key} = {value:?} in {list:#}"))
}

fn images_on_this_machine() {
    let scene = Scene::new(
        r#"
data "dynamo_images" "nvidia" { engine = "mocker" }
data "dynamo_images" "lab" {
  engine     = "mocker"
  repository = "dynamo-mocker"
}
data "dynamo_images" "one" {
  engine         = "mocker"
  dynamo_version = "1.6.1"
}
output "all" { value = [data.dynamo_images.nvidia, data.dynamo_images.lab, data.dynamo_images.one] }
"#,
    );
    let state = scene.settle();
    let images = |name: &str| state.get(&format!("data.dynamo_images.{name}"), "images");
    let lab = images("lab");
    let installed = row(&lab, "version", "1.6.1");
    assert_eq!(installed["image"], "dynamo-mocker:1.6.1");
    assert_eq!(
        (&installed["installed"], &installed["known"], &installed["available"]),
        (&json!(true), &json!(true), &Value::Null)
    );
    assert_eq!(installed["id"], docker(&["image", "inspect", "--format", "{{.Id}}", "dynamo-mocker:1.6.1"]));
    assert!(installed["size_gb"].as_f64().unwrap() > 0.1, "{installed}");
    assert_eq!(images("one").as_array().unwrap().len(), 1);
    assert_eq!(images("one")[0]["image"], "nvcr.io/nvidia/ai-dynamo/dynamo-planner:1.6.1");
    assert_eq!(state.text("data.dynamo_images.nvidia", "host"), "local");
}

fn images_in_a_registry() {
    let mut registry = Registry::start();
    let image = registry.hold("acc/dies:1.10.0");
    registry.hold("acc/dies:1.9.0");
    let configuration = |password: &str, more: &str| {
        format!(
            r#"
provider "dynamo" {{
  registry_auth = {{ {address:?} = {{ username = {USER:?}, password = {password:?} }} }}
}}
data "dynamo_images" "held" {{
  engine     = "mocker"
  repository = "{address}/acc/dies"
  registry   = true
}}
{more}
"#,
            address = registry.address
        )
    };
    let scene = Scene::new(&configuration(PASSWORD, ""));
    let images = scene.settle().get("data.dynamo_images.held", "images");
    let versions: Vec<&str> =
        images.as_array().unwrap().iter().map(|it| it["version"].as_str().unwrap()).collect();
    // What the registry has beside what is known, which it does not have.
    assert!(versions.starts_with(&["1.10.0", "1.9.0", "1.6.1"]), "{versions:?}");
    for (version, available) in [("1.10.0", true), ("1.6.1", false)] {
        let row = row(&images, "version", version);
        assert_eq!((&row["available"], &row["installed"]), (&json!(available), &json!(false)), "{row}");
    }

    // The same login serves pulls: the image is there afterwards, and dies as it does.
    let deployment = format!(
        r#"
resource "dynamo_deployment" "chat" {{
  name              = var.name
  engine            = "mocker"
  image             = {image:?}
  image_pull_policy = "always"
  model             = var.model
}}
"#
    );
    scene.write(&configuration(PASSWORD, &deployment));
    scene.apply().fails().says("code 3");
    scene.end();
    scene.write(&configuration(PASSWORD, ""));
    let images = scene.settle().get("data.dynamo_images.held", "images");
    let pulled = row(&images, "version", "1.10.0");
    assert_eq!(pulled["id"], docker(&["image", "inspect", "--format", "{{.Id}}", DYING_IMAGE]));
    assert!(pulled["digest"].as_str().is_some_and(|digest| digest.starts_with("sha256:")), "{pulled}");

    scene.write(&configuration("wrong-password", ""));
    let refused = scene.terraform(&["plan", "-input=false", "-no-color"]).fails().says("registry_auth");
    for secret in ["wrong-password", PASSWORD] {
        assert!(!format!("{refused}").contains(secret), "{refused}");
    }
}

/// 0.0.0.0 leads to this machine and is no loopback address, so it is spoken to over TLS.
fn a_registry_is_trusted_as_the_system_trusts_it() {
    let registry = Registry::start_with_tls("0.0.0.0");
    let mut scene = Scene::new(&format!(
        r#"
provider "dynamo" {{
  registry_auth = {{ {address:?} = {{ username = {USER:?}, password = {PASSWORD:?} }} }}
}}
data "dynamo_images" "none" {{
  engine     = "mocker"
  repository = "{address}/acc/none"
  registry   = true
}}
"#,
        address = registry.address
    ));
    scene.terraform(&["plan", "-input=false", "-no-color"]).fails().says("certificate");
    scene.environment("SSL_CERT_FILE", registry.certificate().to_str().unwrap());
    scene.terraform(&["plan", "-input=false", "-no-color"]).fails().says("the registry does not have image");
}

fn models_in_both_layouts() {
    let lab = model_folder().join("../..").canonicalize().unwrap();
    let scene = Scene::new(&format!(
        r#"
provider "dynamo" {{
  hosts = {{ here = {{ model_paths = [{lab:?}, "{}/no-such-folder"] }} }}
}}
data "dynamo_installed_models" "here" {{}}
output "models" {{ value = data.dynamo_installed_models.here.models }}
"#,
        lab.display()
    ));
    scene.terraform(&["plan", "-input=false", "-no-color"]).succeeds().says("no-such-folder");
    let models = scene.settle().get("data.dynamo_installed_models.here", "models");
    let cached = row(&models, "name", "acme/Tiny-Chat-0.1B");
    let path = cached["path"].as_str().unwrap();
    assert!(path.starts_with(lab.join("hub").to_str().unwrap()), "{cached}");
    assert!(path.ends_with(&format!("snapshots/{}", cached["revision"].as_str().unwrap())), "{cached}");
    let plain = row(&models, "name", "plain/Tiny-Chat-0.1B");
    assert_eq!((plain["layout"].as_str(), &plain["revision"]), (Some("folder"), &Value::Null));
    // It is made without weights.
    for model in [cached, plain] {
        assert_eq!(
            (&model["complete"], model["problem"].as_str()),
            (&json!(false), Some("there are no weights"))
        );
        assert_eq!(model["context_length"], json!(8192));
    }
}

fn a_folder_and_the_disks() {
    let scene = Scene::new(
        r#"
data "dynamo_host_directory" "model" { path = var.model }
output "all" { value = data.dynamo_host_directory.model.entries }
"#,
    );
    let state = scene.settle();
    let get = |path: &str| state.get("data.dynamo_host_directory.model", path);
    let entries = get("entries");
    let config = row(&entries, "name", "config.json");
    let length = std::fs::metadata(model_folder().join("config.json")).unwrap().len();
    assert_eq!((&config["kind"], &config["size_bytes"]), (&json!("file"), &json!(length)));
    let names: Vec<&str> =
        entries.as_array().unwrap().iter().map(|it| it["name"].as_str().unwrap()).collect();
    assert!(names.is_sorted(), "{names:?}");
    assert!(get("free_gb").as_f64().unwrap() > 0.0);
    assert!(row(&get("disks"), "mount", "/")["size_gb"].as_f64().unwrap() > 0.0);
}

fn a_folder_that_is_not_there() {
    let scene = Scene::new(r#"data "dynamo_host_directory" "gone" { path = "/no/such/folder" }"#);
    let plan = scene.terraform(&["plan", "-input=false", "-json"]).fails();
    let errors = plan.errors();
    assert!(errors.len() == 1 && errors[0].says("there is no folder /no/such/folder"), "{plan}");
    assert_eq!((errors[0].file.as_str(), errors[0].line), ("main.tf", 1));
}

fn containers_with_log_and_usage() {
    let scene = Scene::of_case("quickstart");
    scene.settle();
    let quickstart = std::fs::read_to_string(scene.path().join("main.tf")).unwrap();
    scene.write(&format!(
        r#"{quickstart}
data "dynamo_containers" "chat" {{
  deployment = dynamo_deployment.chat.name
  lines      = 5
  usage      = true
}}
data "dynamo_containers" "plain" {{
  deployment = dynamo_deployment.chat.name
}}
output "plain" {{ value = data.dynamo_containers.plain.containers[*].name }}
"#
    ));
    scene.terraform(&["apply", "-auto-approve", "-input=false", "-no-color"]).succeeds();
    scene.plan().is_empty();
    let state = scene.state();
    let seen = state.get("data.dynamo_containers.chat", "containers");
    assert_eq!(seen.as_array().unwrap().len(), 3, "{seen:#}");
    let frontend = row(&seen, "component", "frontend");
    assert_eq!((&frontend["state"], &frontend["restarts"]), (&json!("running"), &json!(0)));
    assert_eq!((&frontend["role"], &frontend["exit_code"]), (&Value::Null, &Value::Null));
    assert_eq!(frontend["id"], inspect(frontend["name"].as_str().unwrap(), "{{.Id}}"));
    assert_eq!(frontend["ports"][0]["container_port"], json!(8000));
    let worker = row(&seen, "component", "worker");
    assert_eq!(worker["role"], "decode");
    for container in [frontend, worker] {
        assert!(container["memory_gb"].as_f64().unwrap() > 0.001, "{container}");
        assert!(container["cpu_percent"].as_f64().unwrap() >= 0.0, "{container}");
        let log = container["log_tail"].as_str().unwrap();
        assert!(!log.is_empty() && log.lines().count() <= 5, "{log}");
    }
    let plain = state.get("data.dynamo_containers.plain", "containers");
    assert_eq!((&plain[0]["log_tail"], &plain[0]["memory_gb"]), (&json!(""), &Value::Null));
    // A log may hold anything: Terraform shows it only when it is asked to.
    let output = "output \"log\" {\n  value = data.dynamo_containers.chat.containers[0].log_tail\n}\n";
    std::fs::write(scene.path().join("output.tf"), output).unwrap();
    scene.terraform(&["plan", "-input=false", "-no-color"]).fails().says("sensitive");
    std::fs::remove_file(scene.path().join("output.tf")).unwrap();
    scene.end();
}

fn the_catalog_and_models_of_ones_own() {
    let scene = Scene::new(
        r#"
provider "dynamo" {
  models = {
    "/data/support" = {
      tags            = ["chat"]
      weights_gb      = 1.5
      context_length  = 8192
      layers          = 16
      attention_heads = 16
      kv_heads        = 8
      head_dim        = 128
      engine_args     = { enforce_eager = "true" }
    }
    "openai/gpt-oss-20b" = { tool_call_parser = "default" }
  }
}
data "dynamo_model_catalog" "all" {}
data "dynamo_model_catalog" "small" {
  tags          = ["chat"]
  max_memory_gb = 5
  gated         = false
}
data "dynamo_model_catalog" "oss" {
  name           = "GPT-OSS"
  gpu_memory_gb  = 48
  engine         = "sglang"
  dynamo_version = "1.6.1"
}
"#,
    );
    let state = scene.settle();
    let models = |name: &str| state.get(&format!("data.dynamo_model_catalog.{name}"), "models");
    assert!(models("all").as_array().unwrap().len() > 80);
    let mine = row(&models("small"), "name", "/data/support").clone();
    assert_eq!(mine["memory_gb"], json!(4), "1.5 for weights, 0.5 for the cache, 2 besides: {mine}");
    assert_eq!((&mine["gpus"], &mine["engine_args"]["enforce-eager"]), (&json!(1), &json!("true")));
    assert_eq!((&mine["source"], &mine["license"]), (&Value::Null, &Value::Null));
    for model in models("small").as_array().unwrap() {
        assert!(model["memory_gb"].as_f64().unwrap() <= 5.0 && model["gated"] != json!(true), "{model}");
    }
    let oss = models("oss");
    let names: Vec<&str> = oss.as_array().unwrap().iter().map(|it| it["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["openai/gpt-oss-120b", "openai/gpt-oss-20b"]);
    let (large, changed) = (&oss[0], &oss[1]);
    assert_eq!(
        (&large["gpus"], &large["engine_args"]["dyn-tool-call-parser"]),
        (&json!(2), &json!("harmony"))
    );
    assert_eq!(
        changed["engine_args"],
        json!({"dyn-reasoning-parser": "gpt_oss", "dyn-tool-call-parser": "default"})
    );
    // Nothing of it needs a host.
    scene.terraform(&["plan", "-input=false", "-no-color", "-detailed-exitcode"]).succeeds();
}

fn a_model_that_fits_and_one_that_does_not() {
    let configuration = |memory: &str| {
        format!(
            r#"
locals {{
  fit = provider::dynamo::model_fit("meta-llama/Llama-3.1-8B-Instruct", {memory}, {{ max_model_len = 16384 }})
}}
data "dynamo_model_catalog" "llama" {{ name = "Llama-3.1-8B-Instruct" }}
output "same" {{
  value = provider::dynamo::model_fit(data.dynamo_model_catalog.llama.models[0], {memory}, {{ max_model_len = 16384 }}).message == local.fit.message
}}
output "fit" {{
  value = local.fit
  precondition {{
    condition     = local.fit.fits
    error_message = local.fit.message
  }}
}}
"#
        )
    };
    let scene = Scene::new(&configuration("24"));
    scene.settle();
    let outputs = scene.terraform(&["output", "-json"]).succeeds();
    let outputs: Value = serde_json::from_str(&outputs.stdout).unwrap();
    assert_eq!(
        (&outputs["same"]["value"], &outputs["fit"]["value"]["verdict"]),
        (&json!(true), &json!("fits"))
    );
    scene.write(&configuration("16"));
    scene
        .terraform(&["plan", "-input=false", "-no-color"])
        .fails()
        .says("15.0 GB for weights")
        .says("2 such GPUs");
    scene.write(&configuration("-1"));
    scene.terraform(&["plan", "-input=false", "-no-color"]).fails().says("must be a number greater than 0");
}
