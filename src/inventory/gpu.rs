//! GPUs of a machine, as plain data.
//!
//! Two words are kept apart. A [`Gpu`] is a card. A *device* is what a container is given, by its UUID: the card as a
//! whole, or, where a card is split (MIG), one of its instances, since a split card cannot be used as a whole. Users may
//! write indexes; everything that is stored or compared is a device's UUID, because indexes change when a card is added
//! or falls off the bus.

use std::collections::BTreeMap;

/// The GPUs of a machine, as far as they could be found out about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GpuSight {
    /// They cannot be looked at; a clause says why.
    Unseen(String),
    /// There is no working driver, or no GPU; a clause says which.
    Absent(String),
    Seen(GpuInventory),
}

/// The GPUs of a machine at one moment, by index.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct GpuInventory {
    /// `580.95.05`; `None` when the driver did not say.
    pub driver: Option<String>,
    pub gpus: Vec<Gpu>,
    pub links: Links,
}

/// A card. What the driver does not tell (`[N/A]`, an older driver, another kind of card) is `None`.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Gpu {
    pub index: u32,
    /// `GPU-…`
    pub uuid: String,
    pub name: String,
    pub memory_bytes: Option<u64>,
    pub used_bytes: Option<u64>,
    /// Percent of the last moment in which something was computed.
    pub utilization: Option<u32>,
    /// Degrees Celsius.
    pub temperature: Option<u32>,
    /// `9.0`
    pub compute_capability: Option<String>,
    /// The card is in MIG mode.
    pub mig_enabled: bool,
    pub mig: Vec<MigInstance>,
    /// Processes of the host and of containers that compute on it.
    pub processes: Vec<GpuProcess>,
}

/// A part of a split card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MigInstance {
    /// `MIG-…`
    pub uuid: String,
    /// `1g.10gb`; empty when the driver did not say.
    pub profile: String,
}

/// A process that computes on a GPU.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GpuProcess {
    pub pid: u32,
    /// `None` when we may not see it.
    pub name: Option<String>,
}

/// The link by which two cards reach each other, from far to near. The words are those of `nvidia-smi topo -m`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Link {
    /// Across the interconnect between NUMA nodes, or not known: `SYS`.
    System,
    /// Across host bridges of one NUMA node: `NODE`.
    Node,
    /// Across one host bridge: `PHB`.
    HostBridge,
    /// Across several PCIe switches: `PXB`.
    Switches,
    /// Across one PCIe switch at most: `PIX`.
    Switch,
    /// Over so many bonded NVLinks: `NV12`.
    Nvlink(u32),
}

impl Link {
    /// `None` for a word that is none of them.
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            // SOC is what drivers before 2017 said.
            "SYS" | "SOC" => Some(Self::System),
            "NODE" => Some(Self::Node),
            "PHB" => Some(Self::HostBridge),
            "PXB" => Some(Self::Switches),
            // PSB is two cards on one board.
            "PIX" | "PSB" => Some(Self::Switch),
            word => word.strip_prefix("NV").and_then(|count| count.parse().ok()).map(Self::Nvlink),
        }
    }

    /// The word that `nvidia-smi topo -m` has for the link.
    pub fn word(self) -> String {
        match self {
            Self::System => "SYS".to_owned(),
            Self::Node => "NODE".to_owned(),
            Self::HostBridge => "PHB".to_owned(),
            Self::Switches => "PXB".to_owned(),
            Self::Switch => "PIX".to_owned(),
            Self::Nvlink(count) => format!("NV{count}"),
        }
    }
}

/// The matrix of links, by index. Symmetric; what is not in it is [`Link::System`].
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Links(BTreeMap<(u32, u32), Link>);

impl Links {
    /// Sets the link between two cards, in both directions.
    pub fn set(&mut self, one: u32, other: u32, link: Link) {
        self.0.insert((one.min(other), one.max(other)), link);
    }

    /// The link between two cards.
    pub fn between(&self, one: u32, other: u32) -> Link {
        self.0.get(&(one.min(other), one.max(other))).copied().unwrap_or(Link::System)
    }

    /// Nothing was found out about any pair.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Gpu {
    /// UUIDs of what containers can be given of it. None while a card in MIG mode has no instance.
    pub fn devices(&self) -> Vec<&str> {
        if self.mig_enabled || !self.mig.is_empty() {
            self.mig.iter().map(|instance| instance.uuid.as_str()).collect()
        } else {
            vec![&self.uuid]
        }
    }

    /// Containers can be given the card as a whole.
    pub fn is_whole(&self) -> bool {
        !self.mig_enabled && self.mig.is_empty()
    }
}

impl GpuInventory {
    /// UUIDs of everything that containers can be given, by index of the card.
    pub fn devices(&self) -> Vec<&str> {
        self.gpus.iter().flat_map(Gpu::devices).collect()
    }

    /// The card of that index.
    pub fn by_index(&self, index: u32) -> Option<&Gpu> {
        self.gpus.iter().find(|gpu| gpu.index == index)
    }

    /// The card that a device is, or is a part of.
    pub fn card_of(&self, device: &str) -> Option<&Gpu> {
        self.gpus.iter().find(|gpu| gpu.uuid == device || gpu.mig.iter().any(|part| part.uuid == device))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_ordered_from_far_to_near_and_read_back() {
        let words = ["SYS", "NODE", "PHB", "PXB", "PIX", "NV1", "NV18"];
        let links: Vec<Link> = words.iter().map(|word| Link::parse(word).unwrap()).collect();
        assert!(links.windows(2).all(|pair| pair[0] < pair[1]), "{links:?}");
        assert_eq!(links.iter().map(|link| link.word()).collect::<Vec<_>>(), words);
        assert_eq!(Link::parse("SOC"), Some(Link::System));
        for bad in ["X", "NV", "NVx", "", "N/A", "0-31"] {
            assert_eq!(Link::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_split_card_is_given_out_in_parts() {
        let mut gpu = Gpu { uuid: "GPU-0".into(), ..Gpu::default() };
        assert_eq!(gpu.devices(), ["GPU-0"]);
        gpu.mig_enabled = true;
        assert_eq!(gpu.devices(), [""; 0]);
        gpu.mig.push(MigInstance { uuid: "MIG-0".into(), profile: "1g.10gb".into() });
        assert_eq!(gpu.devices(), ["MIG-0"]);
        let inventory = GpuInventory { gpus: vec![gpu], ..GpuInventory::default() };
        assert_eq!(inventory.card_of("MIG-0").map(|gpu| gpu.index), Some(0));
        assert_eq!(inventory.card_of("GPU-1"), None);
    }

    #[test]
    fn the_matrix_is_symmetric() {
        let mut links = Links::default();
        links.set(3, 1, Link::Nvlink(4));
        assert_eq!(links.between(1, 3), Link::Nvlink(4));
        assert_eq!(links.between(3, 1), Link::Nvlink(4));
        assert_eq!(links.between(1, 2), Link::System);
    }
}
