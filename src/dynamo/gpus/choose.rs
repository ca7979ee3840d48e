//! Which of the free cards a worker gets.
//!
//! A model that is spread over cards is as fast as the slowest path between two of them. So of all sets of the wanted size
//! the one is taken whose worst link is best, then whose links are best in sum. Among those, the one that breaks up least:
//! a worker with one card should not take half of the last linked pair. Among those, the lowest indexes. A worker that
//! has cards already keeps them where it can, since moving gains nothing that a new start does not cost.
//!
//! The search looks at sets in the order of their indexes and gives up looking after a while, with the best set so far.
//! It is exact for every machine with up to 16 free cards.

use crate::inventory::gpu::{Gpu, GpuInventory, Link, Links};

/// Sets looked at. C(16, 8) = 12870 is the most that a machine with 16 cards has.
const PATIENCE: usize = 20_000;

/// There are not enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unsatisfiable {
    pub wanted: u32,
    pub free: u32,
}

/// UUIDs of `count` whole cards out of the `free` devices, sorted. `held` are the worker's own, which must be among the
/// free ones to be kept.
pub(crate) fn choose(
    inventory: &GpuInventory,
    free: &[&str],
    count: u32,
    held: &[&str],
) -> Result<Vec<String>, Unsatisfiable> {
    let is_held = |gpu: &Gpu| held.contains(&gpu.uuid.as_str());
    let is_free = |gpu: &Gpu| gpu.is_whole() && free.contains(&gpu.uuid.as_str());
    let mut cards: Vec<&Gpu> = inventory.gpus.iter().filter(|gpu| is_free(gpu)).collect();
    let wanted = usize::try_from(count).unwrap_or(usize::MAX);
    if cards.len() < wanted {
        return Err(Unsatisfiable { wanted: count, free: u32::try_from(cards.len()).unwrap_or(u32::MAX) });
    }
    let has_too_many = cards.iter().filter(|gpu| is_held(gpu)).count() > wanted;
    if has_too_many {
        cards.retain(|gpu| is_held(gpu));
    }
    let mut search = Search { cards: &cards, links: &inventory.links, wanted, best: None, looked_at: 0 };
    // Those that are kept come first, so that every set which is looked at has them.
    let (mut chosen, rest): (Vec<usize>, Vec<usize>) =
        (0..cards.len()).partition(|at| !has_too_many && cards.get(*at).is_some_and(|gpu| is_held(gpu)));
    search.grow(&mut chosen, &rest);
    let (_, best) = search.best.unwrap_or_default();
    let mut uuids: Vec<String> =
        best.iter().filter_map(|at| cards.get(*at)).map(|gpu| gpu.uuid.clone()).collect();
    uuids.sort_unstable();
    Ok(uuids)
}

/// Compared field by field: the greater is the better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
struct Score {
    worst: u32,
    sum: u32,
    /// Links to cards that stay free, which would be cut.
    cut: std::cmp::Reverse<u32>,
}

/// NVLink is another world; within one, more links are better.
fn weight(link: Link) -> u32 {
    match link {
        Link::System => 0,
        Link::Node => 1,
        Link::HostBridge => 2,
        Link::Switches => 3,
        Link::Switch => 4,
        Link::Nvlink(count) => count.saturating_add(100),
    }
}

struct Search<'a> {
    cards: &'a [&'a Gpu],
    links: &'a Links,
    wanted: usize,
    best: Option<(Score, Vec<usize>)>,
    looked_at: usize,
}

impl Search<'_> {
    /// Looks at every set that begins with `chosen` and goes on with some of `rest`.
    fn grow(&mut self, chosen: &mut Vec<usize>, rest: &[usize]) {
        if chosen.len() == self.wanted {
            self.looked_at = self.looked_at.saturating_add(1);
            let score = self.score(chosen);
            if self.best.as_ref().is_none_or(|(best, _)| score > *best) {
                self.best = Some((score, chosen.clone()));
            }
            return;
        }
        let mut rest = rest;
        while let Some((next, later)) = rest.split_first() {
            let missing = self.wanted.saturating_sub(chosen.len());
            if rest.len() < missing || (self.best.is_some() && self.looked_at >= PATIENCE) {
                return;
            }
            chosen.push(*next);
            self.grow(chosen, later);
            chosen.pop();
            rest = later;
        }
    }

    fn score(&self, chosen: &[usize]) -> Score {
        let mut score = Score { worst: u32::MAX, ..Score::default() };
        for (at, card) in chosen.iter().enumerate() {
            for other in chosen.iter().skip(at.saturating_add(1)) {
                let weight = self.weight(*card, *other);
                score.worst = score.worst.min(weight);
                score.sum = score.sum.saturating_add(weight);
            }
            for other in (0..self.cards.len()).filter(|other| !chosen.contains(other)) {
                score.cut.0 = score.cut.0.saturating_add(self.weight(*card, other));
            }
        }
        score
    }

    fn weight(&self, one: usize, other: usize) -> u32 {
        match (self.cards.get(one), self.cards.get(other)) {
            (Some(one), Some(other)) => weight(self.links.between(one.index, other.index)),
            _ => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use proptest::test_runner::RngSeed;

    fn machine(cards: u32, links: &[(u32, u32, Link)]) -> GpuInventory {
        let gpus = (0..cards).map(|index| Gpu { index, uuid: format!("GPU-{index:02}"), ..Gpu::default() });
        let mut inventory = GpuInventory { gpus: gpus.collect(), ..GpuInventory::default() };
        for (one, other, link) in links {
            inventory.links.set(*one, *other, *link);
        }
        inventory
    }

    fn chosen(inventory: &GpuInventory, free: &[u32], count: u32, held: &[u32]) -> Option<Vec<u32>> {
        let names = |indexes: &[u32]| -> Vec<&str> {
            indexes.iter().map(|index| inventory.by_index(*index).unwrap().uuid.as_str()).collect()
        };
        let uuids = choose(inventory, &names(free), count, &names(held)).ok()?;
        Some(uuids.iter().map(|uuid| inventory.card_of(uuid).unwrap().index).collect())
    }

    /// Two pairs with NVLink, on two sockets.
    fn pairs() -> GpuInventory {
        let nv = Link::Nvlink(4);
        machine(4, &[(0, 2, nv), (1, 3, nv), (0, 1, Link::HostBridge), (2, 3, Link::HostBridge)])
    }

    #[test]
    fn linked_cards_go_together_and_last_pairs_are_not_broken() {
        // free, wanted, held, expected
        type Row = (&'static [u32], u32, &'static [u32], Option<&'static [u32]>);
        let table: [Row; 9] = [
            (&[0, 1, 2, 3], 2, &[], Some(&[0, 2])),
            (&[1, 2, 3], 2, &[], Some(&[1, 3])),
            // One card: not half of the pair that is left.
            (&[0, 1, 3], 1, &[], Some(&[0])),
            (&[0, 1, 2], 1, &[], Some(&[1])),
            (&[0, 1], 2, &[], Some(&[0, 1])),
            (&[0, 1, 2, 3], 4, &[], Some(&[0, 1, 2, 3])),
            (&[0, 1], 3, &[], None),
            // What it has it keeps, and grows from there.
            (&[0, 1, 2, 3], 1, &[3], Some(&[3])),
            (&[0, 1, 2, 3], 2, &[3], Some(&[1, 3])),
        ];
        for (free, count, held, expected) in table {
            assert_eq!(chosen(&pairs(), free, count, held).as_deref(), expected, "{free:?} {count} {held:?}");
        }
    }

    #[test]
    fn a_worker_that_shrinks_keeps_the_best_of_what_it_has() {
        assert_eq!(chosen(&pairs(), &[0, 1, 2, 3], 2, &[0, 1, 3]), Some(vec![1, 3]));
    }

    #[test]
    fn split_cards_are_not_counted() {
        let mut machine = machine(2, &[]);
        machine.gpus[0].mig_enabled = true;
        let refused = choose(&machine, &["GPU-00", "GPU-01"], 2, &[]);
        assert_eq!(refused, Err(Unsatisfiable { wanted: 2, free: 1 }));
    }

    #[test]
    fn a_machine_of_any_size_gets_an_answer() {
        let many: Vec<u32> = (0..40).collect();
        assert_eq!(chosen(&machine(40, &[]), &many, 20, &[]).unwrap().len(), 20);
    }

    /// Every subset, compared in the plain words of the module's text.
    fn oracle(inventory: &GpuInventory, free: &[u32], count: u32) -> Option<Vec<u32>> {
        let pairs = |set: &[u32]| -> Vec<u32> {
            let all = set.iter().flat_map(|one| set.iter().map(move |other| (*one, *other)));
            all.filter(|(one, other)| one < other)
                .map(|(one, other)| weight(inventory.links.between(one, other)))
                .collect()
        };
        let mut best: Option<((u32, u32, i64), Vec<u32>)> = None;
        for mask in 0_u32..1 << free.len() {
            let (set, left): (Vec<u32>, Vec<u32>) = free.iter().partition(|index| {
                let at = free.iter().position(|it| it == *index).unwrap();
                mask & (1 << at) != 0
            });
            if set.len() != count as usize {
                continue;
            }
            let inside = pairs(&set);
            let cut: u32 = set
                .iter()
                .flat_map(|one| left.iter().map(move |other| weight(inventory.links.between(*one, *other))))
                .sum();
            let worst = inside.iter().min().copied().unwrap_or(u32::MAX);
            let score = (worst, inside.iter().sum(), -i64::from(cut));
            let better = match &best {
                None => true,
                Some((other, indexes)) => score > *other || (score == *other && set < *indexes),
            };
            if better {
                best = Some((score, set));
            }
        }
        best.map(|(_, set)| set)
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            cases: 400,
            rng_seed: RngSeed::Fixed(9),
            failure_persistence: None,
            ..ProptestConfig::default()
        })]

        /// Both when it says yes and when it says no.
        #[test]
        fn nothing_better_was_missed(
            cards in 1_u32..9,
            free in any::<u8>(),
            count in 1_u32..7,
            words in proptest::collection::vec(0_usize..7, 36),
        ) {
            let levels = [Link::System, Link::Node, Link::HostBridge, Link::Switches, Link::Switch,
                Link::Nvlink(1), Link::Nvlink(12)];
            let pairs = (0..cards).flat_map(|one| (one + 1..cards).map(move |other| (one, other)));
            let links: Vec<_> =
                pairs.zip(&words).map(|((one, other), word)| (one, other, levels[*word])).collect();
            let inventory = machine(cards, &links);
            let free: Vec<u32> = (0..cards).filter(|index| free & (1 << index) != 0).collect();
            prop_assert_eq!(chosen(&inventory, &free, count, &[]), oracle(&inventory, &free, count));
        }
    }
}
