//! A deployment's router, with its options read.

use crate::dynamo::facts::router::RouterMode;
use crate::dynamo::terms::amount::Amount;
use crate::dynamo::terms::words::RouterOption;
use std::collections::BTreeMap;

/// The router of a deployment.
#[derive(Clone, Debug, PartialEq)]
pub struct RouterSpec {
    pub mode: &'static RouterMode,
    pub options: BTreeMap<RouterOption, OptionValue>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OptionValue {
    Number(Amount),
    Switch(bool),
}
