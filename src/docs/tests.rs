//! A toy provider with one of everything, and what becomes of it.
//!
//! `UPDATE_GOLDEN=1 cargo test --lib docs` writes `testdata/toy.md`, to be read before it is committed.

use crate::docs::*;
use crate::model;
use crate::tf_provider::attr::{Attr, Block, Blocks, Dynamic, Nested, NestedMap};
use crate::tf_provider::diagnostics::Diagnostics;
use crate::tf_provider::provider::*;
use crate::tf_provider::schema::{block, check, computed, optional, optional_computed, required};
use crate::tf_provider::value::{Type, Value};
use async_trait::async_trait;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

model! {
    struct Config {
        rooms: Attr<NestedMap<Room>> =
            optional("The rooms.").check(check::text("be a word", |text| !text.contains(' ')).each_key()),
    }
}

model! {
    struct Room {
        size: Attr<i64> = required("Its size in m².").check(check::between(1, 99)),
    }
}

model! {
    struct Box_ {
        label: Attr<String> = required("What is in it."),
        lid: Block<Lid> = block("What closes it."),
    }
}

model! {
    struct Lid {
        tight: Attr<bool> = optional("Whether it is tight.").default(true),
    }
}

model! {
    struct Thing {
        id: Attr<String> = computed("`room/name`.").stable(),
        name: Attr<String> = required("Name.").replaces().check(check::not_empty()),
        room: Attr<String> = optional_computed("Room. Changing it replaces the thing.").replaces().stable(),
        kind: Attr<String> = optional("Kind.").default("plain").check(check::one_of(["plain", "fancy"])),
        secret: Attr<String> = optional("Secret.").sensitive().write_only(),
        colour: Attr<String> = optional("Colour.").deprecated("use `kind`."),
        tags: Attr<Vec<Attr<String>>> =
            optional("Tags.").check(check::text("be short", |text| text.len() < 9).each()),
        notes: Attr<BTreeMap<String, Attr<String>>> = optional("Notes.\nOne each."),
        anything: Attr<Dynamic> = optional("Anything."),
        origin: Attr<Nested<Room>> = optional("Where it came from."),
        seen: Attr<NestedMap<Seen>> = computed("Where it was seen."),
        r#box: Blocks<Box_> = block("Boxes around it, outermost first."),
        lid: Block<Lid> = block("Its own lid."),
    }
}

model! {
    struct Seen {
        times: Attr<i64> = computed("How often."),
    }
}

struct Things;

#[async_trait]
impl Resource for Things {
    type Model = Thing;
    type Client = ();
    fn about(&self) -> About {
        About {
            type_name: "toy_thing",
            description: "A thing, in a [room](https://rooms.invalid). It stays.",
        }
    }
    fn identity(&self) -> &'static [&'static str] {
        &["name", "id"]
    }
    async fn create(&self, _: &Call<()>, _: Thing, it: Thing) -> Result<Applied<Thing>, Failed<Thing>> {
        Ok(it.into())
    }
    async fn update(
        &self,
        _: &Call<()>,
        _: Thing,
        _: Thing,
        it: Thing,
    ) -> Result<Applied<Thing>, Failed<Thing>> {
        Ok(it.into())
    }
    async fn read(&self, _: &Call<()>, it: Thing) -> Result<Option<Thing>, Diagnostics> {
        Ok(Some(it))
    }
    async fn delete(&self, _: &Call<()>, _: Thing) -> Result<(), Failed<Thing>> {
        Ok(())
    }
    async fn import(&self, _: &Call<()>, _: ImportBy) -> Result<Thing, Diagnostics> {
        Ok(Thing::default())
    }
}

struct Looks;

#[async_trait]
impl DataSource for Looks {
    type Model = Seen;
    type Client = ();
    fn about(&self) -> About {
        About { type_name: "toy_look", description: "A look." }
    }
    async fn read(&self, _: &Call<()>, it: Seen) -> Result<Applied<Seen>, Diagnostics> {
        Ok(it.into())
    }
}

struct Doors;

#[async_trait]
impl EphemeralResource for Doors {
    type Model = Lid;
    type Client = ();
    fn about(&self) -> About {
        About { type_name: "toy_door", description: "A door." }
    }
    async fn open(&self, _: &Call<()>, it: Lid) -> Result<Opened<Lid>, Diagnostics> {
        Ok(Opened { result: it, renewal: Renewal::default() })
    }
    async fn close(&self, _: &Call<()>, _: Vec<u8>) -> Result<(), Diagnostics> {
        Ok(())
    }
}

struct Join;

impl Function for Join {
    fn signature(&self) -> Signature {
        let parameter = |name, description, ty| Parameter {
            name,
            description,
            ty,
            allow_null: name == "glue",
            allow_unknown: false,
        };
        Signature {
            name: "join",
            summary: "Joins texts",
            description: "Joins texts with something between them.",
            parameters: vec![parameter("glue", "What comes between.", Type::String)],
            variadic: Some(parameter("texts", "What is joined.", Type::List(Box::new(Type::String)))),
            returns: Type::String,
        }
    }
    fn call(&self, _: Vec<Value>) -> Result<Value, FunctionError> {
        Ok(Value::Null)
    }
}

struct Toy;

impl Provider for Toy {
    type Config = Config;
    type Client = ();
    fn description(&self) -> &'static str {
        "Toys. Many of them."
    }
    fn configure(&self, _: Config) -> Result<(), Diagnostics> {
        Ok(())
    }
    fn register(&self, registry: &mut Registry<()>) {
        registry.resource(Things);
        registry.data_source(Looks);
        registry.ephemeral(Doors);
        registry.function(Join);
    }
}

const TOYS: Manual = Manual {
    provider: "toy",
    guides: &[Guide {
        name: "playing",
        text: "---\npage_title: \"Playing\"\ndescription: |-\n  How.\n---\n\nLike this:\n\n{{example play/main.tf}}\n",
    }],
};

/// Any file there is, with its own name as its text.
fn example(file: &str) -> Option<String> {
    Some(format!("# the text of examples/{file}\n"))
}

fn toy() -> Pages {
    render(&Toy, &TOYS, &example).unwrap()
}

#[test]
fn pages_are_as_in_the_golden_file() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/docs/testdata/toy.md");
    let pages: String =
        toy().iter().map(|(path, page)| format!("==> docs/{} <==\n{page}\n", path.display())).collect();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&golden, &pages).unwrap();
    }
    let expected = fs::read_to_string(&golden).unwrap();
    assert!(pages == expected, "testdata/toy.md differs: see UPDATE_GOLDEN above, then `git diff`");
}

#[test]
fn every_anchor_that_is_linked_exists_once() {
    for (path, page) in toy() {
        for link in page.split("](#").skip(1) {
            let anchor = link.split(')').next().unwrap();
            assert_eq!(page.matches(&format!("<a id=\"{anchor}\">")).count(), 1, "{path:?}: {anchor}");
        }
    }
}

#[test]
fn a_page_without_its_example_is_an_error_that_names_the_file() {
    for file in [
        "provider/provider.tf",
        "resources/toy_thing/resource.tf",
        "resources/toy_thing/import.sh",
        "resources/toy_thing/import-by-string-id.tf",
        "data-sources/toy_look/data-source.tf",
        "ephemeral-resources/toy_door/ephemeral-resource.tf",
        "functions/join/function.tf",
        "play/main.tf",
    ] {
        let error = render(&Toy, &TOYS, &|it| (it != file).then(|| example(it)).flatten()).unwrap_err();
        assert!(error.to_string().contains(&format!("examples/{file}")), "{error}");
    }
}

#[test]
fn the_schema_has_every_part_and_every_flag() {
    let json = schema::json(&Toy);
    let thing = &json["resource_schemas"]["toy_thing"]["block"];
    assert_eq!(thing["attributes"]["name"]["required"], true);
    assert_eq!(thing["attributes"]["kind"]["computed"], true);
    assert_eq!(thing["attributes"]["secret"]["write_only"], true);
    assert_eq!(thing["attributes"]["colour"]["deprecated"], true);
    assert_eq!(thing["attributes"]["seen"]["nested_type"]["nesting_mode"], "map");
    assert_eq!(thing["attributes"]["notes"]["type"], serde_json::json!(["map", "string"]));
    assert_eq!(thing["attributes"]["id"].get("optional"), None);
    let lid = &thing["block_types"]["box"]["block"]["block_types"]["lid"];
    assert_eq!(
        (&lid["nesting_mode"], &lid["block"]["attributes"]["tight"]["type"]),
        (&"single".into(), &"bool".into())
    );
    assert_eq!(
        json["resource_identity_schemas"]["toy_thing"]["attributes"]["id"]["required_for_import"],
        true
    );
    assert_eq!(json["functions"]["join"]["parameters"][0]["is_nullable"], true);
    assert!(json["data_source_schemas"]["toy_look"].is_object());
    assert!(json["ephemeral_resource_schemas"]["toy_door"].is_object());
    assert!(json["provider"]["block"]["attributes"]["rooms"].is_object());
}

/// A repository with nothing in it but the file that makes it ours.
fn checkout() -> (tempfile::TempDir, Repository) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("Cargo.toml"), "[package]\nname = \"terraform-provider-dynamo\"\n").unwrap();
    let repository = Repository::at(folder.path()).unwrap();
    (folder, repository)
}

#[test]
fn checking_finds_what_is_changed_missing_and_superfluous_and_writing_mends_it() {
    let (folder, repository) = checkout();
    let docs = folder.path().join("docs");
    let pages = toy();
    assert_eq!(repository.write(&pages).unwrap().len(), pages.len());
    assert_eq!(repository.differences(&pages).unwrap(), []);

    fs::write(docs.join("index.md"), "edited").unwrap();
    fs::remove_file(docs.join("resources/thing.md")).unwrap();
    fs::write(docs.join("resources/gone.md"), "from an older version").unwrap();
    let found = repository.differences(&pages).unwrap();
    assert_eq!(
        found,
        [
            Difference::Stale("index.md".into()),
            Difference::Superfluous("resources/gone.md".into()),
            Difference::Missing("resources/thing.md".into()),
        ]
    );
    assert_eq!(repository.write(&pages).unwrap(), found);
    assert_eq!(repository.differences(&pages).unwrap(), []);
}

#[test]
fn other_folders_are_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    assert!(Repository::at(folder.path()).is_err());
    fs::write(folder.path().join("Cargo.toml"), "[package]\nname = \"another\"\n").unwrap();
    let error = Repository::at(folder.path()).unwrap_err().to_string();
    assert!(error.contains("make docs") && error.contains("terraform-provider-dynamo"), "{error}");
}

#[test]
fn examples_are_read_below_their_folder() {
    let (folder, repository) = checkout();
    fs::create_dir_all(folder.path().join("examples/provider")).unwrap();
    fs::write(folder.path().join("examples/provider/provider.tf"), "text").unwrap();
    assert_eq!(repository.example("provider/provider.tf").as_deref(), Some("text"));
    assert_eq!(repository.example("provider/other.tf"), None);
}
