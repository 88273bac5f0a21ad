//! What a server of custody answers.

use super::command::{Command, Deed, Said};
use super::machine::{ENDED, KNOWN, NOT_HOLDER, NOT_OFFERED, ON_ITS_WAY};
use super::marks;
use super::probe::CustodyProbe;
use super::unit::{Life, TOTALS, unit_key};
use crate::node::service::Host;
use crate::orders::message::read;
use crate::orders::{OrderService, Orders};
use consim_core::{Context, OpId};

/// Custody at a server.
#[derive(Clone, Copy, Debug, Default)]
pub struct Custody;

/// The custody service of a server.
pub type CustodyService = OrderService<Custody>;

impl Orders for Custody {
    type Command = Command;

    fn said(
        &mut self,
        cx: &mut Context<'_>,
        host: &dyn Host,
        _op: OpId,
        command: &Command,
    ) -> Said {
        let height = host.height();
        match *command {
            Command::Unit {
                unit,
                deed: Deed::Trace,
            } => {
                let life = read(host.get(&unit_key(unit)).as_deref());
                if let Some(Life::Held {
                    offered: Some(_), ..
                }) = life
                {
                    cx.reached(&marks::TRACED_ON_ITS_WAY);
                }
                cx.emit(CustodyProbe::Traced { unit, life, height }.probe());
                Said::Traced(life)
            }
            Command::Unit { .. } => Said::Done,
            Command::Count => {
                let totals = read(host.get(TOTALS).as_deref()).unwrap_or_default();
                cx.emit(CustodyProbe::Counted { totals, height }.probe());
                Said::Counted(totals)
            }
        }
    }

    fn refused(&mut self, cx: &mut Context<'_>, command: &Command, reason: &'static str) {
        let Command::Unit { deed, .. } = command else {
            return;
        };
        match (reason, deed) {
            (KNOWN, _) => cx.reached(&marks::COMMISSIONED_TWICE),
            (ENDED, _) => cx.reached(&marks::ENDED_AGAIN),
            (NOT_HOLDER, Deed::HandOver { .. }) => cx.reached(&marks::HANDED_OVER_BY_OTHER),
            (ON_ITS_WAY, Deed::HandOver { .. }) => cx.reached(&marks::HANDED_OVER_TWICE),
            (NOT_OFFERED, Deed::Accept) => cx.reached(&marks::TAKEN_UNASKED),
            _ => {}
        }
    }
}
