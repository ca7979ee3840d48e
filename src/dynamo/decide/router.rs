//! The frontend's arguments for its router.

use crate::dynamo::facts::release::Release;
use crate::dynamo::facts::router::OptionFlag;
use crate::dynamo::spec::router::{OptionValue, RouterSpec};

/// The frontend's arguments for its router.
pub(in crate::dynamo) fn arguments(router: &RouterSpec, release: &Release) -> Vec<String> {
    let mut arguments = vec![release.router_mode_flag.to_owned(), router.mode.word.to_owned()];
    for facts in release.router_options {
        match (router.options.get(&facts.option), &facts.flag) {
            (Some(OptionValue::Number(amount)), OptionFlag::Value(flag)) => {
                arguments.extend([(*flag).to_owned(), amount.to_string()]);
            }
            (Some(OptionValue::Switch(true)), OptionFlag::Switch { on, .. }) => {
                arguments.push((*on).to_owned())
            }
            (Some(OptionValue::Switch(false)), OptionFlag::Switch { off, .. }) => {
                arguments.push((*off).to_owned());
            }
            // A test holds that numbers have values and switches have two spellings.
            (None, _) | (Some(_), _) => {}
        }
    }
    arguments
}
