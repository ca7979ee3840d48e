//! SmolLM by Hugging Face, Granite by IBM, OLMo by the Allen Institute.

use crate::dynamo::models::catalog::table::row::{Row, Tag, row};
use crate::dynamo::models::memory::shape::Shape;

pub(super) const ROWS: &[Row] = &[
    row("HuggingFaceTB/SmolLM2-135M-Instruct", 134_515_008, 8_192, Shape::uniform(30, 9, 3, 64)),
    row("HuggingFaceTB/SmolLM2-360M-Instruct", 361_821_120, 8_192, Shape::uniform(32, 15, 5, 64)),
    row("HuggingFaceTB/SmolLM2-1.7B-Instruct", 1_711_376_384, 8_192, Shape::uniform(24, 32, 32, 64)),
    row("HuggingFaceTB/SmolLM3-3B", 3_075_098_624, 65_536, Shape::uniform(36, 16, 4, 128))
        .tags(&[Tag::Chat, Tag::Reasoning]),
    row("ibm-granite/granite-3.3-2b-instruct", 2_533_539_840, 131_072, Shape::uniform(40, 32, 8, 64)),
    row("ibm-granite/granite-3.3-8b-instruct", 8_170_864_640, 131_072, Shape::uniform(40, 32, 8, 128)),
    row("allenai/OLMo-2-1124-7B-Instruct", 7_298_617_344, 4_096, Shape::uniform(32, 32, 32, 128)),
    row("allenai/OLMo-2-1124-13B-Instruct", 13_716_198_400, 4_096, Shape::uniform(40, 40, 40, 128)),
    row("allenai/OLMo-2-0325-32B-Instruct", 32_234_279_936, 4_096, Shape::uniform(64, 40, 8, 128)),
];
