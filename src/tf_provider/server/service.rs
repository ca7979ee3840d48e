//! The generated service trait, filled in: each method names its RPC and hands over.
//!
//! List resources, actions and state stores have their place here and none registered: the first two answer that the
//! type is unknown, the last `Unimplemented`, which is what the generated default does.

use super::convert::{Answer, to_wire};
use super::{Server, rpc, unknown_type};
use crate::tf_provider::provider::Provider as Author;
use crate::tf_provider::wire::tfplugin6 as wire;
use tonic::codegen::BoxStream;
use tonic::{Request, Response, Status};
use wire::provider_server::Provider;

type Reply<T> = Result<Response<T>, Status>;

fn reply<T>(answer: T) -> Reply<T> {
    Ok(Response::new(answer))
}

#[tonic::async_trait]
impl<P: Author> Provider for Server<P> {
    async fn get_metadata(
        &self,
        _: Request<wire::get_metadata::Request>,
    ) -> Reply<wire::get_metadata::Response> {
        reply(self.metadata())
    }

    async fn get_provider_schema(
        &self,
        _: Request<wire::get_provider_schema::Request>,
    ) -> Reply<wire::get_provider_schema::Response> {
        reply(self.provider_schema())
    }

    async fn get_resource_identity_schemas(
        &self,
        _: Request<wire::get_resource_identity_schemas::Request>,
    ) -> Reply<wire::get_resource_identity_schemas::Response> {
        reply(self.identity_schemas())
    }

    async fn validate_provider_config(
        &self,
        request: Request<wire::validate_provider_config::Request>,
    ) -> Reply<wire::validate_provider_config::Response> {
        let request = request.into_inner();
        reply(rpc("ValidateProviderConfig", "", async { self.validate_provider(&request) }).await)
    }

    async fn configure_provider(
        &self,
        request: Request<wire::configure_provider::Request>,
    ) -> Reply<wire::configure_provider::Response> {
        let request = request.into_inner();
        reply(rpc("ConfigureProvider", "", async { self.configure(&request) }).await)
    }

    async fn stop_provider(
        &self,
        _: Request<wire::stop_provider::Request>,
    ) -> Reply<wire::stop_provider::Response> {
        self.lifetime.stop();
        reply(wire::stop_provider::Response::default())
    }

    async fn validate_resource_config(
        &self,
        request: Request<wire::validate_resource_config::Request>,
    ) -> Reply<wire::validate_resource_config::Response> {
        let request = request.into_inner();
        reply(
            rpc("ValidateResourceConfig", &request.type_name, async { self.validate_resource(&request) })
                .await,
        )
    }

    async fn upgrade_resource_state(
        &self,
        request: Request<wire::upgrade_resource_state::Request>,
    ) -> Reply<wire::upgrade_resource_state::Response> {
        let request = request.into_inner();
        reply(
            rpc("UpgradeResourceState", &request.type_name, async { self.upgrade_resource(&request) }).await,
        )
    }

    async fn upgrade_resource_identity(
        &self,
        request: Request<wire::upgrade_resource_identity::Request>,
    ) -> Reply<wire::upgrade_resource_identity::Response> {
        let request = request.into_inner();
        reply(
            rpc("UpgradeResourceIdentity", &request.type_name, async { self.upgrade_identity(&request) })
                .await,
        )
    }

    async fn validate_data_resource_config(
        &self,
        request: Request<wire::validate_data_resource_config::Request>,
    ) -> Reply<wire::validate_data_resource_config::Response> {
        let request = request.into_inner();
        reply(
            rpc("ValidateDataResourceConfig", &request.type_name, async {
                self.validate_data_source(&request)
            })
            .await,
        )
    }

    async fn validate_ephemeral_resource_config(
        &self,
        request: Request<wire::validate_ephemeral_resource_config::Request>,
    ) -> Reply<wire::validate_ephemeral_resource_config::Response> {
        let request = request.into_inner();
        reply(
            rpc("ValidateEphemeralResourceConfig", &request.type_name, async {
                self.validate_ephemeral(&request)
            })
            .await,
        )
    }

    async fn read_resource(
        &self,
        request: Request<wire::read_resource::Request>,
    ) -> Reply<wire::read_resource::Response> {
        let request = request.into_inner();
        reply(rpc("ReadResource", &request.type_name.clone(), self.read_managed(request)).await)
    }

    async fn plan_resource_change(
        &self,
        request: Request<wire::plan_resource_change::Request>,
    ) -> Reply<wire::plan_resource_change::Response> {
        let request = request.into_inner();
        reply(rpc("PlanResourceChange", &request.type_name.clone(), self.plan_resource(request)).await)
    }

    async fn apply_resource_change(
        &self,
        request: Request<wire::apply_resource_change::Request>,
    ) -> Reply<wire::apply_resource_change::Response> {
        let request = request.into_inner();
        reply(rpc("ApplyResourceChange", &request.type_name.clone(), self.apply_resource(request)).await)
    }

    async fn import_resource_state(
        &self,
        request: Request<wire::import_resource_state::Request>,
    ) -> Reply<wire::import_resource_state::Response> {
        let request = request.into_inner();
        reply(rpc("ImportResourceState", &request.type_name.clone(), self.import_resource(request)).await)
    }

    async fn move_resource_state(
        &self,
        request: Request<wire::move_resource_state::Request>,
    ) -> Reply<wire::move_resource_state::Response> {
        let request = request.into_inner();
        reply(
            rpc("MoveResourceState", &request.target_type_name, async { self.move_resource(&request) }).await,
        )
    }

    async fn read_data_source(
        &self,
        request: Request<wire::read_data_source::Request>,
    ) -> Reply<wire::read_data_source::Response> {
        let request = request.into_inner();
        reply(rpc("ReadDataSource", &request.type_name.clone(), self.read_source(request)).await)
    }

    async fn open_ephemeral_resource(
        &self,
        request: Request<wire::open_ephemeral_resource::Request>,
    ) -> Reply<wire::open_ephemeral_resource::Response> {
        let request = request.into_inner();
        reply(rpc("OpenEphemeralResource", &request.type_name.clone(), self.open_ephemeral(request)).await)
    }

    async fn renew_ephemeral_resource(
        &self,
        request: Request<wire::renew_ephemeral_resource::Request>,
    ) -> Reply<wire::renew_ephemeral_resource::Response> {
        let request = request.into_inner();
        reply(rpc("RenewEphemeralResource", &request.type_name.clone(), self.renew_ephemeral(request)).await)
    }

    async fn close_ephemeral_resource(
        &self,
        request: Request<wire::close_ephemeral_resource::Request>,
    ) -> Reply<wire::close_ephemeral_resource::Response> {
        let request = request.into_inner();
        reply(rpc("CloseEphemeralResource", &request.type_name.clone(), self.close_ephemeral(request)).await)
    }

    async fn get_functions(
        &self,
        _: Request<wire::get_functions::Request>,
    ) -> Reply<wire::get_functions::Response> {
        reply(wire::get_functions::Response { functions: self.functions(), diagnostics: Vec::new() })
    }

    async fn call_function(
        &self,
        request: Request<wire::call_function::Request>,
    ) -> Reply<wire::call_function::Response> {
        reply(self.answer_function(&request.into_inner()))
    }

    async fn validate_list_resource_config(
        &self,
        request: Request<wire::validate_list_resource_config::Request>,
    ) -> Reply<wire::validate_list_resource_config::Response> {
        reply(Answer::failed(unknown_type("list resource", &request.into_inner().type_name)))
    }

    async fn list_resource(
        &self,
        request: Request<wire::list_resource::Request>,
    ) -> Reply<BoxStream<wire::list_resource::Event>> {
        let diagnostic = to_wire(unknown_type("list resource", &request.into_inner().type_name));
        let event = wire::list_resource::Event { diagnostic, ..Default::default() };
        reply(Box::pin(tokio_stream::once(Ok(event))))
    }

    async fn validate_action_config(
        &self,
        request: Request<wire::validate_action_config::Request>,
    ) -> Reply<wire::validate_action_config::Response> {
        reply(Answer::failed(unknown_type("action", &request.into_inner().type_name)))
    }

    async fn plan_action(
        &self,
        request: Request<wire::plan_action::Request>,
    ) -> Reply<wire::plan_action::Response> {
        reply(Answer::failed(unknown_type("action", &request.into_inner().action_type)))
    }

    async fn invoke_action(
        &self,
        request: Request<wire::invoke_action::Request>,
    ) -> Reply<BoxStream<wire::invoke_action::Event>> {
        use wire::invoke_action::event::{Completed, Type};
        let diagnostics = to_wire(unknown_type("action", &request.into_inner().action_type));
        let event = wire::invoke_action::Event { r#type: Some(Type::Completed(Completed { diagnostics })) };
        reply(Box::pin(tokio_stream::once(Ok(event))))
    }
}
