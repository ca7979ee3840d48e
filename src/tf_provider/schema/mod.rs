//! Schema as records. A [`Declaration`] is what an author writes next to a field; an [`Entry`] is that declaration with
//! the field's name and type. Everything else — the wire schema, validation, planning, the docs — reads entries.
//!
//! [`check`] has the checks of values, [`rules`] what a schema itself must be.

pub mod check;
pub mod rules;

pub use check::Check;

use crate::tf_provider::value::{Type, Value};
use std::collections::BTreeMap;

/// Who sets an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttributeMode {
    Required,
    Optional,
    /// The user may set it; the provider fills it in when left out.
    OptionalComputed,
    Computed,
}

/// What a change of an attribute does to a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum OnChange {
    #[default]
    Update,
    /// The resource is destroyed and made anew.
    Replace,
}

/// What becomes of a computed attribute, left out of the configuration, when something else changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum WhenOthersChange {
    /// Unknown until applied.
    #[default]
    Unknown,
    /// Keeps its value, so that nothing which refers to it ripples.
    Keep,
}

/// The type of an attribute.
#[derive(Clone, Debug)]
pub enum AttributeType {
    Plain(Type),
    Nested { nesting: Nesting, entries: Vec<Entry> },
}

/// How objects are nested: one of them, a list, or a map by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nesting {
    Single,
    List,
    Map,
}

/// One attribute or block of a schema.
#[derive(Clone, Debug)]
pub struct Entry {
    pub name: String,
    /// Markdown.
    pub description: String,
    /// `Some(what to do instead)` when deprecated.
    pub deprecated: Option<&'static str>,
    pub kind: Kind,
}

/// An entry of a schema is an attribute or a block.
#[derive(Clone, Debug)]
pub enum Kind {
    Attribute(Attribute),
    Block { nesting: Nesting, entries: Vec<Entry> },
}

/// An attribute: its type, who sets it, and what becomes of it.
#[derive(Clone, Debug)]
pub struct Attribute {
    pub ty: AttributeType,
    pub mode: AttributeMode,
    pub sensitive: bool,
    pub write_only: bool,
    /// Planned when the configuration leaves the attribute out. Implies [`Mode::OptionalComputed`].
    pub default: Option<Value>,
    pub checks: Vec<Check>,
    pub on_change: OnChange,
    pub when_others_change: WhenOthersChange,
    /// A list of which the order means nothing.
    pub unordered: bool,
}

/// What an author writes next to a field. Made by [`required`], [`optional`], [`optional_computed`], [`computed`], [`block`].
#[derive(Clone, Debug)]
pub struct Declaration {
    description: String,
    deprecated: Option<&'static str>,
    attribute: Attribute,
}

fn declare(mode: AttributeMode, description: &str) -> Declaration {
    Declaration {
        description: description.to_owned(),
        deprecated: None,
        attribute: Attribute {
            ty: AttributeType::Plain(Type::Dynamic),
            mode,
            sensitive: false,
            write_only: false,
            default: None,
            checks: Vec::new(),
            on_change: OnChange::Update,
            when_others_change: WhenOthersChange::Unknown,
            unordered: false,
        },
    }
}

/// An attribute that the configuration must set.
pub fn required(description: &str) -> Declaration {
    declare(AttributeMode::Required, description)
}

/// An attribute that the configuration may set.
pub fn optional(description: &str) -> Declaration {
    declare(AttributeMode::Optional, description)
}

/// An attribute that the configuration may set, and that the provider fills in otherwise.
pub fn optional_computed(description: &str) -> Declaration {
    declare(AttributeMode::OptionalComputed, description)
}

/// An attribute that only the provider sets.
pub fn computed(description: &str) -> Declaration {
    declare(AttributeMode::Computed, description)
}

/// A block; whether it may repeat is said by the field's type.
pub fn block(description: &str) -> Declaration {
    declare(AttributeMode::Optional, description)
}

impl Declaration {
    /// Terraform masks the value in its output. The state still holds it.
    pub fn sensitive(mut self) -> Self {
        self.attribute.sensitive = true;
        self
    }

    /// The value reaches us with the configuration and is never stored.
    pub fn write_only(mut self) -> Self {
        self.attribute.write_only = true;
        self
    }

    /// Planned when the configuration leaves the attribute out.
    pub fn default(mut self, value: impl Into<Value>) -> Self {
        self.attribute.default = Some(value.into());
        self.attribute.mode = AttributeMode::OptionalComputed;
        self
    }

    /// Adds a check of known values.
    pub fn check(mut self, check: Check) -> Self {
        self.attribute.checks.push(check);
        self
    }

    /// A change makes Terraform replace the resource.
    pub fn replaces(mut self) -> Self {
        self.attribute.on_change = OnChange::Replace;
        self
    }

    /// Computed, and does not follow changes of other attributes.
    pub fn stable(mut self) -> Self {
        self.attribute.when_others_change = WhenOthersChange::Keep;
        self
    }

    /// A list of which the order means nothing: another order is no change.
    pub fn unordered(mut self) -> Self {
        self.attribute.unordered = true;
        self
    }

    /// Marks the attribute as deprecated; `instead` says what to do.
    pub fn deprecated(mut self, instead: &'static str) -> Self {
        self.deprecated = Some(instead);
        self
    }

    /// Completes the declaration of an attribute.
    pub(super) fn attribute(self, name: &str, ty: AttributeType) -> Entry {
        let attribute = Attribute { ty, ..self.attribute };
        Entry {
            name: name.to_owned(),
            description: self.description,
            deprecated: self.deprecated,
            kind: Kind::Attribute(attribute),
        }
    }

    /// Completes the declaration of a block.
    pub(super) fn block(self, name: &str, nesting: Nesting, entries: Vec<Entry>) -> Entry {
        Entry {
            name: name.to_owned(),
            description: self.description,
            deprecated: self.deprecated,
            kind: Kind::Block { nesting, entries },
        }
    }
}

impl AttributeType {
    /// The type on the wire.
    pub fn ty(&self) -> Type {
        match self {
            Self::Plain(ty) => ty.clone(),
            Self::Nested { nesting, entries } => nest(*nesting, object_type(entries)),
        }
    }
}

fn nest(nesting: Nesting, object: Type) -> Type {
    match nesting {
        Nesting::Single => object,
        Nesting::List => Type::List(Box::new(object)),
        Nesting::Map => Type::Map(Box::new(object)),
    }
}

impl Entry {
    /// The type on the wire; blocks travel as attributes of their object.
    pub fn ty(&self) -> Type {
        match &self.kind {
            Kind::Attribute(attribute) => attribute.ty.ty(),
            Kind::Block { nesting, entries } => nest(*nesting, object_type(entries)),
        }
    }
}

/// The object type that a list of entries describes.
pub fn object_type(entries: &[Entry]) -> Type {
    Type::Object(entries.iter().map(|entry| (entry.name.clone(), entry.ty())).collect::<BTreeMap<_, _>>())
}
