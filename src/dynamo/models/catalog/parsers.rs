//! Which of Dynamo's parsers turn a model's output into tool calls and reasoning, and since when they exist.
//!
//! A worker that is given a name which its release does not know ends at once. So a default is only given to a release that
//! knows it. The names are what `get_tool_parser_names` and `get_reasoning_parser_names` of each release's `dynamo._core`
//! return; which model speaks which is in Dynamo's documentation (Tool Call Parsing, Reasoning Parsing).

/// Major and minor number of a release line.
pub(crate) type Line = (u16, u16);

/// A parser by Dynamo's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Parser {
    pub name: &'static str,
    /// The first line of releases with it, of those that this provider looks at (1.0 and later).
    pub since: Line,
}

const fn from_1_0(name: &'static str) -> Parser {
    Parser { name, since: (1, 0) }
}

/// For `--dyn-tool-call-parser`. Aliases are left out.
pub(crate) const TOOL_CALLS: &[Parser] = &[
    from_1_0("deepseek_v3"),
    from_1_0("deepseek_v3_1"),
    from_1_0("deepseek_v3_2"),
    from_1_0("glm47"),
    from_1_0("harmony"),
    from_1_0("hermes"),
    from_1_0("jamba"),
    from_1_0("kimi_k2"),
    from_1_0("llama3_json"),
    from_1_0("minimax_m2"),
    from_1_0("mistral"),
    from_1_0("nemotron_deci"),
    from_1_0("nemotron_nano"),
    from_1_0("phi4"),
    from_1_0("pythonic"),
    from_1_0("qwen3_coder"),
    Parser { name: "deepseek_v4", since: (1, 2) },
    Parser { name: "gemma4", since: (1, 2) },
    Parser { name: "minimax_m3", since: (1, 3) },
    Parser { name: "kimi_k3", since: (1, 4) },
    Parser { name: "inkling", since: (1, 4) },
];

/// For `--dyn-reasoning-parser`. Aliases are left out.
pub(crate) const REASONING: &[Parser] = &[
    from_1_0("basic"),
    from_1_0("deepseek_r1"),
    from_1_0("glm45"),
    from_1_0("gpt_oss"),
    from_1_0("granite"),
    from_1_0("kimi"),
    from_1_0("kimi_k25"),
    from_1_0("minimax_append_think"),
    from_1_0("mistral"),
    from_1_0("nemotron3"),
    from_1_0("nemotron_deci"),
    from_1_0("nemotron_nano"),
    from_1_0("qwen3"),
    from_1_0("step3"),
    Parser { name: "deepseek_v4", since: (1, 2) },
    Parser { name: "gemma4", since: (1, 2) },
    Parser { name: "minimax_m3", since: (1, 3) },
    Parser { name: "kimi_k3", since: (1, 4) },
    Parser { name: "inkling", since: (1, 4) },
];

/// Whether a line of releases has the parser. One that is not in the table is the user's, who knows better.
pub(crate) fn is_in(table: &[Parser], name: &str, line: Line) -> bool {
    table.iter().find(|parser| parser.name == name).is_none_or(|parser| line >= parser.since)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parser_is_given_to_the_lines_that_have_it() {
        assert!(is_in(TOOL_CALLS, "gemma4", (1, 6)) && is_in(TOOL_CALLS, "gemma4", (1, 2)));
        assert!(!is_in(TOOL_CALLS, "gemma4", (1, 1)));
        assert!(is_in(TOOL_CALLS, "hermes", (1, 0)) && !is_in(TOOL_CALLS, "hermes", (0, 9)));
        assert!(is_in(REASONING, "of_tomorrow", (1, 0)));
    }

    #[test]
    fn every_parser_is_listed_once() {
        for table in [TOOL_CALLS, REASONING] {
            let mut names: Vec<_> = table.iter().map(|parser| parser.name).collect();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), table.len());
        }
    }
}
