//! DeepSeek, Kimi by Moonshot AI, GLM by Z.ai, MiniMax.
//!
//! DeepSeek and Kimi keep one vector per token (512 numbers and 64 for the position) instead of keys and values.

use crate::dynamo::models::catalog::table::row::{Dtype, Row, Tag, row};
use crate::dynamo::models::memory::shape::Shape;

pub(super) const ROWS: &[Row] = &[
    row("deepseek-ai/DeepSeek-R1-Distill-Qwen-1.5B", 1_777_088_000, 131_072, Shape::uniform(28, 12, 2, 128))
        .tags(&[Tag::Chat, Tag::Reasoning])
        .thinks("deepseek_r1")
        .licence("mit"),
    row("deepseek-ai/DeepSeek-R1-Distill-Qwen-7B", 7_615_616_512, 131_072, Shape::uniform(28, 28, 4, 128))
        .tags(&[Tag::Chat, Tag::Reasoning])
        .thinks("deepseek_r1")
        .licence("mit"),
    row("deepseek-ai/DeepSeek-R1-Distill-Llama-8B", 8_030_261_248, 131_072, Shape::uniform(32, 32, 8, 128))
        .tags(&[Tag::Chat, Tag::Reasoning])
        .thinks("deepseek_r1")
        .licence("mit"),
    row("deepseek-ai/DeepSeek-R1-Distill-Qwen-14B", 14_770_033_664, 131_072, Shape::uniform(48, 40, 8, 128))
        .tags(&[Tag::Chat, Tag::Reasoning])
        .thinks("deepseek_r1")
        .licence("mit"),
    row("deepseek-ai/DeepSeek-R1-Distill-Qwen-32B", 32_763_876_352, 131_072, Shape::uniform(64, 40, 8, 128))
        .tags(&[Tag::Chat, Tag::Reasoning])
        .thinks("deepseek_r1")
        .licence("mit"),
    row("deepseek-ai/DeepSeek-R1-Distill-Llama-70B", 70_553_706_496, 131_072, Shape::uniform(80, 64, 8, 128))
        .tags(&[Tag::Chat, Tag::Reasoning])
        .thinks("deepseek_r1")
        .licence("mit"),
    row("deepseek-ai/DeepSeek-V2-Lite-Chat", 15_706_484_224, 163_840, Shape::latent(27, 16, 576))
        .active(2_400_000_000)
        .licence("deepseek"),
    row("deepseek-ai/DeepSeek-V3-0324", 671_026_419_200, 163_840, Shape::latent(61, 128, 576))
        .active(37_000_000_000)
        .stored(Dtype::Fp8, 688_586_727_753)
        .tools("deepseek_v3")
        .licence("mit"),
    row("deepseek-ai/DeepSeek-R1", 671_026_419_200, 163_840, Shape::latent(61, 128, 576))
        .active(37_000_000_000)
        .stored(Dtype::Fp8, 688_586_727_753)
        .tags(&[Tag::Chat, Tag::Reasoning])
        .thinks("deepseek_r1")
        .licence("mit"),
    row("deepseek-ai/DeepSeek-R1-0528", 671_026_419_200, 163_840, Shape::latent(61, 128, 576))
        .active(37_000_000_000)
        .stored(Dtype::Fp8, 688_586_727_753)
        .tags(&[Tag::Chat, Tag::Reasoning])
        .tools("deepseek_v3")
        .thinks("deepseek_r1")
        .licence("mit"),
    row("deepseek-ai/DeepSeek-V3.1", 671_026_419_200, 163_840, Shape::latent(61, 128, 576))
        .active(37_000_000_000)
        .stored(Dtype::Fp8, 688_586_727_753)
        .tags(&[Tag::Chat, Tag::Reasoning])
        .tools("deepseek_v3_1")
        .licence("mit"),
    row("moonshotai/Kimi-K2-Instruct", 1_026_408_232_448, 131_072, Shape::latent(61, 64, 576))
        .active(32_000_000_000)
        .stored(Dtype::Fp8, 1_029_000_000_000)
        .tools("kimi_k2")
        .licence("modified-mit"),
    row("zai-org/GLM-4-9B-0414", 9_400_279_040, 32_768, Shape::uniform(40, 32, 2, 128)).licence("mit"),
    row("zai-org/GLM-4.5-Air", 110_468_824_832, 131_072, Shape::uniform(46, 96, 8, 128))
        .active(12_000_000_000)
        .tags(&[Tag::Chat, Tag::Reasoning])
        .tools("glm47")
        .thinks("glm45")
        .licence("mit"),
    row("zai-org/GLM-4.5", 358_337_791_296, 131_072, Shape::uniform(92, 96, 8, 128))
        .active(32_000_000_000)
        .tags(&[Tag::Chat, Tag::Reasoning])
        .tools("glm47")
        .thinks("glm45")
        .licence("mit"),
    row("MiniMaxAI/MiniMax-M2", 228_689_304_576, 196_608, Shape::uniform(62, 48, 8, 128))
        .active(10_000_000_000)
        .stored(Dtype::Fp8, 230_000_000_000)
        .tags(&[Tag::Chat, Tag::Code, Tag::Reasoning])
        .tools("minimax_m2")
        .thinks("minimax_append_think")
        .licence("mit"),
];
