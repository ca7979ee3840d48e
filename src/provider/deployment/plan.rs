//! What the plan of a deployment can find out on its host: all that would go wrong in apply, before anything is touched.

use super::model::{draft, model_source, topology_of};
use super::schema::DeploymentModel;
use crate::dynamo::decide;
use crate::dynamo::spec::{DeploymentSpec, Owner};
use crate::dynamo::terms::given::Given;
use crate::dynamo::terms::names::FRONTEND;
use crate::dynamo::terms::objection::{Field, Objection};
use crate::dynamo::terms::{names, ports};
use crate::inventory::PortInUse;
use crate::provider::attributes::{paths, picked_ports};
use crate::provider::lifecycle::comparison;
use crate::provider::machine::{Machine, facts};
use crate::provider::plan_checks;
use crate::tf_provider::diagnostics::Diagnostics;
use crate::tf_provider::value::Path;

/// What the plan can find out on the host; what is not an error is a warning. `prior` is null for a deployment that does not
/// exist yet; `before` is the name of the one as it is, also when another takes its place.
pub(super) async fn check(
    entry: &Machine,
    planned: &DeploymentModel,
    prior: Option<&DeploymentModel>,
    before: Option<&str>,
) -> Result<Diagnostics, Diagnostics> {
    let Some(spec) = provisional(planned)? else { return Ok(Diagnostics::new()) };
    let (facts, taken) = match facts::for_plan(entry, prior.is_none()).await {
        Ok(found) => found,
        Err(unchecked) => return Diagnostics::from(unchecked).into_result(),
    };
    let facts = model_source(planned).expected_by(entry, &facts).await;
    let mut found = Diagnostics::new();
    let owner = Owner { run: String::new(), spec_json: String::new() };
    if let Err(wrong) = decide::deployment(&spec, &facts, &owner) {
        found.extend(paths::diagnostics(wrong));
    }
    let frontend = names::container(&spec.common.name, FRONTEND);
    let own = [Some(spec.common.name.as_str()), before].into_iter().flatten();
    let own: Vec<_> = own.map(|name| names::container(name, FRONTEND)).collect();
    let is_own = |port: &PortInUse| own.iter().any(|name| comparison::is_held_by(port, name));
    let others: Vec<_> = taken.into_iter().filter(|port| !is_own(port)).collect();
    if let (Some(_), Some(holder)) =
        (planned.port.known(), ports::conflict(spec.port, &spec.bind_address, &others))
    {
        let objection: Objection = ports::taken(holder).at(Field::Port);
        found.extend(paths::diagnostics(vec![objection]));
    }
    if prior.is_none()
        && planned.name.known().is_some()
        && let Some(name_taken) = comparison::name_taken(&entry.host, &frontend).await?
    {
        found.push(name_taken);
    }
    let own = &spec.common.docker;
    found.extend(
        plan_checks::files(entry, &facts, &spec.common, own, &Path::of("model"), &Path::of("image")).await,
    );
    found.into_result()
}

/// The spec with stand-ins for what apply picks; `None` while something else is not known.
fn provisional(planned: &DeploymentModel) -> Result<Option<DeploymentSpec>, Diagnostics> {
    let mut draft = draft(planned)?;
    if draft.port.is_unknown() {
        draft.port = Given::Is(i64::from(ports::FRONTEND_FROM));
    }
    if planned.services.is_unknown() {
        draft.common.services = picked_ports::provisional_services(topology_of(planned));
    }
    draft.secret_env.stand_in();
    if draft.common.name.is_unknown() {
        draft.common.name = Given::Is(names::generated([0; names::SUFFIX_LENGTH]));
    }
    Ok(draft.complete().ok())
}
