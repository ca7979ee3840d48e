//! Mistral AI. Models that come without a `tokenizer.json` are left out: Dynamo's frontend cannot serve them.

use crate::dynamo::models::catalog::table::row::{Row, row};
use crate::dynamo::models::memory::shape::Shape;

pub(super) const ROWS: &[Row] = &[
    row("mistralai/Mistral-7B-Instruct-v0.3", 7_248_023_552, 32_768, Shape::uniform(32, 32, 8, 128))
        .tools("mistral"),
    row("mistralai/Ministral-8B-Instruct-2410", 8_019_808_256, 32_768, Shape::uniform(36, 32, 8, 128))
        .tools("mistral")
        .gated("mrl"),
    row("mistralai/Mistral-Nemo-Instruct-2407", 12_247_782_400, 131_072, Shape::uniform(40, 32, 8, 128))
        .tools("mistral"),
    row("mistralai/Mistral-Small-24B-Instruct-2501", 23_572_403_200, 32_768, Shape::uniform(40, 32, 8, 128))
        .tools("mistral"),
    row("mistralai/Mixtral-8x7B-Instruct-v0.1", 46_702_792_704, 32_768, Shape::uniform(32, 32, 8, 128))
        .active(12_900_000_000),
    row("mistralai/Mixtral-8x22B-Instruct-v0.1", 140_630_071_296, 65_536, Shape::uniform(56, 48, 8, 128))
        .active(39_000_000_000)
        .tools("mistral"),
    row("mistralai/Mistral-Large-Instruct-2411", 122_610_069_504, 131_072, Shape::uniform(88, 96, 8, 128))
        .tools("mistral")
        .gated("mrl"),
];
