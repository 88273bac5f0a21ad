//! Who belongs to a chain: certificate authorities, identity certificates, trust roots.
//!
//! The certificates hold what X.509 profiles hold for this purpose (RFC 5280: issuer, serial
//! number, subject, validity) and no more; a certificate is revoked by issuer and serial number
//! (RFC 5280, section 5).

use super::notice::Notice;
use super::release::Release;
use super::seeded;
use consim_core::{
    CodecError, Decoder, Digest, Encoder, KeyId, Keyring, NodeId, SecretKey, Signature,
};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// A certificate authority.
#[derive(Debug)]
pub struct Authority {
    key: SecretKey,
    issued: u64,
}

/// What a bearer may be on a chain.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Role {
    /// A full node, a peer of the members.
    Peer,
    /// A client, which only asks.
    Client,
}

/// What an authority certifies.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Identity {
    /// Which node.
    pub subject: NodeId,
    /// The number of its organisation.
    pub organisation: u32,
    /// What it may be.
    pub role: Role,
    /// Valid from here, nanoseconds after the Unix epoch.
    pub not_before_ns: i64,
    /// Valid up to here.
    pub not_after_ns: i64,
}

/// That an authority knows a node as a node of an organisation, for a time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct IdentityCertificate {
    /// What it says.
    pub identity: Identity,
    /// The authority that issued it, by its key.
    pub authority: KeyId,
    /// The authority's running number, from 1.
    pub serial: u64,
    /// The authority's signature.
    pub signature: Signature,
}

/// Why a certificate does not authenticate its bearer.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Refusal {
    /// It showed none.
    NoCertificate,
    /// The bytes are not a certificate.
    Malformed,
    /// The authority is not one of the chain's.
    UnknownAuthority,
    /// An organisation's own authority speaks for another organisation.
    ForeignOrganisation,
    /// The authority did not sign this.
    BadSignature,
    /// It is somebody else's.
    WrongSubject,
    /// A client's certificate does not make a peer.
    WrongRole,
    /// Its time has not come.
    NotYetValid,
    /// Its time is over.
    Expired,
    /// The authority took it back.
    Revoked,
    /// It is no member of the chain.
    NotMember,
    /// It runs a release of the program that this node does not understand.
    VersionSkew,
    /// It is not the chain's administrator.
    NotAdministrator,
}

impl Refusal {
    /// All of them, in the order of their codes.
    pub const ALL: [Self; 13] = [
        Self::NoCertificate,
        Self::Malformed,
        Self::UnknownAuthority,
        Self::ForeignOrganisation,
        Self::BadSignature,
        Self::WrongSubject,
        Self::WrongRole,
        Self::NotYetValid,
        Self::Expired,
        Self::Revoked,
        Self::NotMember,
        Self::VersionSkew,
        Self::NotAdministrator,
    ];

    /// The byte on the wire.
    pub const fn code(self) -> u8 {
        self as u8
    }
    /// The refusal of a byte.
    pub fn of_code(code: u8) -> Result<Self, CodecError> {
        let found = Self::ALL.get(usize::from(code));
        found.copied().ok_or(CodecError::Tag(code))
    }
    /// Its words in probes and audits.
    pub const fn words(self) -> &'static str {
        match self {
            Self::NoCertificate => "no certificate",
            Self::Malformed => "malformed certificate",
            Self::UnknownAuthority => "unknown authority",
            Self::ForeignOrganisation => "foreign organisation",
            Self::BadSignature => "bad signature",
            Self::WrongSubject => "wrong subject",
            Self::WrongRole => "not a peer",
            Self::NotYetValid => "not yet valid",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
            Self::NotMember => "not a member",
            Self::VersionSkew => "version skew",
            Self::NotAdministrator => "not the administrator",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.words())
    }
}

impl Authority {
    /// The authority that signs with `key`.
    pub fn new(key: SecretKey) -> Self {
        Self { key, issued: 0 }
    }
    /// Its key.
    pub fn id(&self) -> KeyId {
        self.key.id()
    }
    /// Certifies `identity`.
    pub fn issue(&mut self, identity: Identity) -> IdentityCertificate {
        self.issued += 1;
        let (authority, serial) = (self.id(), self.issued);
        let signature = self.key.sign(&identity.statement(authority, serial));
        IdentityCertificate {
            identity,
            authority,
            serial,
            signature,
        }
    }
}

impl Identity {
    /// What an authority signs.
    fn statement(&self, authority: KeyId, serial: u64) -> Digest {
        let mut out = Vec::with_capacity(64);
        let mut e = Encoder::new(&mut out);
        e.raw(b"consim identity 1").u32(authority.0).u64(serial);
        self.encode(&mut e);
        Digest::of(&out)
    }
    /// Is `now_ns` within its time?
    pub fn in_time(&self, now_ns: i64) -> Result<(), Refusal> {
        if now_ns < self.not_before_ns {
            Err(Refusal::NotYetValid)
        } else if now_ns > self.not_after_ns {
            Err(Refusal::Expired)
        } else {
            Ok(())
        }
    }
    fn encode(&self, e: &mut Encoder<'_>) {
        e.u32(self.subject.0).u32(self.organisation);
        e.u8(match self.role {
            Role::Peer => 0,
            Role::Client => 1,
        });
        e.u64(self.not_before_ns.cast_unsigned())
            .u64(self.not_after_ns.cast_unsigned());
    }
    fn decode(d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        Ok(Self {
            subject: NodeId(d.u32()?),
            organisation: d.u32()?,
            role: match d.u8()? {
                0 => Role::Peer,
                1 => Role::Client,
                tag => return Err(CodecError::Tag(tag)),
            },
            not_before_ns: d.u64()?.cast_signed(),
            not_after_ns: d.u64()?.cast_signed(),
        })
    }
}

impl IdentityCertificate {
    /// The encoded length.
    pub fn encoded_len(&self) -> usize {
        4 + 8 + (4 + 4 + 1 + 8 + 8) + self.signature.encoded_len()
    }
    /// Did its authority sign it?
    pub fn signed(&self, keys: &Keyring) -> bool {
        let digest = self.identity.statement(self.authority, self.serial);
        self.signature.key == self.authority && keys.verify(&digest, &self.signature)
    }
    /// Appends the wire form.
    pub fn encode(&self, e: &mut Encoder<'_>) {
        e.u32(self.authority.0).u64(self.serial);
        self.identity.encode(e);
        self.signature.encode(e);
    }
    /// Reads a certificate; nothing is verified yet.
    pub fn decode(d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        Ok(Self {
            authority: KeyId(d.u32()?),
            serial: d.u64()?,
            identity: Identity::decode(d)?,
            signature: Signature::decode(d)?,
        })
    }
    /// The encoded certificate alone, as messages of other families carry it.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.encoded_len());
        self.encode(&mut Encoder::new(&mut out));
        out
    }
    /// Reads a certificate that stands alone; nothing is verified yet.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Refusal> {
        let mut d = Decoder::new(bytes);
        let certificate = Self::decode(&mut d);
        certificate
            .and_then(|certificate| d.end().map(|()| certificate))
            .map_err(|_| Refusal::Malformed)
    }
}

/// Whom a chain believes: the authorities of its members, and what they took back.
#[derive(Clone, Debug, Default)]
pub struct TrustRoots {
    authorities: BTreeMap<KeyId, Trusted>,
    /// Whose word changes the members; `None`: nobody's.
    administrator: Option<KeyId>,
    /// Issuer and serial number, and from when on: the revocation date of RFC 5280, section 5.3.
    revoked: BTreeMap<(KeyId, u64), i64>,
}

/// An authority that a chain believes.
#[derive(Clone, Copy, Debug)]
struct Trusted {
    /// The one organisation that it may speak for (`None`: any).
    speaks_for: Option<u32>,
    /// From here on, nanoseconds after the Unix epoch.
    from_ns: i64,
    /// Does its word make peers, or clients alone?
    peers: bool,
}

impl TrustRoots {
    /// Believes nobody.
    pub fn new() -> Self {
        Self::default()
    }
    /// Believes the shared `authority`, whatever organisation it speaks of.
    pub fn trust_shared(&mut self, authority: KeyId) {
        self.trust(authority, None, i64::MIN);
    }
    /// Believes a member organisation's own `authority`, when it speaks of that organisation.
    pub fn trust_own(&mut self, authority: KeyId, organisation: u32) {
        self.trust_own_from(authority, organisation, i64::MIN);
    }
    /// The same, from an instant on.
    pub fn trust_own_from(&mut self, authority: KeyId, organisation: u32, from_ns: i64) {
        self.trust(authority, Some(organisation), from_ns);
    }
    fn trust(&mut self, authority: KeyId, speaks_for: Option<u32>, from_ns: i64) {
        let trusted = Trusted {
            speaks_for,
            from_ns,
            peers: true,
        };
        self.authorities.insert(authority, trusted);
    }
    /// Takes a notice of the registrar in.
    fn notice(&mut self, notice: &Notice) {
        for &certificate in &notice.revoked {
            self.revoked.insert(certificate, i64::MIN);
        }
        if let Some(authority) = notice.trusted {
            self.trust_shared(authority);
        }
        let withdrawn = notice.withdrawn;
        if let Some(trusted) = withdrawn.and_then(|key| self.authorities.get_mut(&key)) {
            trusted.peers = false;
        }
    }
    /// Changes its members at the word of whoever signs with `key`.
    pub fn administered_by(&mut self, key: KeyId) {
        self.administrator = Some(key);
    }
    /// Whose word changes the members.
    pub fn administrator(&self) -> Option<KeyId> {
        self.administrator
    }
    /// Believes a certificate no longer from an instant on.
    pub fn revoke_from(&mut self, certificate: &IdentityCertificate, from_ns: i64) {
        self.revoked
            .insert((certificate.authority, certificate.serial), from_ns);
    }
    /// Is `certificate` one that was not taken back, and within its time?
    fn is_good(&self, certificate: &IdentityCertificate, now_wall_ns: i64) -> Result<(), Refusal> {
        let serial = (certificate.authority, certificate.serial);
        let revoked = self.revoked.get(&serial);
        if revoked.is_some_and(|from| now_wall_ns >= *from) {
            return Err(Refusal::Revoked);
        }
        certificate.identity.in_time(now_wall_ns)
    }
    /// Does `certificate` show that its bearer is `subject`, a node of an organisation that this
    /// chain admits? The caller charges one verification.
    pub fn authenticate(
        &self,
        certificate: &IdentityCertificate,
        subject: NodeId,
        now_wall_ns: i64,
        keys: &Keyring,
    ) -> Result<(), Refusal> {
        let trusted = self
            .authorities
            .get(&certificate.authority)
            .filter(|trusted| now_wall_ns >= trusted.from_ns)
            .filter(|trusted| trusted.peers || certificate.identity.role != Role::Peer)
            .ok_or(Refusal::UnknownAuthority)?;
        if !certificate.signed(keys) {
            Err(Refusal::BadSignature)
        } else if trusted
            .speaks_for
            .is_some_and(|organisation| organisation != certificate.identity.organisation)
        {
            Err(Refusal::ForeignOrganisation)
        } else if certificate.identity.subject != subject {
            Err(Refusal::WrongSubject)
        } else {
            self.is_good(certificate, now_wall_ns)
        }
    }
}

/// What every member of a chain knows before the first block.
#[derive(Clone, Debug, Default)]
pub struct Genesis {
    /// Whom the chain believes.
    pub roots: TrustRoots,
    /// The members' certificates.
    pub certificates: Vec<IdentityCertificate>,
}

/// The highest node number that a registry keeps: a stranger's number must not make it grow
/// without bound.
pub const MAX_NODES: usize = 1 << 20;

/// Whom a node has authenticated: a table by node, so that the path of a message stays short.
pub struct Registry {
    keys: Keyring,
    genesis: Arc<Genesis>,
    /// Whom it believes since the registrar's first notice, in place of the genesis.
    noticed: Option<Box<TrustRoots>>,
    known: Vec<Option<IdentityCertificate>>,
    /// This node's release, if the members tell each other theirs.
    release: Option<Release>,
    /// What they told.
    told: BTreeMap<NodeId, Release>,
}

impl Registry {
    /// Knows the genesis and nobody yet.
    pub fn new(keys: Keyring, genesis: Arc<Genesis>) -> Self {
        Self {
            keys,
            genesis,
            noticed: None,
            known: Vec::new(),
            release: None,
            told: BTreeMap::new(),
        }
    }
    /// The members tell each other their releases, and this node runs `release`. `None`: all run the
    /// same one, and nobody asks.
    #[must_use]
    pub fn running(mut self, release: Option<Release>) -> Self {
        self.release = release;
        self
    }
    /// A member whose certificate is known says which release it runs. Is that another one than this
    /// node knew of?
    pub fn tells(&mut self, node: NodeId, release: Release) -> bool {
        self.known(node).is_some() && self.told.insert(node, release) != Some(release)
    }
    /// Does this node understand what `node` says? One that has not told its release is asked first.
    fn understands(&self, node: NodeId) -> Result<(), Refusal> {
        let Some(own) = self.release else {
            return Ok(());
        };
        match self.told.get(&node) {
            None => Err(Refusal::NoCertificate),
            Some(other) if own.understands(*other) => Ok(()),
            Some(_) => Err(Refusal::VersionSkew),
        }
    }
    /// Takes in the members of the genesis; whose time has not come or is over is refused when it
    /// speaks. Returns how many signatures that verifies.
    pub fn open(&mut self) -> u32 {
        let genesis = Arc::clone(&self.genesis);
        for certificate in &genesis.certificates {
            let Identity {
                subject,
                not_before_ns,
                ..
            } = certificate.identity;
            if genesis
                .roots
                .authenticate(certificate, subject, not_before_ns, &self.keys)
                .is_ok()
            {
                self.keep(certificate);
            }
        }
        genesis.certificates.len() as u32
    }
    /// Whom it believes now.
    fn roots(&self) -> &TrustRoots {
        self.noticed.as_deref().unwrap_or(&self.genesis.roots)
    }
    /// Takes a notice of the registrar in. Whom an authority certified that was withdrawn is known no more, as
    /// for a connection that is made anew.
    pub fn notice(&mut self, notice: &Notice) {
        let genesis = &self.genesis;
        let roots = self
            .noticed
            .get_or_insert_with(|| Box::new(genesis.roots.clone()));
        roots.notice(notice);
        let Some(withdrawn) = notice.withdrawn else {
            return;
        };
        let gone = |known: &IdentityCertificate| {
            known.authority == withdrawn && known.identity.role == Role::Peer
        };
        for slot in self
            .known
            .iter_mut()
            .filter(|k| k.as_ref().is_some_and(gone))
        {
            *slot = None;
        }
    }
    /// Is `node` authenticated as a peer at this instant, and of a release that this node
    /// understands?
    pub fn peer(&self, node: NodeId, now_wall_ns: i64) -> Result<(), Refusal> {
        let known = self.known(node).ok_or(Refusal::NoCertificate)?;
        if known.identity.role != Role::Peer {
            return Err(Refusal::WrongRole);
        }
        self.still_good(known, now_wall_ns)?;
        self.understands(node)
    }
    /// Is `node` authenticated, as whatever, at this instant?
    pub fn bearer(&self, node: NodeId, now_wall_ns: i64) -> Result<(), Refusal> {
        let known = self.known(node).ok_or(Refusal::NoCertificate)?;
        self.still_good(known, now_wall_ns)
    }
    /// Is `node` authenticated as a client at this instant?
    pub fn client(&self, node: NodeId, now_wall_ns: i64) -> bool {
        self.known(node).is_some_and(|known| {
            let good = || self.still_good(known, now_wall_ns).is_ok();
            known.identity.role == Role::Client && good()
        })
    }
    /// Was `certificate` verified for `node` already? Then only its time is to be looked at.
    pub fn verified(&self, node: NodeId, certificate: &IdentityCertificate) -> bool {
        self.known(node) == Some(certificate)
    }
    /// Verifies the certificate that `node` presents and remembers it. The caller charges one
    /// verification unless it was `verified`.
    pub fn present(
        &mut self,
        node: NodeId,
        certificate: &IdentityCertificate,
        now_wall_ns: i64,
    ) -> Result<(), Refusal> {
        if self.verified(node, certificate) {
            return self.still_good(certificate, now_wall_ns);
        }
        self.roots()
            .authenticate(certificate, node, now_wall_ns, &self.keys)?;
        self.keep(certificate);
        Ok(())
    }
    /// Somebody introduced itself as `node` and failed to show that it is: what was known of it holds no
    /// more, as for a connection that was made anew.
    pub fn forget(&mut self, node: NodeId) {
        if let Some(slot) = self.known.get_mut(node.index()) {
            *slot = None;
        }
    }
    /// Is `certificate` in the genesis, so that every member knows it?
    pub fn in_genesis(&self, certificate: &IdentityCertificate) -> bool {
        self.genesis.certificates.contains(certificate)
    }
    /// Is a certificate that was verified before still good?
    fn still_good(&self, known: &IdentityCertificate, now_wall_ns: i64) -> Result<(), Refusal> {
        if seeded::on(&seeded::REVOKED_BUT_KNOWN) {
            return known.identity.in_time(now_wall_ns);
        }
        self.roots().is_good(known, now_wall_ns)
    }
    /// The certificate by which `node` is known, as shown last.
    pub fn known(&self, node: NodeId) -> Option<&IdentityCertificate> {
        self.known.get(node.index())?.as_ref()
    }
    fn keep(&mut self, certificate: &IdentityCertificate) {
        let index = certificate.identity.subject.index();
        if index >= MAX_NODES {
            return;
        }
        if self.known.len() <= index {
            self.known.resize(index + 1, None);
        }
        if let Some(slot) = self.known.get_mut(index) {
            *slot = Some(*certificate);
        }
    }
}

#[cfg(test)]
mod tests;
