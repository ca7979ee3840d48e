//! NVLinks out of what each card says about its own ends.
//!
//! NVML knows no "links between these two": each card lists its links, each with the PCI address of what is at the other
//! end. That is a card, on boards where cards are wired to each other, or a switch, behind which every other card with
//! links to switches is.

use std::collections::BTreeMap;

/// A card's PCI address and the addresses at the ends of its active links.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ends {
    pub own: String,
    pub remote: Vec<String>,
}

/// Number of NVLinks by pair of positions in `cards`, smaller first. Pairs without any are left out.
pub(super) fn nvlinks(cards: &[Ends]) -> BTreeMap<(usize, usize), u32> {
    let direct = |from: &Ends, to: &Ends| from.remote.iter().filter(|end| is_same(end, &to.own)).count();
    let switched = |card: &Ends| {
        card.remote.iter().filter(|end| !cards.iter().any(|other| is_same(end, &other.own))).count()
    };
    let mut found = BTreeMap::new();
    for (at, one) in cards.iter().enumerate() {
        for (to, other) in cards.iter().enumerate().skip(at.saturating_add(1)) {
            let count = direct(one, other).saturating_add(switched(one).min(switched(other)));
            if let Ok(count @ 1..) = u32::try_from(count) {
                found.insert((at, to), count);
            }
        }
    }
    found
}

/// Addresses come with a domain of 4 or 8 digits, in either case.
fn is_same(one: &str, other: &str) -> bool {
    let plain = |text: &str| text.trim_start_matches('0').to_ascii_lowercase();
    plain(one) == plain(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn card(own: &str, remote: &[&str]) -> Ends {
        Ends { own: own.to_owned(), remote: remote.iter().map(|end| (*end).to_owned()).collect() }
    }

    #[test]
    fn cards_that_are_wired_to_each_other() {
        let cards = [
            card("00000000:3B:00.0", &["00000000:5E:00.0", "0000:5e:00.0", "00000000:AF:00.0"]),
            card("00000000:5E:00.0", &["00000000:3B:00.0", "00000000:3B:00.0"]),
            card("00000000:AF:00.0", &["00000000:3B:00.0"]),
            card("00000000:D8:00.0", &[]),
        ];
        assert_eq!(nvlinks(&cards), BTreeMap::from([((0, 1), 2), ((0, 2), 1)]));
    }

    #[test]
    fn a_switch_connects_all_that_are_linked_to_it() {
        let switch = "00000000:86:00.0";
        let cards =
            [card("A", &[switch; 18]), card("B", &[switch; 18]), card("C", &[switch; 17]), card("D", &[])];
        assert_eq!(nvlinks(&cards), BTreeMap::from([((0, 1), 18), ((0, 2), 17), ((1, 2), 17)]));
    }
}
