//! The models that are known by name: a file for each maker or two, a row for each model.
//!
//! Where the facts are from: layers, heads and context from the model's `config.json` on the Hugging Face hub (each row says
//! whose: [`Row::source`]); the number of parameters is what that file's dimensions come to, which is also what the hub counts
//! in the weight files; licence and gate from the model's page. Weights with fewer than 16 bits a parameter are rounded to a
//! million bytes or better. A model about which one of these could not be said with certainty has no row.

mod deepseek_and_others;
mod google;
mod llama;
mod microsoft_openai;
mod mistral;
mod open_labs;
mod qwen;
pub(crate) mod row;

use crate::dynamo::models::catalog::table::row::Row;

const FAMILIES: &[&[Row]] = &[
    deepseek_and_others::ROWS,
    google::ROWS,
    llama::ROWS,
    microsoft_openai::ROWS,
    mistral::ROWS,
    open_labs::ROWS,
    qwen::ROWS,
];

/// Every row.
pub(crate) fn rows() -> impl Iterator<Item = &'static Row> {
    FAMILIES.iter().copied().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dynamo::models::catalog::parsers::{REASONING, TOOL_CALLS};
    use crate::dynamo::models::catalog::table::row::{Dtype, Tag};
    use std::collections::BTreeSet;

    #[test]
    fn names_are_names_of_the_hub_and_stand_once() {
        let mut names = BTreeSet::new();
        for row in rows() {
            let (maker, model) = row.name.split_once('/').expect(row.name);
            assert!(!maker.is_empty() && !model.is_empty() && !model.contains('/'), "{}", row.name);
            assert!(names.insert(row.name.to_ascii_lowercase()), "{} stands twice", row.name);
        }
        assert!(names.len() >= 80, "{}", names.len());
    }

    #[test]
    fn facts_are_of_a_sane_size() {
        for row in rows() {
            let Row { name, shape, .. } = row;
            assert!((100_000_000..2_000_000_000_000).contains(&row.parameters), "{name}");
            assert!(
                row.active_parameters <= row.parameters && row.active_parameters >= 100_000_000,
                "{name}"
            );
            assert!((2048..=10_485_760).contains(&row.context_length), "{name}");
            assert!((6..=150).contains(&shape.layers()) && shape.full_layers > 0, "{name}");
            assert!(shape.check_tensor_parallel(1).is_ok(), "{name}");
            assert_eq!(shape.window_layers == 0, shape.window == 0, "{name}");
            assert!(u64::from(shape.window) < row.context_length, "{name}");
            assert!(!row.tags.is_empty() && !row.licence.is_empty(), "{name}");
        }
    }

    /// Bytes of a parameter, in thousandths: what the type of numbers says, and what scales and the parts that stay in 16 bits
    /// add to it.
    #[test]
    fn weights_are_what_parameters_and_their_type_come_to() {
        for row in rows() {
            let thousandths = row.weights_bytes * 1000 / row.parameters;
            let expected = match row.dtype {
                // Two are stored with a tied matrix twice.
                Dtype::Bf16 if row.parameters < 2_000_000_000 => 2000..=2600,
                Dtype::Bf16 => 2000..=2000,
                Dtype::Fp8 => 1000..=1200,
                Dtype::Int4 => 530..=740,
                Dtype::Mxfp4 => 550..=660,
            };
            assert!(expected.contains(&thousandths), "{}: {thousandths}", row.name);
        }
    }

    #[test]
    fn parsers_exist_and_those_who_think_are_tagged() {
        for row in rows() {
            let known = |table: &[crate::dynamo::models::catalog::parsers::Parser], name| {
                table.iter().any(|it| it.name == name)
            };
            assert!(row.tool_calls.is_none_or(|name| known(TOOL_CALLS, name)), "{}", row.name);
            assert!(row.reasoning.is_none_or(|name| known(REASONING, name)), "{}", row.name);
            assert!(row.reasoning.is_none() || row.tags.contains(&Tag::Reasoning), "{}", row.name);
        }
    }

    #[test]
    fn the_families_that_people_ask_for_are_there() {
        for part in [
            "Qwen2.5-7B",
            "Qwen3-8B",
            "Llama-3.1-8B",
            "Llama-3.3-70B",
            "Llama-4",
            "Mistral-7B",
            "Mixtral-8x7B",
            "Ministral",
            "gemma-2",
            "gemma-3",
            "Phi-3",
            "phi-4",
            "R1-Distill",
            "DeepSeek-V3",
            "DeepSeek-R1",
            "gpt-oss-20b",
            "gpt-oss-120b",
            "GLM-4.5",
            "Kimi-K2",
            "granite",
            "OLMo",
            "SmolLM",
            "Nemotron",
        ] {
            assert!(rows().any(|row| row.name.contains(part)), "{part}");
        }
    }
}
