//! What users say of models themselves, in the provider block.
//!
//! Everything may be left out. What is said of a model of the table goes over the table's; the attention is said as a whole or
//! not at all, since half of it with half of another's would be nobody's.

use super::model::CatalogModel;
use super::table::row::Tag;
use crate::dynamo::models::memory::shape::{Cache, Shape};
use crate::dynamo::terms::objection::Refusal;
use std::collections::{BTreeMap, BTreeSet};

/// An entry of the user's; what is `None` is left to the table.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct OwnModel {
    pub tags: Option<BTreeSet<Tag>>,
    pub parameters: Option<u64>,
    pub active_parameters: Option<u64>,
    pub weights_bytes: Option<u64>,
    pub dtype: Option<String>,
    pub context_length: Option<u64>,
    pub shape: Option<Shape>,
    pub tool_calls: Option<String>,
    pub reasoning: Option<String>,
    pub licence: Option<String>,
    pub gated: Option<bool>,
    pub engine_args: BTreeMap<String, String>,
}

impl OwnModel {
    /// A model of which nothing else is known.
    pub fn alone(self, name: String) -> CatalogModel {
        self.over(CatalogModel { name, ..CatalogModel::default() })
    }

    /// The user's entry over what is known of the model otherwise.
    pub(in crate::dynamo::models::catalog) fn over(self, below: CatalogModel) -> CatalogModel {
        CatalogModel {
            name: below.name,
            tags: self.tags.unwrap_or(below.tags),
            parameters: self.parameters.or(below.parameters),
            active_parameters: self.active_parameters.or(below.active_parameters),
            weights_bytes: self.weights_bytes.or(below.weights_bytes),
            dtype: self.dtype.or(below.dtype),
            context_length: self.context_length.or(below.context_length),
            shape: self.shape.or(below.shape),
            tool_calls: self.tool_calls.or(below.tool_calls),
            reasoning: self.reasoning.or(below.reasoning),
            licence: self.licence.or(below.licence),
            gated: self.gated.or(below.gated),
            engine_args: self.engine_args,
            source: below.source,
        }
    }
}

/// The attention as it is written down, number by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) struct Attention {
    pub layers: Option<u32>,
    pub attention_heads: Option<u32>,
    pub kv_heads: Option<u32>,
    pub head_dim: Option<u32>,
    /// Numbers per token and layer, instead of heads (MLA).
    pub latent_width: Option<u32>,
    pub window_layers: Option<u32>,
    pub window: Option<u32>,
}

impl Attention {
    /// The shape that the numbers make; `None` when none is given.
    pub(crate) fn shape(self) -> Result<Option<Shape>, Refusal> {
        if self == Self::default() {
            return Ok(None);
        }
        let (Some(layers), Some(heads)) = (self.layers, self.attention_heads) else {
            return Err(incomplete("layers and attention_heads belong together"));
        };
        let cache = match (self.kv_heads, self.head_dim, self.latent_width) {
            (Some(kv_heads), Some(head_dim), None) => Cache::Heads { kv_heads, head_dim },
            (None, None, Some(width)) => Cache::Latent { width },
            _ => return Err(incomplete("of a token is kept either kv_heads × head_dim or latent_width")),
        };
        let whole = Shape { cache, ..Shape::uniform(layers, heads, 1, 1) };
        match (self.window_layers, self.window) {
            (None, None) => Ok(Some(whole)),
            (Some(some), Some(window)) if some <= layers => Ok(Some(whole.windowed(some, window))),
            (Some(some), Some(_)) => {
                let what = format!("window_layers is {some}, but there are {layers} layers");
                Err(Refusal::new(what, "layers counts all layers with attention"))
            }
            _ => Err(incomplete("window_layers and window belong together")),
        }
    }
}

fn incomplete(what: &str) -> Refusal {
    let fix = "give layers, attention_heads, and kv_heads with head_dim or latent_width, as in the model's config.json, or none \
               of them";
    Refusal::new(what, fix)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LLAMA: Attention = Attention {
        layers: Some(32),
        attention_heads: Some(32),
        kv_heads: Some(8),
        head_dim: Some(128),
        latent_width: None,
        window_layers: None,
        window: None,
    };

    #[test]
    fn attention_is_whole_or_absent() {
        assert_eq!(Attention::default().shape(), Ok(None));
        assert_eq!(LLAMA.shape(), Ok(Some(Shape::uniform(32, 32, 8, 128))));
        let windowed = Attention { window_layers: Some(16), window: Some(4096), ..LLAMA };
        assert_eq!(windowed.shape(), Ok(Some(Shape::uniform(32, 32, 8, 128).windowed(16, 4096))));
        let latent = Attention { kv_heads: None, head_dim: None, latent_width: Some(576), ..LLAMA };
        assert_eq!(latent.shape(), Ok(Some(Shape::latent(32, 32, 576))));
        for half in [
            Attention { layers: None, ..LLAMA },
            Attention { attention_heads: None, ..LLAMA },
            Attention { kv_heads: None, ..LLAMA },
            Attention { latent_width: Some(576), ..LLAMA },
            Attention { window: Some(4096), ..LLAMA },
            Attention { window_layers: Some(33), window: Some(4096), ..LLAMA },
        ] {
            assert!(half.shape().is_err(), "{half:?}");
        }
    }
}
