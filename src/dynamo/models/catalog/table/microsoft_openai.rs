//! Phi by Microsoft and gpt-oss by OpenAI, of whose layers every second keeps a window only.

use crate::dynamo::models::catalog::table::row::{Dtype, Row, Tag, row};
use crate::dynamo::models::memory::shape::Shape;

pub(super) const ROWS: &[Row] = &[
    row("microsoft/Phi-3-mini-4k-instruct", 3_821_079_552, 4_096, Shape::uniform(32, 32, 32, 96))
        .licence("mit"),
    row("microsoft/Phi-3-medium-128k-instruct", 13_960_238_080, 131_072, Shape::uniform(40, 40, 10, 128))
        .licence("mit"),
    row("microsoft/Phi-3.5-mini-instruct", 3_821_079_552, 131_072, Shape::uniform(32, 32, 32, 96))
        .licence("mit"),
    row("microsoft/Phi-4-mini-instruct", 3_836_021_760, 131_072, Shape::uniform(32, 24, 8, 128))
        .tools("phi4")
        .licence("mit"),
    row("microsoft/phi-4", 14_659_507_200, 16_384, Shape::uniform(40, 40, 10, 128))
        .tools("phi4")
        .licence("mit"),
    row("microsoft/Phi-4-reasoning", 14_659_507_200, 32_768, Shape::uniform(40, 40, 10, 128))
        .tags(&[Tag::Chat, Tag::Reasoning])
        .thinks("basic")
        .licence("mit"),
    row("openai/gpt-oss-20b", 20_914_757_184, 131_072, Shape::uniform(24, 64, 8, 64).windowed(12, 128))
        .active(3_600_000_000)
        .stored(Dtype::Mxfp4, 13_761_264_768)
        .tags(&[Tag::Chat, Tag::Reasoning])
        .tools("harmony")
        .thinks("gpt_oss"),
    row("openai/gpt-oss-120b", 116_829_156_672, 131_072, Shape::uniform(36, 64, 8, 64).windowed(18, 128))
        .active(5_100_000_000)
        .stored(Dtype::Mxfp4, 65_248_815_744)
        .tags(&[Tag::Chat, Tag::Reasoning])
        .tools("harmony")
        .thinks("gpt_oss"),
];
