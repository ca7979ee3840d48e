//! Qwen by Alibaba. Qwen3-Next has attention in every fourth layer only; the others keep a state of fixed size.

use crate::dynamo::models::catalog::table::row::{Dtype, Row, Tag, row};
use crate::dynamo::models::memory::shape::Shape;

pub(super) const ROWS: &[Row] = &[
    row("Qwen/Qwen2.5-0.5B-Instruct", 494_032_768, 32_768, Shape::uniform(24, 14, 2, 64)).tools("hermes"),
    row("Qwen/Qwen2.5-1.5B-Instruct", 1_543_714_304, 32_768, Shape::uniform(28, 12, 2, 128)).tools("hermes"),
    row("Qwen/Qwen2.5-3B-Instruct", 3_085_938_688, 32_768, Shape::uniform(36, 16, 2, 128))
        .tools("hermes")
        .licence("qwen-research"),
    row("Qwen/Qwen2.5-7B-Instruct", 7_615_616_512, 32_768, Shape::uniform(28, 28, 4, 128)).tools("hermes"),
    row("Qwen/Qwen2.5-14B-Instruct", 14_770_033_664, 32_768, Shape::uniform(48, 40, 8, 128)).tools("hermes"),
    row("Qwen/Qwen2.5-32B-Instruct", 32_763_876_352, 32_768, Shape::uniform(64, 40, 8, 128)).tools("hermes"),
    row("Qwen/Qwen2.5-72B-Instruct", 72_706_203_648, 32_768, Shape::uniform(80, 64, 8, 128))
        .tools("hermes")
        .licence("qwen"),
    row("Qwen/Qwen2.5-7B-Instruct-AWQ", 7_615_616_512, 32_768, Shape::uniform(28, 28, 4, 128))
        .stored(Dtype::Int4, 5_574_000_000)
        .tools("hermes"),
    row("Qwen/Qwen2.5-14B-Instruct-AWQ", 14_770_033_664, 32_768, Shape::uniform(48, 40, 8, 128))
        .stored(Dtype::Int4, 9_979_000_000)
        .tools("hermes"),
    row("Qwen/Qwen2.5-32B-Instruct-AWQ", 32_763_876_352, 32_768, Shape::uniform(64, 40, 8, 128))
        .stored(Dtype::Int4, 19_330_000_000)
        .tools("hermes"),
    row("Qwen/Qwen2.5-72B-Instruct-AWQ", 72_706_203_648, 32_768, Shape::uniform(80, 64, 8, 128))
        .stored(Dtype::Int4, 41_470_000_000)
        .tools("hermes")
        .licence("qwen"),
    row("Qwen/Qwen2.5-Coder-1.5B-Instruct", 1_543_714_304, 32_768, Shape::uniform(28, 12, 2, 128))
        .tags(&[Tag::Chat, Tag::Code])
        .tools("hermes"),
    row("Qwen/Qwen2.5-Coder-7B-Instruct", 7_615_616_512, 32_768, Shape::uniform(28, 28, 4, 128))
        .tags(&[Tag::Chat, Tag::Code])
        .tools("hermes"),
    row("Qwen/Qwen2.5-Coder-14B-Instruct", 14_770_033_664, 32_768, Shape::uniform(48, 40, 8, 128))
        .tags(&[Tag::Chat, Tag::Code])
        .tools("hermes"),
    row("Qwen/Qwen2.5-Coder-32B-Instruct", 32_763_876_352, 32_768, Shape::uniform(64, 40, 8, 128))
        .tags(&[Tag::Chat, Tag::Code])
        .tools("hermes"),
    row("Qwen/Qwen2.5-VL-7B-Instruct", 8_292_166_656, 128_000, Shape::uniform(28, 28, 4, 128))
        .tags(&[Tag::Chat, Tag::Vision]),
    row("Qwen/Qwen2.5-VL-72B-Instruct", 73_410_777_344, 128_000, Shape::uniform(80, 64, 8, 128))
        .tags(&[Tag::Chat, Tag::Vision])
        .licence("qwen"),
    row("Qwen/Qwen3-0.6B", 596_049_920, 40_960, Shape::uniform(28, 16, 8, 128))
        .stored(Dtype::Bf16, 1_503_264_768)
        .tags(&[Tag::Chat, Tag::Reasoning])
        .tools("hermes")
        .thinks("qwen3"),
    row("Qwen/Qwen3-1.7B", 1_720_574_976, 40_960, Shape::uniform(28, 16, 8, 128))
        .stored(Dtype::Bf16, 4_063_479_808)
        .tags(&[Tag::Chat, Tag::Reasoning])
        .tools("hermes")
        .thinks("qwen3"),
    row("Qwen/Qwen3-4B", 4_022_468_096, 40_960, Shape::uniform(36, 32, 8, 128))
        .tags(&[Tag::Chat, Tag::Reasoning])
        .tools("hermes")
        .thinks("qwen3"),
    row("Qwen/Qwen3-8B", 8_190_735_360, 40_960, Shape::uniform(36, 32, 8, 128))
        .tags(&[Tag::Chat, Tag::Reasoning])
        .tools("hermes")
        .thinks("qwen3"),
    row("Qwen/Qwen3-8B-FP8", 8_190_735_360, 40_960, Shape::uniform(36, 32, 8, 128))
        .stored(Dtype::Fp8, 9_435_000_000)
        .tags(&[Tag::Chat, Tag::Reasoning])
        .tools("hermes")
        .thinks("qwen3"),
    row("Qwen/Qwen3-14B", 14_768_307_200, 40_960, Shape::uniform(40, 40, 8, 128))
        .tags(&[Tag::Chat, Tag::Reasoning])
        .tools("hermes")
        .thinks("qwen3"),
    row("Qwen/Qwen3-32B", 32_762_123_264, 40_960, Shape::uniform(64, 64, 8, 128))
        .tags(&[Tag::Chat, Tag::Reasoning])
        .tools("hermes")
        .thinks("qwen3"),
    row("Qwen/Qwen3-32B-FP8", 32_762_123_264, 40_960, Shape::uniform(64, 64, 8, 128))
        .stored(Dtype::Fp8, 34_318_000_000)
        .tags(&[Tag::Chat, Tag::Reasoning])
        .tools("hermes")
        .thinks("qwen3"),
    row("Qwen/Qwen3-4B-Instruct-2507", 4_022_468_096, 262_144, Shape::uniform(36, 32, 8, 128))
        .tools("hermes"),
    row("Qwen/Qwen3-4B-Thinking-2507", 4_022_468_096, 262_144, Shape::uniform(36, 32, 8, 128))
        .tags(&[Tag::Chat, Tag::Reasoning])
        .tools("hermes")
        .thinks("qwen3"),
    row("Qwen/Qwen3-30B-A3B", 30_532_122_624, 40_960, Shape::uniform(48, 32, 4, 128))
        .active(3_300_000_000)
        .tags(&[Tag::Chat, Tag::Reasoning])
        .tools("hermes")
        .thinks("qwen3"),
    row("Qwen/Qwen3-30B-A3B-FP8", 30_532_122_624, 40_960, Shape::uniform(48, 32, 4, 128))
        .active(3_300_000_000)
        .stored(Dtype::Fp8, 31_154_000_000)
        .tags(&[Tag::Chat, Tag::Reasoning])
        .tools("hermes")
        .thinks("qwen3"),
    row("Qwen/Qwen3-30B-A3B-Instruct-2507", 30_532_122_624, 262_144, Shape::uniform(48, 32, 4, 128))
        .active(3_300_000_000)
        .tools("hermes"),
    row("Qwen/Qwen3-30B-A3B-Thinking-2507", 30_532_122_624, 262_144, Shape::uniform(48, 32, 4, 128))
        .active(3_300_000_000)
        .tags(&[Tag::Chat, Tag::Reasoning])
        .tools("hermes")
        .thinks("qwen3"),
    row("Qwen/Qwen3-Coder-30B-A3B-Instruct", 30_532_122_624, 262_144, Shape::uniform(48, 32, 4, 128))
        .active(3_300_000_000)
        .tags(&[Tag::Chat, Tag::Code])
        .tools("qwen3_coder"),
    row("Qwen/Qwen3-Next-80B-A3B-Instruct", 81_324_862_720, 262_144, Shape::uniform(12, 16, 2, 256))
        .active(3_000_000_000)
        .tools("hermes"),
    row("Qwen/Qwen3-Next-80B-A3B-Thinking", 81_324_862_720, 262_144, Shape::uniform(12, 16, 2, 256))
        .active(3_000_000_000)
        .tags(&[Tag::Chat, Tag::Reasoning])
        .tools("hermes")
        .thinks("qwen3"),
    row("Qwen/Qwen3-235B-A22B", 235_093_634_560, 40_960, Shape::uniform(94, 64, 4, 128))
        .active(22_000_000_000)
        .tags(&[Tag::Chat, Tag::Reasoning])
        .tools("hermes")
        .thinks("qwen3"),
    row("Qwen/Qwen3-235B-A22B-FP8", 235_093_634_560, 40_960, Shape::uniform(94, 64, 4, 128))
        .active(22_000_000_000)
        .stored(Dtype::Fp8, 236_338_000_000)
        .tags(&[Tag::Chat, Tag::Reasoning])
        .tools("hermes")
        .thinks("qwen3"),
    row("Qwen/Qwen3-235B-A22B-Instruct-2507", 235_093_634_560, 262_144, Shape::uniform(94, 64, 4, 128))
        .active(22_000_000_000)
        .tools("hermes"),
    row("Qwen/Qwen3-235B-A22B-Thinking-2507", 235_093_634_560, 262_144, Shape::uniform(94, 64, 4, 128))
        .active(22_000_000_000)
        .tags(&[Tag::Chat, Tag::Reasoning])
        .tools("hermes")
        .thinks("qwen3"),
    row("Qwen/Qwen3-Coder-480B-A35B-Instruct", 480_154_875_392, 262_144, Shape::uniform(62, 96, 8, 128))
        .active(35_000_000_000)
        .tags(&[Tag::Chat, Tag::Code])
        .tools("qwen3_coder"),
    row("Qwen/Qwen3-VL-8B-Instruct", 8_767_123_696, 262_144, Shape::uniform(36, 32, 8, 128))
        .tags(&[Tag::Chat, Tag::Vision])
        .tools("hermes"),
    row("Qwen/Qwen3-VL-30B-A3B-Instruct", 31_070_754_032, 262_144, Shape::uniform(48, 32, 4, 128))
        .active(3_300_000_000)
        .tags(&[Tag::Chat, Tag::Vision])
        .tools("hermes"),
];
