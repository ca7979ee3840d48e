//! Whether a worker's model fits its GPUs, asked while planning: the model's facts from the catalog or from the host's copy,
//! the GPUs' from the host, the rest from the worker's arguments. What is not known is not judged.

use crate::dynamo::models::installed;
use crate::dynamo::models::memory::opinion::{Opinion, Room, judge};
use crate::dynamo::models::memory::request::Request;
use crate::dynamo::models::memory::shape::Shape;
use crate::dynamo::models::memory::{Load, Verdict, config, gigabytes, request};
use crate::dynamo::spec::gpus::GpuRequest;
use crate::dynamo::spec::model::ModelRef;
use crate::dynamo::spec::{WorkerSpec, arguments};
use crate::dynamo::terms::amount::GIB;
use crate::dynamo::terms::objection::{Field, Refusal};
use crate::inventory::files::Tree;
use crate::inventory::gpu::{GpuInventory, GpuSight};
use crate::provider::attributes::paths;
use crate::provider::machine::Machine;
use crate::provider::session::Client;
use crate::tf_provider::diagnostics::{Diagnostic, Diagnostics};
use crate::tf_provider::value::Path;

/// What is known of a model's size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Size {
    weights_bytes: u64,
    shape: Option<Shape>,
    context_length: Option<u64>,
}

/// An error where the model cannot fit, a warning where it may not.
pub(crate) async fn check(client: &Client, machine: &Machine, spec: &WorkerSpec) -> Diagnostics {
    let Some(request) = asked(spec) else { return Diagnostics::new() };
    let Ok(GpuSight::Seen(inventory)) = machine.host.gpus().await else { return Diagnostics::new() };
    let Some(memory_bytes) = memory(&inventory, &spec.gpu_request, machine.host.name()) else {
        return Diagnostics::new();
    };
    let Some(size) = size(client, machine, &spec.deployment.model).await else { return Diagnostics::new() };
    let name = spec.deployment.model.argument();
    opinions(name, &size, request, memory_bytes, &spec.gpu_request)
}

/// What a worker with GPUs asks of them.
fn asked(spec: &WorkerSpec) -> Option<Request> {
    let gpus = match &spec.gpu_request {
        GpuRequest::None => return None,
        GpuRequest::Named(names) => u32::try_from(names.len()).ok()?,
        GpuRequest::Count(count) => *count,
    };
    request::read(spec.deployment.engine, &arguments::arguments(spec), gpus)
}

fn opinions(name: &str, size: &Size, request: Request, memory_bytes: u64, gpus: &GpuRequest) -> Diagnostics {
    let mut found = Diagnostics::new();
    let at = match gpus {
        GpuRequest::Named(_) => Field::Gpus,
        GpuRequest::Count(_) | GpuRequest::None => Field::GpuCount,
    };
    if let Some(Err(refusal)) = size.shape.map(|shape| shape.check_tensor_parallel(request.split.tensor)) {
        let what = format!("{name} cannot be spread like that: {}", refusal.what);
        found.extend(paths::diagnostics(vec![Refusal::new(what, refusal.fix).at(at)]));
        return found;
    }
    let Some(context) = request.context.or(size.context_length).or(size.shape.is_none().then_some(0)) else {
        return found;
    };
    let load = Load {
        weights_bytes: size.weights_bytes,
        shape: size.shape,
        context,
        sequences: u64::from(request.insists),
        cache_half_bytes: request.cache_half_bytes,
        split: request.split,
    };
    let opinion = judge(name, &load, Room { memory_bytes, utilisation: request.utilisation });
    match opinion.verdict {
        Verdict::Fits => {}
        Verdict::TooMuch => {
            found.extend(paths::diagnostics(vec![Refusal::new(opinion.what, opinion.fix).at(at)]));
        }
        Verdict::Close => found.push(close(opinion, &at)),
    }
    found
}

fn close(opinion: Opinion, at: &Field) -> Diagnostic {
    let detail = format!(
        "{}: {} in all. Whether that is enough is seen when it starts; if not: {}.",
        opinion.what,
        gigabytes(opinion.estimate.total()),
        opinion.fix
    );
    let path = if *at == Field::Gpus { Path::of("gpus") } else { Path::of("gpu_count") };
    Diagnostic::warning("The model may not fit its GPUs", detail).at(path)
}

/// Bytes of the smallest GPU that the worker gets; of a number of GPUs, if it gets the largest that there are. `None` where
/// the driver does not tell.
fn memory(inventory: &GpuInventory, request: &GpuRequest, host: &str) -> Option<u64> {
    match request {
        GpuRequest::None => None,
        GpuRequest::Named(names) => {
            let devices = names.iter().map(|name| device_bytes(inventory, name.find(inventory, host).ok()?));
            devices.collect::<Option<Vec<_>>>()?.into_iter().min()
        }
        GpuRequest::Count(count) => {
            let devices = inventory.devices().into_iter().map(|device| device_bytes(inventory, device));
            let mut sizes = devices.collect::<Option<Vec<_>>>()?;
            sizes.sort_unstable_by(|a, b| b.cmp(a));
            sizes.get(usize::try_from(*count).ok()?.checked_sub(1)?).copied()
        }
    }
}

/// Of an instance (MIG) its profile tells: `1g.10gb`.
fn device_bytes(inventory: &GpuInventory, device: &str) -> Option<u64> {
    let card = inventory.card_of(device)?;
    match card.mig.iter().find(|part| part.uuid == device) {
        None => card.memory_bytes,
        Some(part) => {
            let size = part.profile.split(['.', '+']).find_map(|word| word.strip_suffix("gb"))?;
            size.parse::<u64>().ok()?.checked_mul(GIB)
        }
    }
}

async fn size(client: &Client, machine: &Machine, model: &ModelRef) -> Option<Size> {
    let known = client.catalog.as_ref().and_then(|catalog| catalog.find(model.argument()));
    if let Some(known) = known
        && let Some(weights_bytes) = known.weights_bytes
    {
        return Some(Size { weights_bytes, shape: known.shape, context_length: known.context_length });
    }
    match model {
        ModelRef::Path(path) => {
            here(&machine.host.trees(std::slice::from_ref(path)).await.ok()?, |_, at| at == path)
        }
        ModelRef::HuggingFace(wanted) => here(&machine.model_trees().await.ok()?, |name, _| name == wanted),
    }
}

/// The size of the first complete model whose name and path are `wanted`.
fn here(trees: &[Tree], wanted: impl Fn(&str, &str) -> bool) -> Option<Size> {
    trees.iter().find_map(|tree| {
        let models = installed::scan(tree).into_iter().filter(|model| wanted(&model.name, &model.path));
        let mut sizes = models.filter_map(|model| {
            let described = installed::config(tree, &model).and_then(config::read);
            Some(Size {
                weights_bytes: installed::weights_bytes(tree, &model)?,
                shape: described.and_then(|it| it.shape),
                context_length: described.and_then(|it| it.context_length),
            })
        });
        sizes.next()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dynamo::models::memory::shape::Split;
    use crate::dynamo::spec::gpus::GpuName;
    use crate::dynamo::terms::amount::Amount;
    use crate::inventory::files::{Content, FileEntry, FileKind};
    use crate::inventory::gpu::{Gpu, MigInstance};
    use crate::tf_provider::diagnostics::Severity;

    const LLAMA_8B: Size = Size {
        weights_bytes: 2 * 8_030_261_248,
        shape: Some(Shape::uniform(32, 32, 8, 128)),
        context_length: Some(131_072),
    };

    fn request(context: Option<u64>, tensor: u32) -> Request {
        Request {
            context,
            cache_half_bytes: 4,
            utilisation: Amount::from_milli(900),
            split: Split { tensor, pipeline: 1 },
            insists: true,
        }
    }

    fn said(size: &Size, request: Request, gib: u64) -> Vec<(Severity, String)> {
        let found = opinions("acme/L", size, request, gib * GIB, &GpuRequest::Count(1)).0.into_iter();
        found
            .map(|it| (it.severity, format!("{:?} {}", it.path.map(|path| path.to_string()), it.detail)))
            .collect()
    }

    #[test]
    fn what_cannot_fit_is_refused_with_the_numbers() {
        let table = [
            (LLAMA_8B, request(None, 1), 24, "16.0 GB for the cache of a sequence of 131072 tokens"),
            (LLAMA_8B, request(Some(8192), 1), 16, "15.0 GB for weights"),
            (LLAMA_8B, request(Some(8192), 3), 80, "32 attention heads cannot be shared evenly by 3 GPUs"),
            (
                Size { shape: None, context_length: None, ..LLAMA_8B },
                request(None, 1),
                16,
                "15.0 GB for weights and",
            ),
        ];
        for (size, request, gib, part) in table {
            let said = said(&size, request, gib);
            assert!(said.len() == 1 && said[0].0 == Severity::Error && said[0].1.contains(part), "{said:?}");
            assert!(said[0].1.contains("gpu_count"), "{said:?}");
        }
    }

    #[test]
    fn what_is_close_is_warned_of_and_what_fits_is_not() {
        let close = said(&LLAMA_8B, request(Some(45_000), 1), 24);
        assert!(
            close.len() == 1 && close[0].0 == Severity::Warning && close[0].1.contains("in all"),
            "{close:?}"
        );
        assert_eq!(said(&LLAMA_8B, request(Some(8192), 1), 24), []);
        assert_eq!(said(&LLAMA_8B, request(None, 1), 80), []);
        // An engine that serves what fits does not need room for the whole context.
        assert_eq!(said(&LLAMA_8B, Request { insists: false, ..request(None, 1) }, 24), []);
        // Without a context there is nothing to estimate with.
        assert_eq!(said(&Size { context_length: None, ..LLAMA_8B }, request(None, 1), 8), []);
    }

    #[test]
    fn the_smallest_gpu_counts() {
        let gpu = |index: u32, gib: u64| Gpu {
            index,
            uuid: format!("GPU-{index}"),
            memory_bytes: Some(gib * GIB),
            ..Gpu::default()
        };
        let part = MigInstance { uuid: "MIG-0".into(), profile: "1g.10gb+me".into() };
        let split = Gpu { mig_enabled: true, mig: vec![part], ..gpu(2, 80) };
        let inventory = GpuInventory { gpus: vec![gpu(0, 24), gpu(1, 48), split], ..GpuInventory::default() };
        let named =
            |indexes: &[u32]| GpuRequest::Named(indexes.iter().map(|it| GpuName::Index(*it)).collect());
        let mig = GpuRequest::Named(vec![GpuName::Uuid("MIG-0".into())]);
        for (request, gib) in [
            (named(&[1]), Some(48)),
            (named(&[0, 1]), Some(24)),
            (named(&[7]), None),
            (mig, Some(10)),
            (GpuRequest::Count(1), Some(48)),
            (GpuRequest::Count(2), Some(24)),
            (GpuRequest::Count(9), None),
            (GpuRequest::None, None),
        ] {
            assert_eq!(memory(&inventory, &request, "a"), gib.map(|gib| gib * GIB), "{request:?}");
        }
        let silent = GpuInventory { gpus: vec![Gpu { memory_bytes: None, ..gpu(0, 1) }], ..inventory };
        assert_eq!(memory(&silent, &GpuRequest::Count(1), "a"), None);
    }

    #[test]
    fn the_hosts_copy_tells_its_size() {
        let entry = |path: &str, size_bytes| FileEntry {
            path: path.into(),
            kind: FileKind::File,
            size_bytes,
            modified: 0,
            target: String::new(),
        };
        let config = r#"{"model_type":"llama","num_hidden_layers":2,"num_attention_heads":4,"num_key_value_heads":2,"head_dim":8,
            "max_position_embeddings":512}"#;
        let weights = Content::Safetensors { expected_bytes: Some(1000) };
        let tree = |problem: bool| Tree {
            root: "/data/llama".into(),
            entries: [
                entry("config.json", 1),
                entry("consolidated.safetensors", 1000),
                entry("model.safetensors", if problem { 999 } else { 1000 }),
                entry("tokenizer.json", 77),
            ]
            .into(),
            contents: [
                ("config.json".to_owned(), Content::Text(config.into())),
                ("model.safetensors".to_owned(), weights.clone()),
                ("consolidated.safetensors".to_owned(), weights.clone()),
            ]
            .into(),
            truncated: false,
        };
        let found = here(&[tree(false)], |_, path| path == "/data/llama");
        let shape = Some(Shape::uniform(2, 4, 2, 8));
        assert_eq!(found, Some(Size { weights_bytes: 1000, shape, context_length: Some(512) }));
        assert_eq!(here(&[tree(true)], |_, _| true), None, "half a download is no size");
        assert_eq!(here(&[tree(false)], |_, path| path == "/data"), None);
    }
}
