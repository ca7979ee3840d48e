//! Reading containers, with as many questions at once as an Engine likes.

use super::model;
use super::schema::{ABOUT, ContainersModel, SeenContainerModel};
use crate::container::{ObservedContainer, RunState};
use crate::hosts::{Age, Filter, Host, HostError};
use crate::provider::attributes::{convert, host_errors};
use crate::provider::session::Client;
use crate::tf_provider::diagnostics::Diagnostics;
use crate::tf_provider::provider::{About, Applied, Call, DataSource};
use async_trait::async_trait;
use futures_util::{StreamExt, TryStreamExt, stream};

/// Containers that are asked about at once.
const AT_ONCE: usize = 8;

/// The data source `dynamo_containers`.
pub(crate) struct Containers;

#[async_trait]
impl DataSource for Containers {
    type Model = ContainersModel;
    type Client = Client;

    fn about(&self) -> About {
        ABOUT
    }

    async fn read(
        &self,
        call: &Call<Client>,
        mut config: ContainersModel,
    ) -> Result<Applied<ContainersModel>, Diagnostics> {
        let host = call.client.host_to_read(&mut config.host)?.host;
        let failed = |error: HostError| host_errors::diagnostic("Unable to read containers", &error, None);
        let filter = config.deployment.known().map_or(Filter::Ours, |name| Filter::Deployment(name.clone()));
        let lines = config.lines.known().and_then(|lines| u32::try_from(*lines).ok()).unwrap_or_default();
        let usage = config.usage.known().is_some_and(|usage| *usage);
        let seen = host.observe(&filter, Age::Walk).await.map_err(failed)?;
        let rows = seen.into_iter().map(|container| look(&host, container, lines, usage));
        let rows: Vec<SeenContainerModel> =
            stream::iter(rows).buffered(AT_ONCE).try_collect().await.map_err(failed)?;
        config.containers = convert::list(rows);
        config.host = convert::text(host.name());
        Ok(config.into())
    }
}

/// A container that goes away meanwhile is shown as it was seen.
async fn look(
    host: &Host,
    seen: ObservedContainer,
    lines: u32,
    usage: bool,
) -> Result<SeenContainerModel, HostError> {
    let log = match lines {
        0 => String::new(),
        lines => match host.logs_tail(&seen.id, lines).await {
            Err(error) if error.is_not_found() => String::new(),
            other => other?,
        },
    };
    let usage = match (usage, &seen.state) {
        (true, RunState::Running) => host.usage(&seen.id).await?,
        _ => None,
    };
    Ok(model::row(seen, log, usage))
}
