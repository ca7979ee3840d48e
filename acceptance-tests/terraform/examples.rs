//! The examples that the documentation shows: they are formatted and valid, and each folder can be planned
//! as it is.

use std::{fs, path::PathBuf};

use super::{
    Case,
    harness::{IMAGE, Scene},
};

pub const CASES: &[Case] = &[
    ("all_are_formatted", all_are_formatted),
    ("the_schema_is_what_terraform_sees", the_schema_is_what_terraform_sees),
];

/// A folder below `examples/` with configuration in it.
pub struct Example {
    folder: PathBuf,
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("examples")
}

/// Every folder with a `.tf` file, by path.
pub fn folders() -> Vec<Example> {
    let mut found = Vec::new();
    let mut open = vec![root()];
    while let Some(folder) = open.pop() {
        let entries: Vec<PathBuf> = fs::read_dir(&folder).unwrap().map(|it| it.unwrap().path()).collect();
        open.extend(entries.iter().filter(|path| path.is_dir()).cloned());
        if entries.iter().any(|path| path.extension().is_some_and(|it| it == "tf")) {
            found.push(Example { folder });
        }
    }
    found.sort_by(|one, other| one.folder.cmp(&other.folder));
    found
}

/// A deployment of the example's name may live on this machine already, and its image is a download: what Terraform
/// merges into the example to plan it as the scene's own.
fn override_of(scene: &Scene) -> String {
    format!(
        r#"
resource "dynamo_deployment" "chat" {{
  name              = {:?}
  image             = {IMAGE:?}
  image_pull_policy = "never"
}}
"#,
        scene.name
    )
}

/// A machine with GPUs that is still to be made: what needs it is planned without.
const TO_COME: &str = "resource \"terraform_data\" \"to_come\" {}\n";
const HOST_TO_COME: &str = r#"
provider "dynamo" {
  hosts = { gpu-a = { address = terraform_data.to_come.id } }
}
"#;

impl Example {
    pub fn name(&self) -> String {
        self.folder.strip_prefix(root()).unwrap().to_string_lossy().replace('/', "::")
    }

    pub fn run(&self) {
        let scene = Scene::new("");
        for file in ["preamble.tf", "main.tf"] {
            fs::remove_file(scene.path().join(file)).unwrap();
        }
        let (imports, configuration): (Vec<PathBuf>, Vec<PathBuf>) =
            self.files().into_iter().partition(|file| name_of(file).starts_with("import-"));
        self.put(&scene, &configuration);
        scene.terraform(&["validate", "-no-color"]).succeeds();

        let text: String = configuration.iter().map(|file| fs::read_to_string(file).unwrap()).collect();
        if text.contains("resource \"dynamo_deployment\"") {
            let mut changed = override_of(&scene);
            if text.contains("gpu_count") {
                fs::write(scene.path().join("to_come.tf"), TO_COME).unwrap();
                changed.push_str(HOST_TO_COME);
            }
            fs::write(scene.path().join("override.tf"), changed).unwrap();
        }
        scene.terraform(&["plan", "-input=false", "-no-color"]).succeeds();

        // What they import is not there, so they are only checked for being valid beside their resource.
        self.put(&scene, &imports);
        scene.terraform(&["validate", "-no-color"]).succeeds();
        scene.nothing_left();
    }

    fn files(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(&self.folder).unwrap().map(|it| it.unwrap().path());
        entries.filter(|path| path.extension().is_some_and(|it| it == "tf")).collect()
    }

    fn put(&self, scene: &Scene, files: &[PathBuf]) {
        for file in files {
            fs::copy(file, scene.path().join(name_of(file))).unwrap();
        }
    }
}

fn name_of(file: &std::path::Path) -> String {
    file.file_name().unwrap().to_string_lossy().into_owned()
}

fn all_are_formatted() {
    let examples = root();
    let check = ["fmt", "-check", "-diff", "-recursive", examples.to_str().unwrap()];
    Scene::new("").terraform(&check).succeeds();
}

/// `terraform-provider-dynamo schema` prints what Terraform makes of the schema that it gets over the wire.
fn the_schema_is_what_terraform_sees() {
    let scene = Scene::new("");
    let seen = scene.terraform(&["providers", "schema", "-json"]).succeeds();
    let mut seen: serde_json::Value = serde_json::from_str(&seen.stdout).unwrap();
    let providers = seen["provider_schemas"].as_object_mut().unwrap();
    let mut seen = providers.iter_mut().next().unwrap().1.take();
    let printed = std::process::Command::new(env!("CARGO_BIN_EXE_terraform-provider-dynamo"))
        .arg("schema")
        .output()
        .unwrap();
    let mut printed: serde_json::Value = serde_json::from_slice(&printed.stdout).unwrap();
    // Terraform before 1.12 does not ask for identities.
    for schema in [&mut seen, &mut printed] {
        schema.as_object_mut().unwrap().remove("resource_identity_schemas");
    }
    assert_eq!(seen, printed);
}
