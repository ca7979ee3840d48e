use std::process::ExitCode;

use terraform_provider_dynamo::tf_provider::process::{self, Lifetime, Mode, Options};
use terraform_provider_dynamo::tf_provider::wire::tfplugin6::provider_server::Provider;
use terraform_provider_dynamo::tf_provider::wire::tfplugin6::{Schema, get_provider_schema, stop_provider};
use tonic::{Request, Response, Status};

fn main() -> ExitCode {
    let mode = match std::env::args().nth(1).as_deref() {
        Some("-debug" | "--debug") => Mode::Debug,
        _ => Mode::Plugin,
    };
    process::run(Options { address: "terraform-provider-dynamo/dynamo", mode }, Empty)
}

/// A provider without resources.
struct Empty(Lifetime);

#[tonic::async_trait]
impl Provider for Empty {
    async fn get_provider_schema(
        &self,
        _: Request<get_provider_schema::Request>,
    ) -> Result<Response<get_provider_schema::Response>, Status> {
        let provider = Some(Schema::default());
        Ok(Response::new(get_provider_schema::Response { provider, ..Default::default() }))
    }

    async fn stop_provider(
        &self,
        _: Request<stop_provider::Request>,
    ) -> Result<Response<stop_provider::Response>, Status> {
        self.0.stop();
        Ok(Response::new(Default::default()))
    }
}
