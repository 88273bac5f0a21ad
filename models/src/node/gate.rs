//! Who may use a server.

use super::membership::{IdentityCertificate, Refusal};
use super::service::Host;
use consim_core::{Context, NodeId, Probe};

/// Says who may use a server.
pub trait Gate: Send {
    /// Is `from` the holder of the encoded `certificate`, and does the chain trust it? Charges
    /// the work and emits a refusal as `Probe::Unauthenticated`.
    fn admit(
        &mut self,
        cx: &mut Context<'_>,
        host: &mut dyn Host,
        from: NodeId,
        certificate: &[u8],
    ) -> Result<(), Refusal>;
}

/// Admits whom the chain's trust roots authenticate.
#[derive(Clone, Copy, Debug, Default)]
pub struct CertificateGate;

impl Gate for CertificateGate {
    fn admit(
        &mut self,
        cx: &mut Context<'_>,
        host: &mut dyn Host,
        from: NodeId,
        certificate: &[u8],
    ) -> Result<(), Refusal> {
        let decoded = if certificate.is_empty() {
            Err(Refusal::NoCertificate)
        } else {
            IdentityCertificate::from_bytes(certificate)
        };
        match decoded {
            Ok(certificate) => host.authenticate(cx, from, &certificate),
            Err(why) => {
                cx.emit(Probe::Unauthenticated {
                    subject: from,
                    reason: why.words(),
                });
                Err(why)
            }
        }
    }
}

#[cfg(test)]
mod tests;
