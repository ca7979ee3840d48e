//! What the plan of a page can find out on its host: all that would go wrong in apply, before anything is touched.

use super::decide::{advertised, decided};
use super::model;
use super::schema::OpenWebuiModel;
use crate::dynamo::openwebui::{COMPONENT, OpenWebuiSpec, PORT_FROM};
use crate::dynamo::spec::Owner;
use crate::dynamo::terms::given::Given;
use crate::dynamo::terms::objection::Field;
use crate::dynamo::terms::{names, ports};
use crate::inventory::PortInUse;
use crate::provider::attributes::paths as told;
use crate::provider::lifecycle::comparison;
use crate::provider::machine::facts;
use crate::provider::plan_checks;
use crate::provider::session::Client;
use crate::tf_provider::diagnostics::Diagnostics;
use crate::tf_provider::value::Path;

/// What the plan can find out on the host; what is not an error is a warning. `prior` is null for a page that does not exist
/// yet; `before` is the name of the one as it is, also when another takes its place.
pub(super) async fn check(
    client: &Client,
    planned: &OpenWebuiModel,
    prior: Option<&OpenWebuiModel>,
    before: Option<&str>,
) -> Result<Diagnostics, Diagnostics> {
    let mut host = planned.host.clone();
    if host.known().is_none() {
        return Ok(Diagnostics::new());
    }
    let Some(entry) = plan_checks::host(client, &planned.host, &mut host)? else {
        return Ok(Diagnostics::new());
    };
    let Some(spec) = provisional(client, planned) else { return Ok(Diagnostics::new()) };
    let (facts, taken) = match facts::for_plan(&entry, prior.is_none()).await {
        Ok(found) => found,
        Err(unchecked) => return Diagnostics::from(unchecked).into_result(),
    };
    let mut found = Diagnostics::new();
    let owner = Owner { run: String::new(), spec_json: String::new() };
    found.extend(decided(planned, &spec, &facts, &owner).err().unwrap_or_default());
    let container = names::container(&spec.name, COMPONENT);
    let own = [Some(spec.name.as_str()), before].into_iter().flatten();
    let own: Vec<_> = own.map(|name| names::container(name, COMPONENT)).collect();
    let is_own = |port: &PortInUse| own.iter().any(|name| comparison::is_held_by(port, name));
    let others: Vec<_> = taken.into_iter().filter(|port| !is_own(port)).collect();
    if let (Some(_), Some(holder)) =
        (planned.port.known(), ports::conflict(spec.port, &spec.bind_address, &others))
    {
        found.extend(told::diagnostics(vec![ports::taken(holder).at(Field::Port)]));
    }
    if prior.is_none()
        && let Some(name_taken) = comparison::name_taken(&entry.host, &container).await?
    {
        found.push(name_taken);
    }
    found.extend(plan_checks::image(&entry, &spec.image, spec.pull_policy, &Path::of("image")).await);
    found.extend(plan_checks::folders(&entry, &spec.docker).await);
    found.into_result()
}

/// The spec with stand-ins for what apply picks; `None` while something else is not known.
fn provisional(client: &Client, planned: &OpenWebuiModel) -> Option<OpenWebuiSpec> {
    let mut draft = model::draft(planned, &|host| advertised(client, host));
    draft.secret_env.stand_in();
    if draft.port.is_unknown() {
        draft.port = Given::Is(i64::from(PORT_FROM));
    }
    if let Given::Is(sources) = &mut draft.sources {
        for source in sources {
            if source.port.is_unknown() {
                source.port = Given::Is(i64::from(ports::FRONTEND_FROM));
            }
            if source.served_model_name.is_unknown() {
                source.served_model_name = Given::Absent;
            }
        }
    }
    draft.complete().ok()
}
