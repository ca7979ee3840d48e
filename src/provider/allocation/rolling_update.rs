//! Rolling updates: one worker of a deployment is replaced at a time, and the roles take turns.
//!
//! A change that old and new workers cannot share (another block size, another model) moves the workers into another of
//! Dynamo's namespaces, one by one. Prefill and decode workers meet only within one, so a namespace serves while it has
//! one of each. If all workers of one role moved first, the old namespace would lack that role and the new one the other.
//! So the roles take turns, which keeps a complete set with two workers of each. It does not save every request: one in about 700
//! was seen to fail under load, while the frontend takes note of who came and went. A namespace that has lost its last prefill worker
//! fails requests until the frontend has noticed; one that has lost its last decode worker is not asked. So the last prefill
//! worker goes last.

use crate::dynamo::terms::words::Role;
use crate::hosts::sync::locked::Locked;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::Notify;

/// The rolling updates of all deployments. Clones are the same.
#[derive(Clone, Default)]
pub(crate) struct RollingUpdates(Arc<Inner>);

#[derive(Default)]
struct Inner {
    queues: Locked<BTreeMap<String, Queue>>,
    changed: Notify,
}

/// The workers that wait at one deployment, first come first.
#[derive(Default)]
struct Queue {
    busy: bool,
    /// Roles of the workers that had a slot since the queue was empty, in order.
    had: Vec<Role>,
    waiting: Vec<(u64, Role)>,
    tickets: u64,
}

impl Queue {
    fn enter(&mut self, role: Role) -> u64 {
        if self.waiting.is_empty() && !self.busy {
            self.had.clear();
        }
        self.tickets += 1;
        self.waiting.push((self.tickets, role));
        self.tickets
    }

    fn next(&self) -> Option<u64> {
        let of = |role| self.waiting.iter().filter(move |(_, waiting)| *waiting == role);
        let (decode, prefill) = (of(Role::Decode), of(Role::Prefill));
        let both = decode.clone().next().is_some() && prefill.clone().next().is_some();
        let role = match self.had.last() {
            _ if !both => None,
            _ if !self.had.contains(&Role::Decode) => Some(Role::Decode),
            _ if !self.had.contains(&Role::Prefill) => Some(Role::Prefill),
            _ if prefill.count() == 1 => Some(Role::Decode),
            Some(Role::Decode) => Some(Role::Prefill),
            Some(Role::Prefill) | None => Some(Role::Decode),
        };
        let mut fitting = self.waiting.iter().filter(|(_, waiting)| role.is_none_or(|role| role == *waiting));
        fitting.next().filter(|_| !self.busy).map(|(ticket, _)| *ticket)
    }

    fn leave(&mut self, ticket: u64) -> Option<Role> {
        let at = self.waiting.iter().position(|(waiting, _)| *waiting == ticket)?;
        Some(self.waiting.remove(at).1)
    }

    /// Takes the slot if it is this ticket's.
    fn begin(&mut self, ticket: u64) -> bool {
        let mine = self.next() == Some(ticket);
        if mine {
            self.busy = true;
            let role = self.leave(ticket);
            self.had.extend(role);
        }
        mine
    }
}

/// The slot of a worker in a rolling update, or its place in the queue. It ends with this value.
pub struct Slot {
    inner: Arc<Inner>,
    deployment: String,
    ticket: u64,
    begun: bool,
}

impl RollingUpdates {
    /// Waits until a worker of that role may be replaced.
    pub(crate) async fn take(&self, deployment: &str, role: Role) -> Slot {
        let ticket = self.0.queues.lock().entry(deployment.to_owned()).or_default().enter(role);
        let mut slot =
            Slot { inner: Arc::clone(&self.0), deployment: deployment.to_owned(), ticket, begun: false };
        loop {
            let mut changed = std::pin::pin!(self.0.changed.notified());
            // From here on no change is missed.
            changed.as_mut().enable();
            if self.0.queues.lock().get_mut(deployment).is_some_and(|queue| queue.begin(ticket)) {
                slot.begun = true;
                return slot;
            }
            changed.await;
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        if let Some(queue) = self.inner.queues.lock().get_mut(&self.deployment) {
            if self.begun {
                queue.busy = false;
            } else {
                queue.leave(self.ticket);
            }
        }
        self.inner.changed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    /// The order in which those who come, as one letter each, have their turns.
    async fn order(coming: &str) -> String {
        let role = |letter| if letter == 'p' { Role::Prefill } else { Role::Decode };
        let updates = RollingUpdates::default();
        let mut order = String::new();
        let mut open = Vec::new();
        let mut waiting: Vec<_> =
            coming.chars().map(|letter| (letter, Box::pin(updates.take("chat", role(letter))))).collect();
        while !waiting.is_empty() {
            waiting.retain_mut(|(letter, slot)| match slot.now_or_never() {
                Some(slot) => {
                    open.push(slot);
                    order.push(*letter);
                    false
                }
                None => true,
            });
            assert_eq!(open.len(), 1, "one at a time");
            open.clear();
        }
        order
    }

    #[tokio::test]
    async fn the_roles_take_turns_and_the_last_prefill_worker_goes_last() {
        let rows = [
            ("dd", "dd"),
            ("pd", "pd"),
            ("dp", "dp"),
            ("ppdd", "pddp"),
            ("ddpp", "dpdp"),
            ("ddp", "dpd"),
            ("pppddd", "pdpddp"),
            ("dddppp", "dpdpdp"),
            ("pppd", "pdpp"),
        ];
        for (coming, turns) in rows {
            assert_eq!(order(coming).await, turns, "{coming}");
        }
    }

    #[tokio::test]
    async fn who_gives_up_holds_nobody_up_and_deployments_do_not_wait_for_each_other() {
        let updates = RollingUpdates::default();
        let first = updates.take("chat", Role::Decode).await;
        assert!(updates.take("other", Role::Decode).now_or_never().is_some());
        let mut second = Box::pin(updates.take("chat", Role::Decode));
        assert!((&mut second).now_or_never().is_none());
        drop(second);
        drop(first);
        assert!(updates.take("chat", Role::Decode).now_or_never().is_some());
    }
}
