//! What a lane holds in memory, and what of it may be sent next.
//!
//! First in, first out per record; a record that waits for its next try holds back its own followers only. What waits for one record and is
//! due is taken together, so that it can be folded into one call.

use std::{
    collections::{BTreeSet, HashMap, HashSet, VecDeque},
    sync::Arc,
};

use switchboard_model::id::DeliveryId;

use crate::store::Pending;

/// More than this many deliveries of one record are not taken at once.
const MOST_FOLDED: usize = 500;

/// What waits for one record, and whether something of it is being sent.
#[derive(Debug, Default)]
struct Queue {
    waiting: VecDeque<Pending>,
    in_flight: bool,
}

/// What waits for the records of one object.
#[derive(Debug, Default)]
struct Records {
    queues: HashMap<String, Queue>,
    /// The first of each queue that has nothing in flight, by the moment when it is due.
    heads: BTreeSet<(i64, DeliveryId, String)>,
}

/// How much may be taken at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    /// Records.
    pub records: usize,
    /// Whether what waits for one record is taken together.
    pub fold: bool,
}

/// The deliveries that a lane has in memory.
#[derive(Debug, Default)]
pub struct Window {
    objects: HashMap<Arc<str>, Records>,
    in_flight: HashSet<DeliveryId>,
    waiting: usize,
}

impl Window {
    /// How many wait.
    pub fn waiting(&self) -> usize {
        self.waiting
    }

    /// Whether this one is being sent.
    pub fn is_sending(&self, id: DeliveryId) -> bool {
        self.in_flight.contains(&id)
    }

    /// How many are being sent.
    #[cfg(test)]
    pub fn in_flight(&self) -> usize {
        self.in_flight.len()
    }

    /// Adds a delivery at its place in the order of ids. One that is being sent or waits already is left out.
    pub fn push(&mut self, pending: Pending) {
        if self.in_flight.contains(&pending.id) {
            return;
        }
        let records = match self.objects.get_mut(&pending.object) {
            Some(records) => records,
            None => self.objects.entry(Arc::clone(&pending.object)).or_default(),
        };
        let queue = match records.queues.get_mut(&pending.record_key) {
            Some(queue) => queue,
            None => records.queues.entry(pending.record_key.clone()).or_default(),
        };
        let at = queue.waiting.partition_point(|other| other.id < pending.id);
        if queue.waiting.get(at).is_some_and(|other| other.id == pending.id) {
            return;
        }
        if at == 0 && !queue.in_flight {
            if let Some(old) = queue.waiting.front() {
                records.heads.remove(&(old.due_ms, old.id, old.record_key.clone()));
            }
            records
                .heads
                .insert((pending.due_ms, pending.id, pending.record_key.clone()));
        }
        queue.waiting.insert(at, pending);
        self.waiting += 1;
    }

    /// The object whose turn it is, and how many of its records could be taken: that of the delivery that has been due for longest.
    pub fn next(&self, now_ms: i64) -> Option<(&Arc<str>, usize)> {
        let firsts = self.objects.iter().filter_map(|(object, records)| {
            let (due_ms, id, _) = records.heads.first()?;
            Some(((*due_ms, *id), object, records.heads.len()))
        });
        let ((due_ms, _), object, records) = firsts.min_by_key(|(first, ..)| *first)?;
        (due_ms <= now_ms).then_some((object, records))
    }

    /// Takes what is due for records of this object, by record, in the order in which it was due. The records are busy until
    /// [`Window::land`].
    pub fn take(&mut self, object: &Arc<str>, now_ms: i64, share: Share) -> Vec<Vec<Pending>> {
        let mut taken = Vec::new();
        let Some(records) = self.objects.get_mut(object) else {
            return taken;
        };
        while taken.len() < share.records {
            if records.heads.first().is_none_or(|(due_ms, ..)| *due_ms > now_ms) {
                break;
            }
            let Some((.., key)) = records.heads.pop_first() else {
                break;
            };
            let Some(queue) = records.queues.get_mut(&key) else {
                continue;
            };
            let group = queue.take(now_ms, share.fold);
            queue.in_flight = true;
            self.in_flight.extend(group.iter().map(|pending| pending.id));
            self.waiting -= group.len();
            taken.push(group);
        }
        taken
    }

    /// What was taken for a record is no longer being sent. `again`: what of it waits once more, in front of its followers.
    pub fn land(&mut self, object: &Arc<str>, record_key: &str, taken: &[DeliveryId], again: Vec<Pending>) {
        for id in taken {
            self.in_flight.remove(id);
        }
        let Some(records) = self.objects.get_mut(object) else {
            return;
        };
        let Some(queue) = records.queues.get_mut(record_key) else {
            return;
        };
        queue.in_flight = false;
        self.waiting += again.len();
        for pending in again.into_iter().rev() {
            queue.waiting.push_front(pending);
        }
        match queue.waiting.front() {
            Some(head) => {
                records.heads.insert((head.due_ms, head.id, record_key.to_owned()));
            }
            None => {
                records.queues.remove(record_key);
                if records.queues.is_empty() {
                    self.objects.remove(object);
                }
            }
        }
    }

    /// The oldest that waits at the head of its record.
    pub fn oldest(&self) -> Option<DeliveryId> {
        let firsts = self.objects.values().filter_map(|records| records.heads.first());
        firsts.map(|(_, id, _)| *id).min()
    }

    /// When the next one is due; it may be due already.
    pub fn next_due(&self) -> Option<i64> {
        let firsts = self.objects.values().filter_map(|records| records.heads.first());
        firsts.map(|(due_ms, ..)| *due_ms).min()
    }

    /// Forgets everything that is not being sent.
    pub fn clear(&mut self) {
        self.waiting = 0;
        self.objects.retain(|_, records| {
            records.heads.clear();
            records.queues.retain(|_, queue| {
                queue.waiting.clear();
                queue.in_flight
            });
            !records.queues.is_empty()
        });
    }
}

impl Queue {
    /// The first, and with `fold` what is due behind it. One that was refused together with others is taken alone; those that were in doubt
    /// together stay together and without others, because only then what is looked for is what was sent.
    fn take(&mut self, now_ms: i64, fold: bool) -> Vec<Pending> {
        let mut group: Vec<Pending> = Vec::with_capacity(1);
        while let Some(next) = self.waiting.front() {
            let alike = group.first().is_none_or(|first| are_alike(first, next));
            let goes_along = fold && alike && next.due_ms <= now_ms && !next.alone && group.len() < MOST_FOLDED;
            if !group.is_empty() && !goes_along {
                break;
            }
            let alone = next.alone;
            group.extend(self.waiting.pop_front());
            if alone {
                break;
            }
        }
        group
    }
}

/// Whether two deliveries of one record may be one call: what is in doubt only with what was sent at the same moment.
fn are_alike(one: &Pending, other: &Pending) -> bool {
    one.doubt.map(|doubt| doubt.since_ms) == other.doubt.map(|doubt| doubt.since_ms)
}

#[cfg(test)]
mod tests;
