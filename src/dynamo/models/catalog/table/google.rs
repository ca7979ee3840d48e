//! Gemma by Google: every second layer of Gemma 2 keeps a window only, of Gemma 3 five of six.

use crate::dynamo::models::catalog::table::row::{Row, Tag, row};
use crate::dynamo::models::memory::shape::Shape;

pub(super) const ROWS: &[Row] = &[
    row("google/gemma-2-2b-it", 2_614_341_888, 8_192, Shape::uniform(26, 8, 4, 256).windowed(13, 4096))
        .gated("gemma"),
    row("google/gemma-2-9b-it", 9_241_705_984, 8_192, Shape::uniform(42, 16, 8, 256).windowed(21, 4096))
        .gated("gemma"),
    row("google/gemma-2-27b-it", 27_227_128_320, 8_192, Shape::uniform(46, 32, 16, 128).windowed(23, 4096))
        .gated("gemma"),
    row("google/gemma-3-1b-it", 999_885_952, 32_768, Shape::uniform(26, 4, 1, 256).windowed(22, 512))
        .gated("gemma"),
    row("google/gemma-3-4b-it", 4_300_079_472, 131_072, Shape::uniform(34, 8, 4, 256).windowed(29, 1024))
        .tags(&[Tag::Chat, Tag::Vision])
        .gated("gemma"),
    row("google/gemma-3-12b-it", 12_187_325_040, 131_072, Shape::uniform(48, 16, 8, 256).windowed(40, 1024))
        .tags(&[Tag::Chat, Tag::Vision])
        .gated("gemma"),
    row("google/gemma-3-27b-it", 27_432_406_640, 131_072, Shape::uniform(62, 32, 16, 128).windowed(52, 1024))
        .tags(&[Tag::Chat, Tag::Vision])
        .gated("gemma"),
];
