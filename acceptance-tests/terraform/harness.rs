//! Terraform in a folder of its own: the provider comes from cargo's build folder through `dev_overrides`, so that no
//! `terraform init`, no registry and no settings of the user's take part.
//!
//! A [`Scene`] is such a folder together with a deployment name that nobody else uses. When it goes out of scope, whatever
//! carries that name in Docker goes too, whether the case passed or not.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::OnceLock,
};

use serde_json::Value;

use super::{
    report::{Outcome, Plan, State},
    world::docker,
};

/// What `images.sh` and `model.py` of the lab make.
pub const IMAGE: &str = "dynamo-mocker:1.6.1";
pub const DYING_IMAGE: &str = "dynamo-faults:dies";
/// Answers like a frontend without workers, and costs next to nothing.
pub const HOLLOW_IMAGE: &str = "dynamo-faults:hollow";
/// Stands in for Open WebUI.
pub const PAGE_IMAGE: &str = "openwebui-standin:1";
pub const BYSTANDER_IMAGE: &str = "busybox:local";
/// The name under which every case serves its model.
pub const MODEL: &str = "tiny";

pub const PROVIDER: &str = env!("CARGO_BIN_EXE_terraform-provider-dynamo");
const REPOSITORY: &str = env!("CARGO_MANIFEST_DIR");
const APPLY_LOG: &str = "apply.log";
/// Seconds after which a command of Terraform's counts as hanging.
const COMMAND_LIMIT: &str = "300";

/// Written beside every configuration. A configuration with its own `provider` block gets none.
const PREAMBLE: &str = r#"
terraform {
  required_providers {
    dynamo = { source = "terraform-provider-dynamo/dynamo" }
  }
}
variable "name" { type = string }
variable "image" { type = string }
variable "model" { type = string }
"#;
const PROVIDER_BLOCK: &str = "\nprovider \"dynamo\" {}\n";

pub fn model_folder() -> PathBuf {
    Path::new(REPOSITORY).join(".lab/model/plain/Tiny-Chat-0.1B")
}

pub fn cases_folder() -> PathBuf {
    Path::new(REPOSITORY).join("acceptance-tests/terraform/cases")
}

/// What every case needs, looked at once; the error is one sentence with what to do.
pub fn preflight() -> Result<(), String> {
    static RESULT: OnceLock<Result<(), String>> = OnceLock::new();
    RESULT.get_or_init(look_around).clone()
}

fn look_around() -> Result<(), String> {
    let works = |program: &str, arguments: &[&str]| {
        Command::new(program).args(arguments).output().is_ok_and(|o| o.status.success())
    };
    if !works("terraform", &["version"]) {
        return Err("Terraform is not on the PATH: install Terraform 1.11 or newer to run these tests".into());
    }
    if !works("timeout", &["15", "docker", "info"]) {
        return Err("no Docker Engine answers: run acceptance-tests/lab/engine.sh up first".into());
    }
    for image in [IMAGE, DYING_IMAGE, HOLLOW_IMAGE, BYSTANDER_IMAGE] {
        if !works("docker", &["image", "inspect", image]) {
            return Err(format!("image {image} is not there: run acceptance-tests/lab/images.sh first"));
        }
    }
    if !works("docker", &["image", "inspect", PAGE_IMAGE]) {
        return Err(format!(
            "image {PAGE_IMAGE} is not there: run acceptance-tests/lab/openwebui.sh standin first"
        ));
    }
    if !model_folder().join("config.json").exists() {
        return Err("the test model is not there: run acceptance-tests/lab/model.py .lab/model first".into());
    }
    Ok(())
}

/// A folder with a configuration and a state, and the deployment name that goes with it.
pub struct Scene {
    folder: tempfile::TempDir,
    /// The deployment's name: `var.name` in the configuration.
    pub name: String,
    environment: BTreeMap<String, String>,
    /// Put before `terraform`, e.g. to run it as another user.
    prefix: Vec<String>,
}

impl Scene {
    /// `configuration` is HCL without the `terraform` block; `var.name`, `var.image` and `var.model` are there.
    pub fn new(configuration: &str) -> Self {
        let folder = tempfile::Builder::new().prefix("dynamo-acceptance-").tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
        let mut random = [0_u8; 4];
        getrandom::fill(&mut random).unwrap();
        let mut scene = Self {
            name: format!("acc-{:08x}", u32::from_ne_bytes(random)),
            folder,
            environment: BTreeMap::new(),
            prefix: Vec::new(),
        };
        scene.use_provider_from(Path::new(PROVIDER).parent().unwrap());
        let home = scene.path().to_str().unwrap().to_owned();
        scene.environment("HOME", &home);
        scene.environment("PATH", &std::env::var("PATH").unwrap());
        scene.environment("TF_CLI_CONFIG_FILE", &format!("{home}/terraform.rc"));
        scene.environment("TF_IN_AUTOMATION", "1");
        scene.environment("CHECKPOINT_DISABLE", "1");
        if let Ok(engine) = std::env::var("DOCKER_HOST") {
            scene.environment("DOCKER_HOST", &engine);
        }
        scene.set("name", &scene.name.clone());
        scene.set("image", IMAGE);
        scene.set("model", model_folder().to_str().unwrap());
        scene.write(configuration);
        scene
    }

    /// The configuration in `cases/<case>/main.tf`.
    pub fn of_case(case: &str) -> Self {
        let file = cases_folder().join(case).join("main.tf");
        Self::new(&fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display())))
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Replaces the configuration.
    pub fn write(&self, configuration: &str) {
        let provider = if configuration.contains("provider \"dynamo\"") { "" } else { PROVIDER_BLOCK };
        fs::write(self.path().join("preamble.tf"), format!("{PREAMBLE}{provider}")).unwrap();
        fs::write(self.path().join("main.tf"), configuration).unwrap();
    }

    /// Sets the input variable `name`.
    pub fn set(&mut self, name: &str, value: &str) {
        self.environment(&format!("TF_VAR_{name}"), value);
    }

    /// Sets a variable in Terraform's environment, which is otherwise nearly empty.
    pub fn environment(&mut self, name: &str, value: &str) {
        self.environment.insert(name.to_owned(), value.to_owned());
    }

    /// Leaves a variable out of Terraform's environment.
    pub fn forget(&mut self, name: &str) {
        self.environment.remove(name);
    }

    /// Runs Terraform as `nobody`, who gets a copy of the provider that he may read. Needs root.
    pub fn become_nobody(&mut self) {
        let binaries = self.path().join("bin");
        fs::create_dir(&binaries).unwrap();
        fs::copy(PROVIDER, binaries.join("terraform-provider-dynamo")).unwrap();
        self.use_provider_from(&binaries);
        self.prefix =
            ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"].map(str::to_owned).to_vec();
    }

    /// Runs Terraform under a command whose last arguments it is.
    pub fn under(&mut self, words: &[&str]) {
        self.prefix = words.iter().map(|word| (*word).to_owned()).collect();
    }

    fn use_provider_from(&self, folder: &Path) {
        let settings = format!(
            "provider_installation {{\n  dev_overrides {{\n    \"terraform-provider-dynamo/dynamo\" = {folder:?}\n  }}\n  direct {{}}\n}}\n"
        );
        fs::write(self.path().join("terraform.rc"), settings).unwrap();
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut words: Vec<&str> = vec!["timeout", "--kill-after=30", COMMAND_LIMIT];
        words.extend(self.prefix.iter().map(String::as_str));
        words.push("terraform");
        words.extend(arguments);
        let mut command = Command::new(words[0]);
        command
            .args(&words[1..])
            .current_dir(self.path())
            .env_clear()
            .envs(&self.environment)
            .stdin(Stdio::null());
        command
    }

    /// As [`Scene::start_apply`] but Terraform itself, without a guard that would forward signals once more.
    pub fn bare_command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("terraform");
        command
            .args(arguments)
            .current_dir(self.path())
            .env_clear()
            .envs(&self.environment)
            .stdin(Stdio::null());
        command
    }

    /// Replaces the provider block.
    pub fn provider(&self, block: &str) {
        fs::write(self.path().join("preamble.tf"), format!("{PREAMBLE}\n{block}\n")).unwrap();
    }

    /// Runs Terraform to its end.
    pub fn terraform(&self, arguments: &[&str]) -> Outcome {
        let output = self.command(arguments).output().unwrap();
        Outcome {
            command: format!("terraform {}", arguments.join(" ")),
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Starts `terraform apply` and does not wait. The child is `timeout`; Terraform is its child.
    pub fn start_apply(&self) -> Child {
        let mut command = self.command(&["apply", "-auto-approve", "-input=false", "-no-color"]);
        let log = fs::File::create(self.path().join(APPLY_LOG)).unwrap();
        command.stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap()
    }

    /// What the apply of [`Scene::start_apply`] has said so far.
    pub fn apply_log(&self) -> String {
        fs::read_to_string(self.path().join(APPLY_LOG)).unwrap_or_default()
    }

    pub fn apply(&self) -> Outcome {
        self.terraform(&["apply", "-auto-approve", "-input=false", "-no-color"])
    }

    pub fn destroy(&self) -> Outcome {
        self.terraform(&["destroy", "-auto-approve", "-input=false", "-no-color"])
    }

    /// Applies, checks that a second plan is empty, as it must be after every apply, and gives the state.
    pub fn settle(&self) -> State {
        self.apply().succeeds();
        self.plan().is_empty();
        self.state()
    }

    /// Destroys, and checks that Docker holds nothing of this deployment any more.
    pub fn end(&self) {
        self.destroy().succeeds();
        self.nothing_left();
    }

    /// Containers, networks and volumes that carry this deployment's label: there must be none.
    pub fn nothing_left(&self) {
        let label = format!("label=io.dynamo-terraform.deployment={}", self.name);
        let listings: [&[&str]; 3] =
            [&["ps", "--all", "--quiet"], &["network", "ls", "--quiet"], &["volume", "ls", "--quiet"]];
        for listing in listings {
            let found = docker(&[listing, &["--filter", &label]].concat());
            assert_eq!(found, "", "left in Docker by {}: docker {}", self.name, listing.join(" "));
        }
    }

    pub fn plan(&self) -> Plan {
        let outcome =
            self.terraform(&["plan", "-input=false", "-no-color", "-detailed-exitcode", "-out=plan.bin"]);
        assert!([0, 2].contains(&outcome.code), "the plan failed\n{outcome}");
        let shown = self.terraform(&["show", "-json", "plan.bin"]).succeeds();
        Plan {
            text: outcome.stdout,
            empty: outcome.code == 0,
            json: serde_json::from_str(&shown.stdout).unwrap(),
        }
    }

    pub fn state(&self) -> State {
        let shown = self.terraform(&["show", "-json"]).succeeds();
        State(serde_json::from_str(&shown.stdout).unwrap())
    }

    /// Names of deployments in the state file: more than `self.name` when a case let the provider choose.
    fn deployments_in_state(&self) -> Vec<String> {
        let text = fs::read_to_string(self.path().join("terraform.tfstate")).unwrap_or_default();
        let state: Value = serde_json::from_str(&text).unwrap_or_default();
        let resources = state["resources"].as_array().into_iter().flatten();
        let deployments = resources.filter(|resource| resource["type"] == "dynamo_deployment");
        let instances =
            deployments.flat_map(|deployment| deployment["instances"].as_array().into_iter().flatten());
        instances.filter_map(|instance| Some(instance["attributes"]["name"].as_str()?.to_owned())).collect()
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        let clean = Path::new(REPOSITORY).join("acceptance-tests/lab/clean.sh");
        for name in std::iter::once(self.name.clone()).chain(self.deployments_in_state()) {
            let cleaned = Command::new(&clean).arg(&name).output();
            if !cleaned.is_ok_and(|output| output.status.success()) {
                eprintln!(
                    "what {name} left in Docker could not be removed: try acceptance-tests/lab/clean.sh {name}"
                );
            }
        }
    }
}
