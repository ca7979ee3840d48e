//! Whether the frontend lists a worker, read from the two pages it shows.
//!
//! `/health` of a frontend says "healthy" without a single worker, so its status means nothing here. What counts is the
//! worker's own entry among the instances, and the model in the model list: it appears there once the frontend has
//! loaded its tokenizer.

use super::blueprint::Listing;
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Deserialize)]
struct InstancesPage {
    #[serde(default)]
    instances: Vec<Instance>,
}

/// `instance_id` is left out: it is a number that not every reader can hold, and nobody needs it here.
#[derive(Deserialize)]
struct Instance {
    namespace: String,
    component: String,
    endpoint: String,
    #[serde(default)]
    transport: Transport,
}

#[derive(Default, Deserialize)]
struct Transport {
    /// `address:port/…`
    #[serde(default)]
    tcp: String,
}

#[derive(Deserialize)]
struct ModelsPage {
    #[serde(default)]
    data: Vec<ModelEntry>,
}

#[derive(Deserialize)]
struct ModelEntry {
    id: String,
}

/// `Ok` = the worker serves the model; `Err` = what is still missing, as a clause. `address` is that of the worker's
/// container on the private network, at whatever port, and of no interest to a listing with a seat.
pub(crate) fn listed(
    listing: &Listing,
    address: Option<&str>,
    instances: &str,
    models: &str,
) -> Result<(), String> {
    let seat = listing.seat.as_ref();
    let address =
        seat.map(|seat| seat.address.as_str()).or(address).ok_or("the worker has no address yet")?;
    let instances: InstancesPage = serde_json::from_str(instances)
        .map_err(|error| format!("the frontend's list of instances cannot be read ({error})"))?;
    let found = instances.instances.iter().any(|instance| {
        instance.namespace == listing.namespace
            && instance.component == listing.component
            && instance.endpoint == listing.endpoint
            && seat_of(&instance.transport.tcp).is_some_and(|(host, port)| {
                host == address && seat.is_none_or(|seat| port == seat.port.to_string())
            })
    });
    if !found {
        return Err("the frontend does not list the worker yet".to_owned());
    }
    if !listing.model_listed {
        return Ok(());
    }
    let models: ModelsPage = serde_json::from_str(models)
        .map_err(|error| format!("the frontend's list of models cannot be read ({error})"))?;
    if models.data.iter().any(|model| model.id == listing.served_model_name) {
        return Ok(());
    }
    Err(format!("the frontend lists the worker, but not yet the model {:?}", listing.served_model_name))
}

/// Where a worker answers for itself, on its system port.
pub(crate) const OWN_PAGE: &str = "/health";

#[derive(Deserialize)]
struct OwnPage {
    #[serde(default)]
    endpoints: BTreeMap<String, serde_json::Value>,
}

/// Whether a worker's own page says that it takes requests. Its status is no help: the simulator's stays at 503, "notready",
/// for as long as it serves. Its endpoint is listed once the model is loaded.
pub(crate) fn serves(listing: &Listing, page: &str) -> bool {
    let page: Result<OwnPage, _> = serde_json::from_str(page);
    page.is_ok_and(|page| page.endpoints.get(&listing.endpoint).is_some_and(|state| state == "ready"))
}

/// `172.18.0.4` and `40227` of `172.18.0.4:40227/caa0/chat/backend/generate`.
fn seat_of(transport: &str) -> Option<(&str, &str)> {
    let authority = transport.split('/').next()?;
    let (host, port) = authority.rsplit_once(':')?;
    Some((host.trim_start_matches('[').trim_end_matches(']'), port))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dynamo::terms::endpoint::Endpoint;

    /// As a frontend of Dynamo 1.6.1 with two workers said it; addresses and ids are as recorded.
    const HEALTH: &str = r#"{"status":"healthy","endpoints":["dyn://chat.backend.generate"],"instances":[
        {"component":"backend","endpoint":"generate","namespace":"chat","instance_id":14600840497442672600,
         "transport":{"tcp":"172.18.0.4:40227/caa09b12e8354fd8/chat/backend/generate"},"device_type":"cuda"},
        {"component":"backend","endpoint":"worker_kv_query_source_1727a80dadd325","namespace":"chat",
         "instance_id":14600840497442672600,"transport":{"tcp":"172.18.0.5:40228/x/chat/backend/worker_kv"}}]}"#;
    const MODELS: &str = r#"{"object":"list","data":[{"id":"tiny","object":"model","created":1795366567,"owned_by":"nvidia"}]}"#;

    #[test]
    fn a_worker_serves_once_its_own_page_has_its_endpoint() {
        // As a worker of Dynamo 1.6.1 said it.
        let page = r#"{"status":"ready","uptime":{"secs":0,"nanos":252799492},
            "endpoints":{"generate":"ready","worker_kv_query_source_4c6a4bd6ac2f1":"ready"}}"#;
        let told_later = page.replace(r#""status":"ready""#, r#""status":"notready""#);
        assert!(serves(&listing(), page) && serves(&listing(), &told_later));
        let loading = r#"{"status":"notready","uptime":{"secs":0,"nanos":1},"endpoints":{}}"#;
        let warming = r#"{"status":"notready","endpoints":{"generate":"notready"}}"#;
        for page in [loading, warming, "{}", "", "<html>", r#"{"endpoints":[]}"#] {
            assert!(!serves(&listing(), page), "{page}");
        }
    }

    fn listing() -> Listing {
        Listing {
            frontend: "chat-frontend".into(),
            frontend_port: 8000,
            instances_path: "/health".into(),
            models_path: "/v1/models".into(),
            served_model_name: "tiny".into(),
            model_listed: true,
            namespace: "chat".into(),
            component: "backend".into(),
            endpoint: "generate".into(),
            seat: None,
            system_port: Some(9090),
        }
    }

    #[test]
    fn a_worker_is_known_by_its_address_and_its_generate_endpoint() {
        assert_eq!(listed(&listing(), Some("172.18.0.4"), HEALTH, MODELS), Ok(()));
        let error = listed(&listing(), Some("172.18.0.5"), HEALTH, MODELS).unwrap_err();
        assert!(error.contains("does not list the worker"), "{error}");
        assert!(listed(&listing(), None, HEALTH, MODELS).is_err());
    }

    #[test]
    fn workers_of_one_address_are_told_apart_by_their_port() {
        let at = |port| Listing { seat: Endpoint::parse(&format!("172.18.0.4:{port}")), ..listing() };
        assert_eq!(listed(&at(40227), None, HEALTH, MODELS), Ok(()));
        assert!(listed(&at(40228), None, HEALTH, MODELS).is_err());
    }

    #[test]
    fn the_model_must_be_listed_too() {
        let error = listed(&listing(), Some("172.18.0.4"), HEALTH, r#"{"data":[]}"#).unwrap_err();
        assert!(error.contains("\"tiny\""), "{error}");
    }

    #[test]
    fn where_it_takes_two_roles_the_model_is_not_waited_for() {
        let half = Listing { model_listed: false, ..listing() };
        assert_eq!(listed(&half, Some("172.18.0.4"), HEALTH, r#"{"data":[]}"#), Ok(()));
        assert!(listed(&half, Some("172.18.0.5"), HEALTH, MODELS).is_err());
    }

    #[test]
    fn other_namespaces_and_garbage_are_not_taken_for_it() {
        let other = Listing { namespace: "chat-2".into(), ..listing() };
        assert!(listed(&other, Some("172.18.0.4"), HEALTH, MODELS).is_err());
        assert!(listed(&listing(), Some("172.18.0.4"), "<html>", MODELS).is_err());
        assert!(listed(&listing(), Some("172.18.0.4"), HEALTH, "").is_err());
    }

    #[test]
    fn addresses_are_read_with_and_without_brackets() {
        assert_eq!(seat_of("[fd00::2]:9/x"), Some(("fd00::2", "9")));
        assert_eq!(seat_of(""), None);
    }
}
