//! The provider's functions, a file for each. They are pure, and know nothing of the provider block.

mod model_fit;

pub(crate) use model_fit::ModelFit;
