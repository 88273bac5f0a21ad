//! What a revocation does to the copies that institutions keep of what they have read.
//!
//! A copy itself is not modelled: whoever received a record has it until it is deleted, or until the key
//! under which it is kept is destroyed. The simulator alone counts them.

use super::SharingService;
use super::asks::REPAIR;
use super::store::Store;
use crate::node::service::Host;
use crate::sharing::command::Command;
use crate::sharing::config::Revocation;
use crate::sharing::ids::{Grantee, Pseudonym, Purpose, Reason, RecordId};
use crate::sharing::marks;
use crate::sharing::probe::SharingProbe;
use crate::sharing::scope::{Reader, Use};
use crate::sharing::seeded;
use crate::sharing::state::{Lookup, consented};
use consim_core::{Block, Context, OpId, Receipt, Work};

impl SharingService {
    /// A block was applied: consents that were taken back in it.
    pub(super) fn taken_back(&mut self, cx: &mut Context<'_>, host: &dyn Host, block: &Block) {
        if self.config.options.revocation == Revocation::Flag {
            return;
        }
        for (tx, receipt) in block.committed.batch.txs().iter().zip(&block.receipts) {
            if *receipt != Receipt::Applied {
                continue;
            }
            let Ok(command) = Command::decode(tx.body()) else {
                continue;
            };
            let word = match &command {
                Command::Spoken { word, .. } => &**word,
                command => command,
            };
            if let Command::Revoke { pseudonym, grantee } = word {
                self.revoked(cx, host, tx.op(), pseudonym, *grantee);
            }
        }
    }

    /// A record came that was let go before the consent was taken back, and after it was: it is not kept.
    pub(super) fn kept_no_more(&self, cx: &mut Context<'_>, host: &dyn Host, record: RecordId) {
        if self.config.options.revocation != Revocation::OffChainDelete {
            return;
        }
        let Some(entry) = host.record(record) else {
            return;
        };
        let wanted = Use {
            requester: host.node(),
            reader: Reader::default(),
            purpose: Purpose::Treatment,
            of: None,
        };
        let pseudonym = entry.pseudonym;
        if consented(host, &pseudonym, &wanted, host.head_time_ns()) == Err(Reason::Revoked) {
            cx.emit(SharingProbe::Deleted { pseudonym }.probe());
        }
    }

    fn revoked(
        &mut self,
        cx: &mut Context<'_>,
        host: &dyn Host,
        op: OpId,
        pseudonym: &Pseudonym,
        grantee: Grantee,
    ) {
        let pseudonym = *pseudonym;
        let me = grantee == Grantee::Everyone || grantee == Grantee::Institution(host.node());
        match self.config.options.revocation {
            Revocation::OffChainDelete if me && !seeded::on(&seeded::COPIES_KEPT) => {
                cx.reached(&marks::COPIES_DELETED);
                cx.persist(REPAIR, vec![Store::tombstone(op)]);
                cx.emit(SharingProbe::Deleted { pseudonym }.probe());
            }
            Revocation::Flag | Revocation::OffChainDelete => {}
            Revocation::CryptoShred => {
                if self.originals_of(host, &pseudonym).next().is_some()
                    && !seeded::on(&seeded::COPIES_KEPT)
                {
                    cx.reached(&marks::KEYS_SHREDDED);
                    cx.persist(REPAIR, vec![Store::tombstone(op)]);
                    cx.emit(SharingProbe::Shredded { pseudonym, grantee }.probe());
                }
            }
            Revocation::KeyRotation => {
                let bytes: usize = self
                    .originals_of(host, &pseudonym)
                    .filter_map(|record| self.store.get(record))
                    .map(|body| body.len())
                    .sum();
                // Each original is opened and sealed under the new key.
                cx.work(Work::encrypt(2 * bytes));
            }
        }
    }

    /// The originals of a patient that are kept here.
    fn originals_of(
        &self,
        host: &dyn Host,
        pseudonym: &Pseudonym,
    ) -> impl Iterator<Item = RecordId> {
        self.kept().filter(move |&record| {
            host.record(record)
                .is_some_and(|entry| entry.pseudonym == *pseudonym)
        })
    }
}
