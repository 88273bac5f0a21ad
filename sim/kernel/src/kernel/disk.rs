//! Disks: writes become durable after their bytes and an fsync; with group commit, writes that wait
//! for the disk share one.

use super::Kernel;
use crate::digest::Mark;
use crate::faults::Point;
use crate::network::transfer;
use crate::node::{Group, Pending};
use crate::queue::Item;
use consim_core::{Observer, Time, Write, WriteToken, mix};

impl<O: Observer> Kernel<O> {
    #[inline(never)]
    pub(super) fn persist(&mut self, i: usize, at: Time, token: WriteToken, writes: Vec<Write>) {
        let Some(node) = self.nodes.get_mut(i) else {
            return;
        };
        let bytes: usize = writes
            .iter()
            .filter_map(|w| w.value.as_ref())
            .map(|v| v.encoded_len())
            .sum();
        let rate = node.hardware.disk_write.saturating_mul(8);
        let time = transfer(bytes as u64, rate);
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
        let mut tokens = Vec::with_capacity(group.list.len());
        for (token, writes) in group.list {
            for write in writes {
                node.disk.apply(write);
            }
            tokens.push(token);
        }
        if self.faults.asks_service() && self.stops_at(i, Point::AfterPersist, now) {
            return;
        }
        for token in tokens {
            self.digest.mark(now, Mark::Disk, i as u32, token.0);
            self.enter(i, Pending::Persisted { token });
        }
    }
}
