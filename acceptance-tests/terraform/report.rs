//! What Terraform answered, in a form that cases can question: exit code and words, errors and the lines they point at,
//! planned changes, remembered attributes.

use serde_json::Value;

/// How a command of Terraform's ended.
#[derive(Debug)]
pub struct Outcome {
    pub command: String,
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "$ {}\n{}\n{}\n(exit code {})", self.command, self.stdout, self.stderr, self.code)
    }
}

impl Outcome {
    #[track_caller]
    pub fn succeeds(self) -> Self {
        assert!(self.code == 0, "this should have worked\n{self}");
        self
    }

    /// An orderly failure: Terraform's exit code for errors, not a timeout or a crash.
    #[track_caller]
    pub fn fails(self) -> Self {
        assert!(self.code == 1, "this should have failed with exit code 1\n{self}");
        for crash in ["panic", "The plugin encountered an error", "Plugin did not respond"] {
            assert!(
                !self.stderr.contains(crash) && !self.stdout.contains(crash),
                "the provider crashed\n{self}"
            );
        }
        self
    }

    /// Both streams hold `needle`; Terraform's line breaks and box drawing do not count.
    #[track_caller]
    pub fn says(self, needle: &str) -> Self {
        let plain = flatten(&format!("{} {}", self.stdout, self.stderr));
        assert!(plain.contains(&flatten(needle)), "{needle:?} is not in the output\n{self}");
        self
    }

    /// The errors of `validate -json`, `plan -json` or `apply -json`.
    pub fn errors(&self) -> Vec<Diagnostic> {
        let one: Option<Value> = serde_json::from_str(&self.stdout).ok();
        let found: Vec<Value> = match one.as_ref().and_then(|report| report["diagnostics"].as_array()) {
            Some(diagnostics) => diagnostics.clone(),
            None => self
                .stdout
                .lines()
                .filter_map(|line| serde_json::from_str::<Value>(line).ok())
                .filter(|event| event["type"] == "diagnostic")
                .map(|event| event["diagnostic"].clone())
                .collect(),
        };
        found
            .iter()
            .filter(|diagnostic| diagnostic["severity"] == "error")
            .map(Diagnostic::from_json)
            .collect()
    }
}

fn flatten(text: &str) -> String {
    text.replace(['│', '╷', '╵'], " ").split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

/// One error of Terraform's, and where it points.
#[derive(Debug)]
pub struct Diagnostic {
    /// Summary and detail, flattened to lower case.
    text: String,
    pub file: String,
    /// From 1; 0 when the error points nowhere.
    pub line: u64,
}

impl Diagnostic {
    fn from_json(diagnostic: &Value) -> Self {
        let words = |key: &str| diagnostic[key].as_str().unwrap_or_default().to_owned();
        Self {
            text: flatten(&format!("{} {}", words("summary"), words("detail"))),
            file: diagnostic["range"]["filename"].as_str().unwrap_or_default().to_owned(),
            line: diagnostic["range"]["start"]["line"].as_u64().unwrap_or(0),
        }
    }

    pub fn says(&self, needle: &str) -> bool {
        self.text.contains(&flatten(needle))
    }
}

/// What Terraform means to do.
pub struct Plan {
    pub text: String,
    pub empty: bool,
    pub json: Value,
}

impl Plan {
    #[track_caller]
    pub fn is_empty(&self) {
        assert!(self.empty, "the plan should find nothing to change\n{}", self.text);
    }

    /// The one change planned for this address.
    #[track_caller]
    pub fn change(&self, address: &str) -> Change<'_> {
        let found =
            self.json["resource_changes"].as_array().into_iter().flatten().find(|c| c["address"] == address);
        Change {
            json: found
                .map(|c| &c["change"])
                .unwrap_or_else(|| panic!("no {address} in the plan\n{}", self.text)),
        }
    }

    /// Addresses with something to do.
    pub fn changed(&self) -> Vec<&str> {
        let changes = self.json["resource_changes"].as_array().into_iter().flatten();
        changes
            .filter(|c| c["change"]["actions"] != serde_json::json!(["no-op"]))
            .filter_map(|c| c["address"].as_str())
            .collect()
    }
}

/// `before` and `after` of one resource.
pub struct Change<'a> {
    json: &'a Value,
}

impl Change<'_> {
    pub fn is(&self, action: &str) -> bool {
        self.json["actions"] == serde_json::json!([action])
    }

    /// Attribute values before and after, by path (`resources.memory_gb`).
    pub fn of(&self, path: &str) -> (Value, Value) {
        (at(&self.json["before"], path), at(&self.json["after"], path))
    }
}

/// What Terraform remembers.
pub struct State(pub Value);

impl State {
    /// An attribute of a resource (`dynamo_worker.chat[0]`, `gpu_uuids`).
    #[track_caller]
    pub fn get(&self, address: &str, path: &str) -> Value {
        self.try_get(address, path).unwrap_or_else(|| panic!("no {address} in the state\n{:#}", self.0))
    }

    /// As [`State::get`]; `None` where there is no such resource.
    pub fn try_get(&self, address: &str, path: &str) -> Option<Value> {
        let resources = self.0["values"]["root_module"]["resources"].as_array().into_iter().flatten();
        let found = resources.into_iter().find(|resource| resource["address"] == address)?;
        Some(at(&found["values"], path))
    }

    #[track_caller]
    pub fn text(&self, address: &str, path: &str) -> String {
        let value = self.get(address, path);
        value.as_str().unwrap_or_else(|| panic!("{address}: {path} is {value}, not text")).to_owned()
    }
}

/// Follows a dotted path; a block may be an object or a list of one.
fn at(value: &Value, path: &str) -> Value {
    let mut value = value;
    for key in path.split('.') {
        let object = value.as_array().and_then(|list| list.first()).unwrap_or(value);
        value = &object[key];
    }
    value.clone()
}
