//! Llama by Meta, and what others made of it; Nemotron by NVIDIA.
//!
//! Three of four layers of Llama 4 see a chunk of 8,192 tokens. Six layers of Nemotron 3 Nano have attention; the others keep a
//! state of fixed size.

use crate::dynamo::models::catalog::table::row::{Row, Tag, row};
use crate::dynamo::models::memory::shape::Shape;

pub(super) const ROWS: &[Row] = &[
    row("meta-llama/Llama-3.2-1B-Instruct", 1_235_814_400, 131_072, Shape::uniform(16, 32, 8, 64))
        .tools("llama3_json")
        .gated("llama3.2"),
    row("meta-llama/Llama-3.2-3B-Instruct", 3_212_749_824, 131_072, Shape::uniform(28, 24, 8, 128))
        .tools("llama3_json")
        .gated("llama3.2"),
    row("meta-llama/Llama-3.1-8B-Instruct", 8_030_261_248, 131_072, Shape::uniform(32, 32, 8, 128))
        .tools("llama3_json")
        .gated("llama3.1"),
    row("meta-llama/Llama-3.1-70B-Instruct", 70_553_706_496, 131_072, Shape::uniform(80, 64, 8, 128))
        .tools("llama3_json")
        .gated("llama3.1"),
    row("meta-llama/Llama-3.3-70B-Instruct", 70_553_706_496, 131_072, Shape::uniform(80, 64, 8, 128))
        .tools("llama3_json")
        .gated("llama3.3"),
    row("meta-llama/Llama-3.1-405B-Instruct", 405_853_388_800, 131_072, Shape::uniform(126, 128, 8, 128))
        .tools("llama3_json")
        .gated("llama3.1"),
    row(
        "meta-llama/Llama-4-Scout-17B-16E-Instruct",
        108_641_793_536,
        10_485_760,
        Shape::uniform(48, 40, 8, 128).windowed(36, 8192),
    )
    .active(17_000_000_000)
    .tags(&[Tag::Chat, Tag::Vision])
    .tools("pythonic")
    .gated("llama4"),
    row(
        "meta-llama/Llama-4-Maverick-17B-128E-Instruct",
        401_583_781_376,
        1_048_576,
        Shape::uniform(48, 40, 8, 128).windowed(36, 8192),
    )
    .active(17_000_000_000)
    .tags(&[Tag::Chat, Tag::Vision])
    .tools("pythonic")
    .gated("llama4"),
    row("NousResearch/Hermes-3-Llama-3.1-8B", 8_030_261_248, 131_072, Shape::uniform(32, 32, 8, 128))
        .tools("hermes")
        .licence("llama3"),
    row("TinyLlama/TinyLlama-1.1B-Chat-v1.0", 1_100_048_384, 2_048, Shape::uniform(22, 32, 4, 64)),
    row("nvidia/Llama-3.1-Nemotron-70B-Instruct-HF", 70_553_706_496, 131_072, Shape::uniform(80, 64, 8, 128))
        .tools("llama3_json")
        .licence("llama3.1"),
    row("nvidia/Llama-3.1-Nemotron-Nano-8B-v1", 8_030_261_248, 131_072, Shape::uniform(32, 32, 8, 128))
        .tags(&[Tag::Chat, Tag::Reasoning])
        .thinks("nemotron_deci")
        .licence("nvidia-open-model-license"),
    row("nvidia/NVIDIA-Nemotron-3-Nano-30B-A3B-BF16", 31_577_937_344, 262_144, Shape::uniform(6, 32, 2, 128))
        .active(3_600_000_000)
        .tags(&[Tag::Chat, Tag::Reasoning])
        .tools("qwen3_coder")
        .thinks("nemotron3")
        .licence("nvidia-open-model-license"),
];
