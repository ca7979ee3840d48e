//! `gpus` and `gpu_count` of a worker, read: one of the two, and each GPU once.

use crate::dynamo::spec::draft::GpuDraft;
use crate::dynamo::spec::gpus::{GpuName, GpuRequest};
use crate::dynamo::terms::given::Given;
use crate::dynamo::terms::objection::{Field, Refusal};
use crate::dynamo::terms::reader::Reader;
use std::collections::BTreeSet;

/// More than any machine has.
pub(crate) const MOST: i64 = 256;

/// Reads what a worker asks for.
pub(super) fn read(reader: &mut Reader, draft: &GpuDraft) -> Option<GpuRequest> {
    let names = match &draft.gpus {
        Given::Is(list) => read_names(reader, list),
        given => reader.or(Field::Gpus, given, Vec::new(), |_| Ok(Vec::new())),
    };
    let count = reader.or(Field::GpuCount, &draft.gpu_count, 0, |count| check_count(*count));
    // One of them may still turn out to be null.
    if draft.gpus.known().is_some() && draft.gpu_count.known().is_some() {
        let refusal = Refusal::new("the worker names its gpus as well", "remove one of the two");
        reader.object(Field::GpuCount, refusal);
    }
    let (names, count) = (names?, count?);
    Some(match (names.is_empty(), count) {
        (true, 0) => GpuRequest::None,
        (true, count) => GpuRequest::Count(count),
        (false, _) => GpuRequest::Named(names),
    })
}

/// Complains of a worker whose engine computes on GPUs and that asks for none.
pub(super) fn at_least_one(reader: &mut Reader, draft: &GpuDraft) {
    let none_named = draft.gpus.is_absent() || draft.gpus.known().is_some_and(Vec::is_empty);
    let none_counted = draft.gpu_count.is_absent() || draft.gpu_count.known() == Some(&0);
    if none_named && none_counted {
        let fix = "set gpu_count to how many it gets, or gpus to the ones";
        reader.object(
            Field::GpuCount,
            Refusal::new("the engine needs a GPU, and the worker asks for none", fix),
        );
    }
}

fn read_names(reader: &mut Reader, list: &[Given<String>]) -> Option<Vec<GpuName>> {
    let mut seen = BTreeSet::new();
    let mut names = Vec::new();
    for (at, item) in list.iter().enumerate() {
        let name = reader.needed(Field::Gpu(at), item, |text| GpuName::parse(text));
        if let Some(name) = &name
            && !seen.insert(name.clone())
        {
            reader.object(Field::Gpu(at), Refusal::new(format!("{name} is named twice"), "name it once"));
        }
        names.push(name);
    }
    names.into_iter().collect()
}

fn check_count(count: i64) -> Result<u32, Refusal> {
    u32::try_from(count).ok().filter(|_| count <= MOST).ok_or_else(|| {
        let what = format!("{count} is not a number of GPUs");
        Refusal::new(what, format!("use 0 to {MOST}, or name them with gpus"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dynamo::spec::gpus::GpuRequest;
    use crate::inventory::gpu::{Gpu, GpuInventory, MigInstance};

    fn texts(items: &[&str]) -> Given<Vec<Given<String>>> {
        Given::Is(items.iter().map(|item| Given::Is((*item).to_owned())).collect())
    }

    fn request(draft: &GpuDraft) -> (Option<GpuRequest>, Vec<String>) {
        let mut reader = Reader::default();
        let request = read(&mut reader, draft);
        (request, reader.objections.iter().map(|objection| objection.field.to_string()).collect())
    }

    #[test]
    fn requests_are_read() {
        let uuid = "GPU-5d5ba0d6-d33d-2b2c-524d-9e3d8d2b8a77";
        let named = GpuRequest::Named(vec![GpuName::Index(0), GpuName::Uuid(uuid.to_owned())]);
        let table = [
            (Given::Absent, Given::Absent, Some(GpuRequest::None), vec![]),
            (texts(&[]), Given::Absent, Some(GpuRequest::None), vec![]),
            (texts(&["0", uuid]), Given::Absent, Some(named), vec![]),
            (Given::Absent, Given::Is(0), Some(GpuRequest::None), vec![]),
            (Given::Absent, Given::Is(2), Some(GpuRequest::Count(2)), vec![]),
            (Given::Unknown, Given::Absent, None, vec![]),
            (Given::Unknown, Given::Is(1), None, vec![]),
            (
                texts(&["0"]),
                Given::Is(1),
                Some(GpuRequest::Named(vec![GpuName::Index(0)])),
                vec!["gpu_count"],
            ),
            (texts(&["0", "0"]), Given::Absent, None, vec!["gpus[1]"]),
            (texts(&["all"]), Given::Absent, None, vec!["gpus[0]"]),
            (texts(&["-1"]), Given::Absent, None, vec!["gpus[0]"]),
            (texts(&["GPU-x,1"]), Given::Absent, None, vec!["gpus[0]"]),
            (Given::Absent, Given::Is(-1), None, vec!["gpu_count"]),
            (Given::Absent, Given::Is(257), None, vec!["gpu_count"]),
        ];
        for (gpus, gpu_count, expected, objections) in table {
            let draft = GpuDraft { gpus, gpu_count, assigned: Given::Absent };
            let (request, found) = request(&draft);
            assert_eq!(found, objections, "{draft:?}");
            if objections.is_empty() {
                assert_eq!(request, expected, "{draft:?}");
            }
        }
    }

    #[test]
    fn names_are_found_or_refused_with_what_there_is() {
        let whole = Gpu { index: 0, uuid: "GPU-aaaaaaaa".into(), name: "H100".into(), ..Gpu::default() };
        let part = MigInstance { uuid: "MIG-bbbbbbbb".into(), profile: String::new() };
        let split = Gpu { index: 1, uuid: "GPU-bbbbbbbb".into(), mig: vec![part], ..Gpu::default() };
        let inventory = GpuInventory { gpus: vec![whole, split], ..GpuInventory::default() };
        let find =
            |text: &str| GpuName::parse(text).unwrap().find(&inventory, "a").map_err(|it| it.what + &it.fix);
        assert_eq!(find("0"), Ok("GPU-aaaaaaaa"));
        assert_eq!(find("GPU-aaaaaaaa"), Ok("GPU-aaaaaaaa"));
        assert_eq!(find("MIG-bbbbbbbb"), Ok("MIG-bbbbbbbb"));
        assert!(find("1").unwrap_err().contains("MIG-bbbbbbbb"));
        assert!(find("GPU-bbbbbbbb").unwrap_err().contains("MIG-bbbbbbbb"));
        assert!(find("7").unwrap_err().contains("0 (H100, GPU-aaaaaaaa)"));
    }
}
