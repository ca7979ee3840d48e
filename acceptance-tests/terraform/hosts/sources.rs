//! Data sources over SSH: all that is there to see, on one connection, in a few round trips however much there is.

use serde_json::json;

use super::{
    super::{Case, harness::Scene},
    lab::{Host, visit, with_key},
    provider,
};

pub const CASES: &[Case] = &[
    ("everything_on_one_connection", everything_on_one_connection),
    ("thousands_of_files_cost_no_more_sessions", thousands_of_files),
];

const ALL: &str = r#"
data "dynamo_host" "here" {}
data "dynamo_host_gpus" "here" {}
data "dynamo_images" "here" {
  engine     = "mocker"
  repository = "dynamo-mocker"
}
data "dynamo_installed_models" "here" {}
data "dynamo_host_directory" "here" { path = "/data/models" }
data "dynamo_containers" "here" {}
"#;

fn sees(host: &Host, sources: &str) -> Scene {
    let entry = host.entry("ops", &with_key("ed25519"));
    Scene::new(&format!("{}{sources}", provider(&format!("{entry}model_paths = [\"/data/models\"]"))))
}

/// A model with weights that are as long as they say: a header of JSON and four bytes.
fn make_model(host: &Host, folder: &str) {
    let script = format!(
        r#"mkdir -p '{folder}' && cd '{folder}' && echo '{{"architectures":["Qwen2ForCausalLM"],"max_position_embeddings":4096}}' >config.json
           echo '{{}}' >tokenizer.json
           header='{{"w":{{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}}}'
           printf "\\$(printf %o ${{#header}})\0\0\0\0\0\0\0%s\0\0\0\0" "$header" >model.safetensors"#
    );
    host.run(&["bash", "-c", &script]);
}

fn everything_on_one_connection() {
    let mut lab = visit();
    let host = lab.host();
    host.run(&["rm", "-rf", "/data/models"]);
    make_model(&host, "/data/models/whole");
    host.run(&[
        "bash",
        "-c",
        "cp -r /data/models/whole /data/models/torn && truncate -s -1 /data/models/torn/model.safetensors",
    ]);
    let scene = sees(&host, ALL);
    scene.apply().succeeds();
    let watch = host.watch();
    scene.plan().is_empty();
    assert_eq!((watch.connections(), watch.logins()), (1, 1));
    let state = scene.state();
    let get = |source: &str, path: &str| state.get(&format!("data.dynamo_{source}.here"), path);
    assert_eq!(get("host_gpus", "available").as_array().unwrap().len(), 2);
    assert_eq!(get("host_gpus", "gpus")[0]["links"], json!({ "1": "NV18" }));
    assert_eq!(get("host_gpus", "driver_version"), json!("570.124.06"));
    assert!(get("host", "docker_version").as_str().is_some_and(|version| !version.is_empty()));
    assert_eq!(get("images", "images")[0]["installed"], json!(true));
    assert_eq!(get("containers", "containers"), json!([]));
    let models = get("installed_models", "models");
    let complete = |name: &str| {
        let rows = models.as_array().unwrap();
        rows.iter()
            .find(|row| row["path"].as_str().unwrap().ends_with(name))
            .map(|row| row["complete"].clone())
    };
    assert_eq!(complete("whole"), Some(json!(true)), "{models:#}");
    assert_eq!(complete("torn"), Some(json!(false)), "{models:#}");
    let entries = get("host_directory", "entries");
    assert_eq!(entries.as_array().unwrap().len(), 2, "{entries:#}");
}

fn thousands_of_files() {
    let mut lab = visit();
    let host = lab.host();
    let scene = sees(&host, r#"data "dynamo_installed_models" "here" {}"#);
    let sessions = |files: usize| {
        let script = format!(
            "rm -rf /data/models; mkdir -p /data/models/m && cd /data/models/m && seq {files} | xargs touch && echo '{{}}' >config.json"
        );
        host.run(&["bash", "-c", &script]);
        let watch = host.watch();
        scene.terraform(&["plan", "-input=false", "-no-color"]).succeeds();
        assert_eq!(watch.connections(), 1);
        watch.sessions()
    };
    let few = sessions(5);
    assert!(few > 0, "the server's log does not tell of sessions");
    assert_eq!(sessions(5000), few, "more files cost more sessions");
}
