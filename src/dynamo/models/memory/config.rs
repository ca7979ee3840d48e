//! A model's `config.json`: its attention and its context.
//!
//! Every architecture writes its attention down in its own way. What is read here errs on one side: where it is not clear
//! which layers keep a window only, all of them are taken to, and where it is not clear what a layer keeps, nothing is said.
//! So what follows from it is never more than the model really takes.

use super::shape::{Cache, Shape};
use serde_json::Value as Json;

/// What a `config.json` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Described {
    /// `None` for attention of a kind that is not known.
    pub shape: Option<Shape>,
    /// Tokens.
    pub context_length: Option<u64>,
}

/// Reads the text of a `config.json`; `None` when it is no JSON object.
pub(crate) fn read(text: &str) -> Option<Described> {
    let whole: Json = serde_json::from_str(text).ok()?;
    whole.as_object()?;
    // Models that see and hear keep their language model one level down.
    let config = whole.get("text_config").filter(|it| it.is_object()).unwrap_or(&whole);
    let context_length = config.get("max_position_embeddings").and_then(Json::as_u64);
    Some(Described { shape: shape(config), context_length })
}

fn number(config: &Json, key: &str) -> Option<u32> {
    u32::try_from(config.get(key)?.as_u64()?).ok().filter(|number| *number > 0)
}

fn shape(config: &Json) -> Option<Shape> {
    let heads = number(config, "num_attention_heads")?;
    let layers = Layers::of(config)?;
    let cache = match number(config, "kv_lora_rank") {
        Some(rank) => Cache::Latent { width: rank.checked_add(number(config, "qk_rope_head_dim")?)? },
        None => Cache::Heads {
            kv_heads: number(config, "num_key_value_heads").unwrap_or(heads),
            head_dim: number(config, "head_dim")
                .or_else(|| number(config, "hidden_size")?.checked_div(heads))?,
        },
    };
    let Layers { full, windowed, window } = layers;
    Some(Shape { attention_heads: heads, full_layers: full, window_layers: windowed, window, cache })
}

struct Layers {
    full: u32,
    windowed: u32,
    window: u32,
}

impl Layers {
    /// `None` where layers are not of a kind that is known.
    fn of(config: &Json) -> Option<Self> {
        let all = number(config, "num_hidden_layers")?;
        if let Some(pattern) = config.get("hybrid_override_pattern").and_then(Json::as_str) {
            let full = u32::try_from(pattern.matches('*').count()).ok()?;
            return Some(Self { full, windowed: 0, window: 0 });
        }
        let window = number(config, "sliding_window").or_else(|| number(config, "attention_chunk_size"));
        if let Some(types) = config.get("layer_types").and_then(Json::as_array) {
            return Self::typed(types, window);
        }
        if let Some(interval) = number(config, "full_attention_interval") {
            return Some(Self { full: all / interval, windowed: 0, window: 0 });
        }
        if is_stateful(config) {
            return None;
        }
        let unused = config.get("use_sliding_window").and_then(Json::as_bool) == Some(false);
        Some(match window.filter(|_| !unused) {
            None => Self { full: all, windowed: 0, window: 0 },
            // Which layers is written in the model's code.
            Some(window) => Self { full: 0, windowed: all, window },
        })
    }

    fn typed(types: &[Json], window: Option<u32>) -> Option<Self> {
        let mut layers = Self { full: 0, windowed: 0, window: 0 };
        for word in types {
            match word.as_str()? {
                "full_attention" | "attention" => layers.full += 1,
                "sliding_attention" | "chunked_attention" => {
                    layers.windowed += 1;
                    layers.window = window?;
                }
                "linear_attention" | "mamba" => {}
                _ => return None,
            }
        }
        Some(layers)
    }
}

/// Some of its layers keep a state, and which is not written in a way that is known.
fn is_stateful(config: &Json) -> bool {
    let words = ["mamba", "ssm", "linear_", "layers_block_type", "attn_layer"];
    config.as_object().into_iter().flatten().any(|(key, _)| words.iter().any(|word| key.starts_with(word)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dynamo::models::catalog::table;

    fn shape(text: &str) -> Option<Shape> {
        read(text).unwrap().shape
    }

    /// What the hub's files say, in the order of the catalog's names.
    #[test]
    fn configurations_say_what_the_catalog_says() {
        let window = |count: usize, of: usize| {
            let word = |at| if (at + 1) % of == 0 { "\"full_attention\"" } else { "\"sliding_attention\"" };
            (0..count).map(word).collect::<Vec<_>>().join(",")
        };
        let cases = [
            (
                "Qwen/Qwen3-8B",
                r#"{"num_hidden_layers":36,"num_attention_heads":32,"num_key_value_heads":8,"head_dim":128,"hidden_size":4096,
                    "sliding_window":null,"use_sliding_window":false,"max_position_embeddings":40960}"#.to_owned(),
            ),
            (
                "Qwen/Qwen2.5-7B-Instruct",
                r#"{"num_hidden_layers":28,"num_attention_heads":28,"num_key_value_heads":4,"hidden_size":3584,
                    "sliding_window":131072,"use_sliding_window":false,"max_position_embeddings":32768}"#.to_owned(),
            ),
            (
                "microsoft/Phi-3.5-mini-instruct",
                r#"{"num_hidden_layers":32,"num_attention_heads":32,"hidden_size":3072,"max_position_embeddings":131072}"#.to_owned(),
            ),
            (
                "deepseek-ai/DeepSeek-R1",
                r#"{"num_hidden_layers":61,"num_attention_heads":128,"num_key_value_heads":128,"kv_lora_rank":512,
                    "qk_rope_head_dim":64,"hidden_size":7168,"max_position_embeddings":163840}"#.to_owned(),
            ),
            (
                "openai/gpt-oss-20b",
                format!(
                    r#"{{"num_hidden_layers":24,"num_attention_heads":64,"num_key_value_heads":8,"head_dim":64,
                        "sliding_window":128,"layer_types":[{}],"max_position_embeddings":131072}}"#,
                    window(24, 2)
                ),
            ),
            (
                "google/gemma-3-27b-it",
                format!(
                    r#"{{"text_config":{{"num_hidden_layers":62,"num_attention_heads":32,"num_key_value_heads":16,"head_dim":128,
                        "sliding_window":1024,"layer_types":[{}],"max_position_embeddings":131072}}}}"#,
                    window(62, 6)
                ),
            ),
            (
                "nvidia/NVIDIA-Nemotron-3-Nano-30B-A3B-BF16",
                r#"{"num_hidden_layers":52,"num_attention_heads":32,"num_key_value_heads":2,"head_dim":128,"mamba_head_dim":64,
                    "hybrid_override_pattern":"MEMEM*EMEMEM*EMEMEM*EMEMEM*EMEMEM*EMEMEMEM*EMEMEMEME",
                    "max_position_embeddings":262144}"#.to_owned(),
            ),
            (
                "Qwen/Qwen3-Next-80B-A3B-Instruct",
                r#"{"num_hidden_layers":48,"num_attention_heads":16,"num_key_value_heads":2,"head_dim":256,
                    "linear_num_key_heads":16,"full_attention_interval":4,"max_position_embeddings":262144}"#.to_owned(),
            ),
        ];
        for (name, text) in cases {
            let row = table::rows().find(|row| row.name == name).unwrap();
            let expected = Described { shape: Some(row.shape), context_length: Some(row.context_length) };
            assert_eq!(read(&text), Some(expected), "{name}");
        }
    }

    #[test]
    fn what_is_not_clear_is_taken_for_less_or_left_open() {
        let base = r#""num_hidden_layers":4,"num_attention_heads":4,"num_key_value_heads":2,"head_dim":8"#;
        let windowed = shape(&format!(r#"{{{base},"sliding_window":16}}"#));
        assert_eq!(windowed, Some(Shape::uniform(4, 4, 2, 8).windowed(4, 16)));
        for more in [
            r#""mamba_d_state":16"#,
            r#""attn_layer_period":8"#,
            r#""layer_types":["strange"]"#,
            r#""layer_types":[1]"#,
        ] {
            assert_eq!(shape(&format!("{{{base},{more}}}")), None, "{more}");
        }
        for text in [
            "{}",
            r#"{"num_hidden_layers":0,"num_attention_heads":4,"hidden_size":8}"#,
            r#"{"num_hidden_layers":-3,"num_attention_heads":4,"hidden_size":8}"#,
            r#"{"num_hidden_layers":4,"num_attention_heads":4}"#,
            r#"{"num_hidden_layers":4,"num_attention_heads":4,"kv_lora_rank":512}"#,
            r#"{"num_hidden_layers":4,"num_attention_heads":99999999999,"hidden_size":8}"#,
        ] {
            assert_eq!(shape(text), None, "{text}");
        }
        for text in ["", "[]", "null", "{", "\u{0}"] {
            assert_eq!(read(text), None, "{text:?}");
        }
    }
}
