//! The attributes of `dynamo_host_directory`, each declared once.

use crate::model;
use crate::provider::attributes::convert;
use crate::tf_provider::attr::{Attr, NestedList};
use crate::tf_provider::provider::About;
use crate::tf_provider::schema::{check, computed, optional, optional_computed};
use crate::tf_provider::value::Number;

/// The name and description of the data source.
pub(crate) const ABOUT: About = About {
    type_name: "dynamo_host_directory",
    description: "The disks of a host and what lies in one of its folders, for choosing where models and caches go.\n\nCosts two \
        looks at the host's files; over SSH two scripts, whatever the number of entries.",
};

model! {
    /// The data source `dynamo_host_directory`.
    pub(crate) struct HostDirectoryModel {
        host: Attr<String> = optional_computed(convert::HOST),
        path: Attr<String> = optional("Absolute path of a folder. Left out: only the disks.")
            .check(check::text("be an absolute path", |text| text.starts_with('/'))),
        entries: Attr<NestedList<EntryModel>> = computed("What lies in the folder, by name, the first 10,000."),
        size_gb: Attr<Number> = computed("Size of the file system that holds the folder, in GB (2³⁰ bytes); null without `path`."),
        free_gb: Attr<Number> = computed("What an ordinary user may still fill of it, in GB; null without `path`."),
        disks: Attr<NestedList<DiskModel>> = computed("Mounted file systems that keep things, by mount point; one that is mounted in \
            several places is listed once."),
    }
}

model! {
    /// A file or folder of `dynamo_host_directory`.
    pub(crate) struct EntryModel {
        name: Attr<String> = computed("Name. Bytes that are not UTF-8 are shown as U+FFFD."),
        kind: Attr<String> = computed("`file`, `folder`, `link` or `other`."),
        size_bytes: Attr<i64> = computed("Size in bytes; null for what is not a file."),
        modified: Attr<String> = computed("When it was last changed, RFC 3339 in UTC."),
        target: Attr<String> = computed("Where a link leads; null for everything else."),
    }
}

model! {
    /// The disk that holds the folder of `dynamo_host_directory`.
    pub(crate) struct DiskModel {
        mount: Attr<String> = computed("Where it is mounted."),
        device: Attr<String> = computed("Device, or server and path of a network file system."),
        filesystem: Attr<String> = computed("Type of file system, for example `ext4` or `nfs4`."),
        size_gb: Attr<Number> = computed("Size in GB (2³⁰ bytes)."),
        free_gb: Attr<Number> = computed("What an ordinary user may still fill, in GB."),
    }
}
