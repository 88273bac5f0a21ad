//! Lines: the common one, and those that rules make differ.

use super::Planner;
use crate::schema::{LinkKeys, LossRate, Rule, Targets, Transport};
use consim_core::Span;
use consim_kernel::config::{Burst, LineGroups, Link, Tcp};
use std::collections::BTreeMap;

/// The most rules of a network.
const MAX_RULES: usize = 1_000;

/// A rule with its nodes.
struct Resolved<'a> {
    rule: &'a Rule,
    from: Vec<usize>,
    to: Vec<usize>,
    both_ways: bool,
}

impl Planner<'_> {
    pub(super) fn link(&mut self, keys: &LinkKeys) -> Link {
        let mut link = Link {
            delay: keys.delay.distribution(self.cx),
            rate: keys.rate.value.0,
            connection_rate: keys.connection_rate.value.0,
            queue: keys.queue.value.0,
            duplicate_ppb: keys.duplicate.value.0,
            reorder_ppb: keys.reorder.value.0,
            corrupt_ppb: keys.corrupt.value.0,
            ..Link::default()
        };
        lose(&mut link, &keys.loss);
        travel(&mut link, &keys.transport);
        self.queue_needs_rate(&link, &keys.queue.place.clone());
        link
    }

    /// A queue before a line that takes no time is never full.
    fn queue_needs_rate(&mut self, link: &Link, place: &crate::tree::Place) {
        if link.queue > 0 && link.rate == 0 {
            self.cx.error(
                "E504",
                place,
                "a queue before a line without a rate is never full",
                "a rate, or queue: none",
            );
        }
    }

    /// The lines that rules make differ from `common`. Later rules win, key by key.
    pub(super) fn rules(&mut self, common: &Link) -> Option<LineGroups> {
        let Some(rules) = &self.scenario.network.rules else {
            return Some(LineGroups::default());
        };
        if let Some((_, place)) = rules.items.get(MAX_RULES) {
            let place = place.clone();
            self.cx.error(
                "E107",
                &place,
                "too many rules",
                format!("at most {MAX_RULES}"),
            );
            return None;
        }
        let mut resolved = Vec::new();
        let mut whole = true;
        for (rule, place) in &rules.items {
            match self.rule(rule, place) {
                Some(rule) => resolved.push(rule),
                None => whole = false,
            }
        }
        if !whole {
            return None;
        }
        // Sites on the same sides of all rules form a group.
        let mut numbers: BTreeMap<Vec<u8>, u16> = BTreeMap::new();
        let mut sides = Vec::new();
        let mut of_site = Vec::new();
        for site in 0..self.institutions.len() {
            let mine: Vec<u8> = resolved
                .iter()
                .map(|r| u8::from(r.from.contains(&site)) | u8::from(r.to.contains(&site)) << 1)
                .collect();
            let next = u16::try_from(numbers.len()).ok()?;
            let number = *numbers.entry(mine.clone()).or_insert(next);
            if number == next {
                sides.push(mine);
            }
            of_site.push(number);
        }
        let mut links: Vec<Link> = Vec::new();
        let mut line = Vec::new();
        for from in &sides {
            let mut row = Vec::new();
            for to in &sides {
                let link = self.line_between(common, &resolved, from, to);
                row.push(if link == *common {
                    None
                } else {
                    let known = links.iter().position(|l| *l == link);
                    let place = known.unwrap_or_else(|| {
                        links.push(link);
                        links.len() - 1
                    });
                    Some(u16::try_from(place).ok()?)
                });
            }
            line.push(row);
        }
        Some(LineGroups {
            of_site,
            line,
            links,
        })
    }

    fn rule<'r>(&mut self, rule: &'r Rule, place: &crate::tree::Place) -> Option<Resolved<'r>> {
        let (from, to, both_ways): (&Targets, &Targets, bool) =
            match (&rule.between, &rule.from, &rule.to) {
                (Some(pair), None, None) => (&pair.0, &pair.1, true),
                (None, Some(from), Some(to)) => (from, to, false),
                _ => {
                    self.cx.error(
                        "E211",
                        place,
                        "whose lines? a rule has `between`, or `from` and `to`",
                        "between: [tertiary, community]; or from: tertiary, to: all",
                    );
                    return None;
                }
            };
        if !both_ways {
            return Some(Resolved {
                rule,
                from: self.nodes(from)?,
                to: self.nodes(to)?,
                both_ways,
            });
        }
        let (a, b) = (self.nodes_quietly(from)?, self.nodes_quietly(to)?);
        // A pair is one line of the plan; its first leaf stands for both.
        if let Some(leaf) = self.cx.leaves.get_mut(from.leaf) {
            leaf.digest = Some(format!("{a:?} {b:?}"));
        }
        Some(Resolved {
            rule,
            from: a,
            to: b,
            both_ways,
        })
    }

    /// The line from a site on these sides of the rules to another.
    fn line_between(
        &mut self,
        common: &Link,
        rules: &[Resolved<'_>],
        from: &[u8],
        to: &[u8],
    ) -> Link {
        let mut link = common.clone();
        for ((resolved, from), to) in rules.iter().zip(from).zip(to) {
            let there = from & 1 != 0 && to & 2 != 0;
            let back = resolved.both_ways && from & 2 != 0 && to & 1 != 0;
            if there || back {
                self.apply(resolved.rule, &mut link);
            }
        }
        link
    }

    fn apply(&mut self, rule: &Rule, link: &mut Link) {
        if let Some(delay) = &rule.delay {
            link.delay = delay.distribution(self.cx);
        }
        if let Some(rate) = &rule.rate {
            link.rate = rate.value.0;
        }
        if let Some(rate) = &rule.connection_rate {
            link.connection_rate = rate.value.0;
        }
        if let Some(loss) = &rule.loss {
            lose(link, loss);
        }
        if let Some(share) = &rule.duplicate {
            link.duplicate_ppb = share.value.0;
        }
        if let Some(share) = &rule.reorder {
            link.reorder_ppb = share.value.0;
        }
        if let Some(share) = &rule.corrupt {
            link.corrupt_ppb = share.value.0;
        }
        if let Some(size) = &rule.queue {
            link.queue = size.value.0;
        }
        if let Some(transport) = &rule.transport {
            travel(link, transport);
        }
    }
}

fn lose(link: &mut Link, loss: &LossRate) {
    link.loss_ppb = loss.rate.value.0;
    link.burst = loss.burst.as_ref().map(|burst| Burst {
        good_to_bad_ppb: burst.good_to_bad.value.0,
        bad_to_good_ppb: burst.bad_to_good.value.0,
        loss_in_bad_ppb: burst.loss_in_bad.value.0,
    });
}

fn travel(link: &mut Link, transport: &Transport) {
    link.stream = matches!(transport, Transport::Stream(_));
    link.tcp = match transport {
        Transport::Stream(keys) => Tcp {
            nagle: keys.nagle.value.0,
            // Without Nagle's algorithm nobody waits for acknowledgements.
            delayed_ack: if keys.nagle.value.0 {
                keys.delayed_ack.value
            } else {
                Span::ZERO
            },
            window: keys.window.value.0,
            slow_start: keys.slow_start.value.0,
        },
        Transport::Datagram(_) => Tcp::default(),
    };
}
