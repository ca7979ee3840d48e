//! What a page comes to: its containers, what follows from the hosts, and where objections belong.

use super::model::{at_its_attribute, derive};
use super::schema::OpenWebuiModel;
use crate::dynamo::blueprint::Blueprint;
use crate::dynamo::openwebui;
use crate::dynamo::openwebui::OpenWebuiSpec;
use crate::dynamo::spec::{HostFacts, Owner};
use crate::dynamo::terms::objection::Objection;
use crate::provider::attributes::paths as told;
use crate::provider::session::Client;
use crate::tf_provider::attr::Attr;
use crate::tf_provider::diagnostics::Diagnostics;

pub(super) fn said(model: &OpenWebuiModel, objections: Vec<Objection>) -> Diagnostics {
    told::diagnostics(objections.into_iter().map(|it| at_its_attribute(model, it)).collect())
}

pub(super) fn decided(
    model: &OpenWebuiModel,
    spec: &OpenWebuiSpec,
    facts: &HostFacts,
    owner: &Owner,
) -> Result<Blueprint, Diagnostics> {
    openwebui::decide::openwebui(spec, facts, owner).map_err(|objections| said(model, objections))
}

/// By which address others reach a host; unknown while the host is.
pub(super) fn advertised(client: &Client, host: &str) -> Attr<String> {
    client.host(host).map_or(Attr::Unknown, |entry| entry.advertise_address().clone())
}

/// Fills in what follows from other attributes and from the configuration of hosts.
pub(super) fn follow(client: &Client, config: &OpenWebuiModel, planned: &mut OpenWebuiModel) {
    // Twice, since the host may only follow from the deployment.
    derive(config, planned, &Attr::Unknown);
    let advertise = planned.host.known().map_or(Attr::Unknown, |host| advertised(client, host));
    derive(config, planned, &advertise);
}
