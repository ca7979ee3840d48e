//! What can go wrong while files move, told apart by what the user has to do.

/// An error while files are copied. The text is a clause without a full stop.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TransferError {
    #[error("{path} could not be read to its end ({text})")]
    CutShort { path: String, text: String },
    #[error("the content of {path} is not what its checksum says")]
    Checksum { path: String },
    #[error("this user may not write to {path} ({text})")]
    NotWritable { path: String, text: String },
    #[error("{path} has {free_bytes} bytes free, and {needed_bytes} are needed")]
    NoRoom { path: String, needed_bytes: u64, free_bytes: u64 },
    #[error("nothing moved for {seconds} s (last: {text})")]
    Stalled { seconds: u64, text: String },
    #[error("the connection broke ({text})")]
    Broken { text: String },
    #[error("it was stopped")]
    Stopped,
    #[error("a command there failed ({text})")]
    Command { text: String },
}

impl TransferError {
    /// What the user should do, as a sentence.
    pub fn next_step(&self) -> &'static str {
        match self {
            Self::CutShort { .. } => "Look whether somebody changes or removes it, and apply again.",
            Self::Checksum { .. } => {
                "Its copy is damaged where it comes from, or its disk is: replace it there, and apply again."
            }
            Self::NotWritable { .. } => "Let that user write there, or choose another path.",
            Self::NoRoom { .. } => "Make room, or choose a path on another disk.",
            Self::Stalled { .. } | Self::Broken { .. } | Self::Stopped => {
                "Apply again: what has arrived is kept, and the rest follows."
            }
            Self::Command { .. } => "The host needs sh, tar, sha256sum, GNU coreutils and GNU findutils.",
        }
    }

    /// Whether trying again may help.
    pub fn passes(&self) -> bool {
        matches!(self, Self::Broken { .. })
    }
}
