//! Functions: their signatures and calls. They work on an unconfigured provider.

use super::Server;
use super::convert::{decode, encode, type_bytes};
use crate::tf_provider::diagnostics::Diagnostics;
use crate::tf_provider::provider::{FunctionError, Parameter, Provider, Signature};
use crate::tf_provider::value::Value;
use crate::tf_provider::wire::tfplugin6 as wire;
use std::collections::BTreeMap;

fn signature(it: Signature) -> wire::Function {
    wire::Function {
        parameters: it.parameters.into_iter().map(parameter).collect(),
        variadic_parameter: it.variadic.map(parameter),
        r#return: Some(wire::function::Return { r#type: type_bytes(&it.returns) }),
        summary: it.summary.to_owned(),
        description: it.description.to_owned(),
        description_kind: wire::StringKind::Markdown.into(),
        deprecation_message: String::new(),
    }
}

fn parameter(it: Parameter) -> wire::function::Parameter {
    wire::function::Parameter {
        name: it.name.to_owned(),
        r#type: type_bytes(&it.ty),
        allow_null_value: it.allow_null,
        allow_unknown_values: it.allow_unknown,
        description: it.description.to_owned(),
        description_kind: wire::StringKind::Markdown.into(),
    }
}

/// The text of the first error; functions have no diagnostics.
fn plain(diagnostics: Diagnostics) -> FunctionError {
    let text = diagnostics.0.into_iter().map(|it| it.detail).next().unwrap_or_default();
    FunctionError { text, argument: None }
}

impl<P: Provider> Server<P> {
    pub(super) fn functions(&self) -> BTreeMap<String, wire::Function> {
        let functions = self.registry().functions.iter();
        functions.map(|(name, it)| ((*name).to_owned(), signature(it.signature()))).collect()
    }

    pub(super) fn answer_function(
        &self,
        request: &wire::call_function::Request,
    ) -> wire::call_function::Response {
        match self.called(request) {
            Ok(response) => response,
            Err(error) => wire::call_function::Response {
                result: None,
                error: Some(wire::FunctionError {
                    text: error.text,
                    function_argument: error.argument.and_then(|index| i64::try_from(index).ok()),
                }),
            },
        }
    }

    fn called(
        &self,
        request: &wire::call_function::Request,
    ) -> Result<wire::call_function::Response, FunctionError> {
        let whole = |text: String| FunctionError { text, argument: None };
        let function = self.registry().functions.get(request.name.as_str()).ok_or_else(|| {
            whole(format!("This version of the provider has no function named {:?}.", request.name))
        })?;
        let signature = function.signature();
        if request.arguments.len() < signature.parameters.len() {
            return Err(whole(format!("{} takes {} arguments.", signature.name, signature.parameters.len())));
        }
        let parameters =
            signature.parameters.iter().map(Some).chain(std::iter::repeat(signature.variadic.as_ref()));
        let mut arguments = Vec::with_capacity(request.arguments.len());
        for (index, (argument, parameter)) in request.arguments.iter().zip(parameters).enumerate() {
            let parameter = parameter.ok_or_else(|| FunctionError {
                text: format!("{} takes no further argument.", signature.name),
                argument: Some(index),
            })?;
            let value = decode(Some(argument), &parameter.ty)
                .map_err(|error| FunctionError { argument: Some(index), ..plain(error) })?;
            if value.is_null() && !parameter.allow_null {
                let text = format!("{} must not be null.", parameter.name);
                return Err(FunctionError { text, argument: Some(index) });
            }
            if !parameter.allow_unknown && !value.is_wholly_known() {
                return self.function_result(&signature, &Value::Unknown);
            }
            arguments.push(value);
        }
        let result = function.call(arguments)?;
        self.function_result(&signature, &result)
    }

    fn function_result(
        &self,
        signature: &Signature,
        result: &Value,
    ) -> Result<wire::call_function::Response, FunctionError> {
        let result = encode(result, &signature.returns).map_err(plain)?;
        Ok(wire::call_function::Response { result, error: None })
    }
}
