//! A warning where an image may not be of the release whose command lines it is run with.

use super::schema::DeploymentModel;
use crate::dynamo::check::image_tag;
use crate::dynamo::facts::release;
use crate::tf_provider::diagnostics::{Diagnostic, Diagnostics};
use crate::tf_provider::value::Path;

/// Of an image that the user chose; a derived one is of its release.
pub(crate) fn warnings(config: &DeploymentModel, planned: &DeploymentModel) -> Diagnostics {
    let (Some(image), Some(version)) = (config.image.known(), planned.dynamo_version.known()) else {
        return Diagnostics::new();
    };
    let chosen = !config.dynamo_version.is_null();
    let doubt = image_tag::doubt(image, version, chosen, release::ALL);
    doubt.map_or_else(Diagnostics::new, |doubt| {
        let detail = format!("{}. To be sure, {}.", doubt.what, doubt.fix);
        Diagnostic::warning("The image may be of another release", detail).at(Path::of("image")).into()
    })
}
