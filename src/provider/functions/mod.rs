//! The provider's functions, a file for each. They are pure, and know nothing of the provider block.

mod model_fit;

pub use model_fit::ModelFit;
