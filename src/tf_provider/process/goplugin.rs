//! go-plugin's own services beside Terraform's: the host's handle on the process.
//!
//! Only the controller does something. The standard streams carry nothing, because logs go over stderr, and the broker
//! opens nothing, because Terraform never asks it to; both keep their streams open and silent, since a host reads the end
//! of a stream as the end of the plugin, and grpc-go closes a connection that is idle for half an hour.

use futures_util::{StreamExt, stream};
use tokio_stream::Stream;
use tokio_util::sync::CancellationToken;
use tonic::codegen::BoxStream;
use tonic::{Request, Response, Status, Streaming};

use super::lifetime::{Departure, LaunchMode, Lifetime};
use crate::tf_provider::wire::plugin::grpc_broker_server::GrpcBroker;
use crate::tf_provider::wire::plugin::grpc_controller_server::GrpcController;
use crate::tf_provider::wire::plugin::grpc_stdio_server::GrpcStdio;
use crate::tf_provider::wire::plugin::{ConnInfo, Empty, StdioData};

/// All three services in one: they share nothing but the life of the process.
#[derive(Clone)]
pub(super) struct GoPlugin(pub Lifetime);

#[tonic::async_trait]
impl GrpcController for GoPlugin {
    /// Once more does no harm. In debug mode whoever started the process ends it, not one of its many clients.
    async fn shutdown(&self, _: Request<Empty>) -> Result<Response<Empty>, Status> {
        if self.0.mode() == LaunchMode::Plugin {
            self.0.close(Departure::Shutdown);
        }
        Ok(Response::new(Empty {}))
    }
}

#[tonic::async_trait]
impl GrpcStdio for GoPlugin {
    async fn stream_stdio(&self, _: Request<()>) -> Result<Response<BoxStream<StdioData>>, Status> {
        Ok(Response::new(silent(self.0.closing(), stream::pending())))
    }
}

#[tonic::async_trait]
impl GrpcBroker for GoPlugin {
    /// Hears the host out, so that its sends never block, and ends when the host does.
    async fn start_stream(
        &self,
        request: Request<Streaming<ConnInfo>>,
    ) -> Result<Response<BoxStream<ConnInfo>>, Status> {
        let heard = request.into_inner().take_while(|message| std::future::ready(message.is_ok()));
        Ok(Response::new(silent(self.0.closing(), heard.map(|_| ()))))
    }
}

/// A stream without messages that ends with `during`, or when the process closes.
fn silent<T: Send + 'static>(
    closing: CancellationToken,
    during: impl Stream<Item = ()> + Send + 'static,
) -> BoxStream<T> {
    let nothing = during.filter_map(|()| std::future::ready(None));
    Box::pin(nothing.take_until(closing.cancelled_owned()))
}
