//! Disks: writes become durable after their bytes and an fsync; with group commit, writes that wait
//! for the disk share one.

use super::Kernel;
use crate::digest::Mark;
use crate::faults::Point;
use crate::network::transfer;
use crate::node::{Group, Node, Pending};
use crate::queue::Item;
use crate::storage::{Others, Synced};
use consim_core::{Observer, Span, Time, Write, WriteToken, mix};

/// After so long a write whose fsync failed is tried again (assumed: a write-ahead log waits before
/// it retries, so that a broken drive does not keep the processor busy).
pub(crate) const RETRY: Span = Span::from_millis(100);

/// Node `i`, and the disks of all others.
pub(super) fn with_others(nodes: &mut [Node], i: usize) -> Option<(&mut Node, Others<'_>)> {
    let (before, rest) = nodes.split_at_mut_checked(i)?;
    let (node, after) = rest.split_first_mut()?;
    let others = before.iter().chain(after.iter());
    Some((node, Others::new(others.map(|node| &node.disk).collect())))
}

impl<O: Observer> Kernel<O> {
    #[inline(never)]
    pub(super) fn persist(&mut self, i: usize, at: Time, token: WriteToken, writes: Vec<Write>) {
        if self.nodes.get(i).is_some_and(|node| node.ailing.is_some()) {
            return self.persist_ailing(i, at, token, writes, false);
        }
        self.start_write(i, at, token, writes, Span::ZERO);
    }

    /// The drive takes `writes` and `more` time than it would.
    fn start_write(
        &mut self,
        i: usize,
        at: Time,
        token: WriteToken,
        writes: Vec<Write>,
        more: Span,
    ) {
        let Some(node) = self.nodes.get_mut(i) else {
            return;
        };
        let bytes: usize = writes
            .iter()
            .filter_map(|w| w.value.as_ref())
            .map(|v| v.encoded_len())
            .sum();
        let rate = node.hardware.disk_write.saturating_mul(8);
        let time = transfer(bytes as u64, rate) + more;
        if node.hardware.group_commit
            && let Some(mut last) = node.writes.last_entry()
            && at <= last.get().start
        {
            // The group has not begun: its fsync serves these too. Its ticket surfaces early and
            // is pushed again.
            let group = last.get_mut();
            group.list.push((token, writes));
            group.done += time;
            node.disk_free = group.done;
            node.usage.disk += time;
            return;
        }
        let op = node.next_write;
        node.next_write += 1;
        let draw = mix(
            mix(self.streams.seed() ^ 0x6469_736b, u64::from(node.id.0)),
            op,
        );
        let time = time + node.fsync.sample(draw);
        let start = node.disk_free.later(at);
        let done = start + time;
        node.disk_free = done;
        node.usage.disk += time;
        let list = vec![(token, writes)];
        node.writes.insert(op, Group { start, done, list });
        self.queue.push(done, Item::Disk { node: i as u32, op });
    }

    #[inline(never)]
    pub(super) fn disk_done(&mut self, i: usize, op: u64) {
        let now = self.now;
        let Some(node) = self.nodes.get_mut(i) else {
            return;
        };
        // Writes of an epoch that ended are gone from the table.
        let Some(done) = node.writes.get(&op).map(|group| group.done) else {
            return;
        };
        if done > now {
            return self.queue.push(done, Item::Disk { node: i as u32, op });
        }
        let Some(group) = node.writes.remove(&op) else {
            return;
        };
        if node.ailing.is_some() {
            return self.synced_ailing(i, op, group);
        }
        let mut tokens = Vec::with_capacity(group.list.len());
        for (token, writes) in group.list {
            for write in writes {
                node.disk.apply(write);
            }
            tokens.push(token);
        }
        self.written(i, tokens);
    }

    /// Writes are durable.
    fn written(&mut self, i: usize, tokens: Vec<WriteToken>) {
        if self.faults.asks_service() && self.stops_at(i, Point::AfterPersist, self.now) {
            return;
        }
        for token in tokens {
            self.digest.mark(self.now, Mark::Disk, i as u32, token.0);
            self.enter(i, Pending::Persisted { token });
        }
    }

    // ---- disks that are not well -------------------------------------------------------------------

    #[cold]
    fn persist_ailing(
        &mut self,
        i: usize,
        at: Time,
        token: WriteToken,
        writes: Vec<Write>,
        again: bool,
    ) {
        let Some(node) = self.nodes.get_mut(i) else {
            return;
        };
        let on_their_way = node.writes.values().flat_map(|group| &group.list);
        let on_their_way = on_their_way.flat_map(|(_, writes)| writes);
        let on_their_way = on_their_way.map(Write::bytes).sum();
        let Some(ailing) = &mut node.ailing else {
            return;
        };
        if ailing.refuses(on_their_way, &node.disk, &writes, again) {
            ailing.hold(token, writes);
            return self.fetch_tolls(i);
        }
        let more = ailing.delay();
        self.fetch_tolls(i);
        self.start_write(i, at, token, writes, more);
    }

    /// The drive says that a group is synced.
    #[cold]
    fn synced_ailing(&mut self, i: usize, op: u64, mut group: Group) {
        let now = self.now;
        let Some((node, others)) = with_others(&mut self.nodes, i) else {
            return;
        };
        let Some(ailing) = &mut node.ailing else {
            return;
        };
        let mut writes: Vec<Write> = Vec::new();
        for (_, list) in &mut group.list {
            writes.append(list);
        }
        if ailing.sync(&mut node.disk, &mut writes, &others) == Synced::Again {
            if let Some((_, list)) = group.list.first_mut() {
                *list = writes;
            }
            group.start = now + RETRY;
            let draw = mix(mix(self.streams.seed() ^ 0x7265_7472, op), now.nanos());
            group.done = group.start + node.fsync.sample(draw);
            node.disk_free = node.disk_free.later(group.done);
            let done = group.done;
            node.writes.insert(op, group);
            self.queue.push(done, Item::Disk { node: i as u32, op });
            return self.fetch_tolls(i);
        }
        let retry = ailing.holds_back();
        let tokens = group.list.into_iter().map(|(token, _)| token).collect();
        self.fetch_tolls(i);
        if retry {
            self.try_held(i);
        }
        self.written(i, tokens);
    }

    /// What the disk refused is tried again, in order.
    pub(super) fn try_held(&mut self, i: usize) {
        let held = self.nodes.get_mut(i).and_then(|n| n.ailing.as_mut());
        for (token, writes) in held.map(|a| a.take_held()).unwrap_or_default() {
            self.persist_ailing(i, self.now, token, writes, true);
        }
    }
}
