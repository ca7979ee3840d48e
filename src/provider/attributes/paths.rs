//! The domain's objections as diagnostics: each field of a spec has its attribute.

use crate::dynamo::terms::objection::{Field, Objection, Segment};
use crate::tf_provider::diagnostics::{Diagnostic, Diagnostics};
use crate::tf_provider::value::Path;

/// The objections as errors, each at its attribute.
pub(crate) fn diagnostics(objections: Vec<Objection>) -> Diagnostics {
    Diagnostics(objections.into_iter().map(diagnostic).collect())
}

fn diagnostic(objection: Objection) -> Diagnostic {
    let summary = format!("Invalid {}", objection.field);
    let detail = format!("{}; {}.", capitalised(&objection.what), objection.fix);
    let error = Diagnostic::error(summary, detail);
    match path(&objection.field) {
        Some(path) => error.at(path),
        None => error,
    }
}

/// `None` where the fault is in the provider block, which a resource's diagnostic cannot point at.
fn path(field: &Field) -> Option<Path> {
    if field.is_of_the_provider() {
        return None;
    }
    Some(field.segments().iter().fold(Path::root(), |path, segment| match segment {
        Segment::Attribute(name) => path.attribute(name),
        Segment::Index(at) => path.index(*at),
        Segment::Key(key) => path.key(key),
        Segment::Entry(key) => path.attribute(key),
    }))
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dynamo::terms::objection::{ConnectorField, DockerField, ResourceField};
    use crate::dynamo::terms::words::{Role, RouterOption};
    use crate::provider::attributes::blocks::DockerModel;
    use crate::provider::deployment::schema::DeploymentModel;
    use crate::provider::openwebui::schema::OpenWebuiModel;
    use crate::provider::worker::schema::WorkerModel;
    use crate::tf_provider::model::Model;
    use crate::tf_provider::schema::{AttributeType, Entry, Kind};
    use crate::tf_provider::value::{Step, Type};

    fn every_field() -> Vec<Field> {
        let nested = DockerField::samples().into_iter().map(Field::Docker);
        Field::samples()
            .into_iter()
            .chain(nested)
            .chain(ConnectorField::samples().into_iter().map(Field::Connector))
            .chain(ResourceField::samples().into_iter().map(Field::Resources))
            .chain(RouterOption::ALL.iter().copied().map(Field::Router))
            .chain(Role::ALL.iter().map(|role| Field::RoleArg(*role, "a".to_owned())))
            .collect()
    }

    /// Whether a schema has something at the end of the steps.
    fn resolves(entries: &[Entry], steps: &[Step]) -> bool {
        let Some((Step::Attribute(name), rest)) = steps.split_first() else { return steps.is_empty() };
        let Some(entry) = entries.iter().find(|entry| entry.name == *name) else { return false };
        match &entry.kind {
            Kind::Block { nesting: _, entries } => {
                resolves(entries, rest.strip_prefix(&[Step::Index(0)]).unwrap_or(rest))
            }
            Kind::Attribute(attribute) => matches!(
                (&attribute.ty, rest),
                (_, [])
                    | (AttributeType::Nested { .. } | AttributeType::Plain(Type::List(_)), [Step::Index(_)])
                    | (AttributeType::Plain(Type::Dynamic), [Step::Attribute(_)])
                    | (AttributeType::Plain(Type::Map(_)), [Step::Key(_)])
            ),
        }
    }

    #[test]
    fn every_field_has_its_attribute() {
        let schemas = [DeploymentModel::entries(), WorkerModel::entries(), OpenWebuiModel::entries()];
        for field in every_field() {
            let Some(path) = path(&field) else { continue };
            assert!(schemas.iter().any(|entries| resolves(entries, &path.0)), "{field}: {path}");
        }
    }

    /// An attribute of `docker` without a field is one that nothing checks.
    #[test]
    fn every_attribute_of_docker_has_its_field() {
        let fields: Vec<Vec<Segment>> = DockerField::samples().iter().map(DockerField::segments).collect();
        for entry in DockerModel::entries() {
            let named = fields.iter().any(
                |segments| matches!(segments.first(), Some(Segment::Attribute(name)) if *name == entry.name),
            );
            assert!(named, "{} has no DockerField", entry.name);
        }
    }
}
