//! `services`: the domain models.

use super::decode::{At, Named};
use super::lists::{List, Turns, Words};
use super::macros::{choice, record, words};
use super::organisations::Plain;
use consim_core::Span;
use consim_core::values::{Count, Name, Share, Switch};

choice! {
    /// `services.NAME`.
    pub enum ServiceKind: "domain model" {
        /// Records stay with their institution; digests, consents and audit go on the chain.
        DataSharing(DataSharing) = "data-sharing",
        /// A synthetic store for `transactions`: keys are set and read, nothing else matters.
        KeyValue(KeyValue) = "key-value",
        /// Custody of units for `movements`: a synthetic model for searching protocols, not the tracing of drugs.
        Custody(Custody) = "custody",
        /// Numbered samples of devices for `samples`: a synthetic model for searching protocols, not telemetry of patients.
        DeviceSamples(DeviceSamples) = "device-samples",
    }
    later "drug-trace" "telemetry" "referral" "supervision" "federated-learning";
}

record! {
    /// Options of `key-value`.
    pub struct KeyValue {
        /// The chain; the only one if left out.
        chain: Option<At<Name>>,
        /// How many keys there are.
        keys: At<Count> = "1M",
        /// Exponent of the Zipf distribution of keys: 0% is uniform, 99% what YCSB uses.
        skew: At<Share> = "0%",
    }
    main "chain";
    later "value";
}

record! {
    /// Options of `custody`.
    pub struct Custody {
        /// The chain; the only one if left out.
        chain: Option<At<Name>>,
    }
    main "chain";
}

record! {
    /// Options of `device-samples`.
    pub struct DeviceSamples {
        /// The chain; the only one if left out.
        chain: Option<At<Name>>,
    }
    main "chain";
}

record! {
    /// Options of `data-sharing`.
    pub struct DataSharing {
        /// The chain; the only one if left out. Of several each is a network, and relays have to join them: people of
        /// one read what was made in another.
        chain: Option<Turns>,
        /// What of a record goes on the chain.
        on_chain: OnChain = "digest",
        /// Where originals are kept.
        off_chain: OffChain = "own-database",
        /// How access is given.
        access: Access = "contract-grant",
        /// How records elsewhere are found.
        search: Search = "forward",
        /// What a revocation does.
        revocation: Revocation = "flag",
        /// How patients are named on the chain.
        pseudonym: Pseudonym = "hmac",
        /// How users show who they are.
        identity: Identity = "certificate",
        /// Where accesses are written down.
        audit: Audit = "on-chain",
        /// When patients are asked.
        consent: ConsentKeys = "{}",
        /// Reads in an emergency.
        emergency: Emergency = "{}",
        /// By which state of the chain a provider decides.
        freshness: Freshness = "local",
        /// Is a permit judged once more where its audit entry is executed? Who took the consent back before that is heeded.
        recheck: At<Switch> = "false",
        /// What providers' plans say of their records, as shares of these that add up to 100%: for queries of other
        /// networks `open` and `sharable` records are in the answer, `protected` ones go point to point where the
        /// patient granted it, and `non-open` ones nowhere. Without it `open: 10%`, `sharable: 60%`, `protected: 25%`,
        /// `non-open: 5%`.
        labels: Named<At<Share>>,
    }
    main "chain";
    later "endorse" "disclosure" "cache" "erasure";
}

choice! {
    /// What of a record goes on the chain.
    pub enum OnChain: "content" {
        /// Digest and storage address.
        Digest(Plain) = "digest",
    }
    later "raw" "summary" "index" "pointer" "anchor";
}
choice! {
    /// Where originals are kept.
    pub enum OffChain: "store" {
        /// With the institution that made them.
        OwnDatabase(Plain) = "own-database",
    }
    later "cloud" "ipfs";
}
choice! {
    /// How access is given.
    pub enum Access: "access control" {
        /// By the patient's grant in the contract.
        ContractGrant(Plain) = "contract-grant",
    }
    later "key-transaction" "abe" "proxy-re-encryption" "all-members";
}
choice! {
    /// How records elsewhere are found.
    pub enum Search: "search" {
        /// The question is forwarded to the provider.
        Forward(Plain) = "forward",
    }
    later "none" "peks" "multi-keyword";
}
choice! {
    /// What a revocation does.
    pub enum Revocation: "revocation" {
        /// It marks the grant as withdrawn.
        Flag(Plain) = "flag",
        /// Providers encrypt the patient's originals under a new key; what was read before stays readable.
        KeyRotation(Plain) = "key-rotation",
        /// What was read is kept under keys of the providers, who destroy them.
        CryptoShred(Plain) = "crypto-shred",
        /// Who has read deletes the copies.
        OffChainDelete(Plain) = "off-chain-delete",
    }
}
choice! {
    /// How patients are named on the chain.
    pub enum Pseudonym: "pseudonym" {
        /// By a keyed hash of their identifiers.
        Hmac(Plain) = "hmac",
    }
    later "hash" "salted" "per-visit";
}
choice! {
    /// How users show who they are.
    pub enum Identity: "identity" {
        /// By a certificate.
        Certificate(Plain) = "certificate",
    }
    later "zero-knowledge" "three-factor" "certificateless";
}
choice! {
    /// Where accesses are written down.
    pub enum Audit: "audit trail" {
        /// On the chain, before the answer.
        OnChain(Plain) = "on-chain",
    }
    later "off-chain" "anchored" "none";
}
choice! {
    /// By which state of the chain a provider decides.
    pub enum Freshness: "freshness" {
        /// Its own applied height.
        Local(Plain) = "local",
        /// The same, but by consent only while its last block is no older than this.
        Lease(At<Span>) = "lease",
        /// That of the block in which the read itself is ordered: it is a transaction.
        Ordered(Plain) = "ordered",
    }
}

record! {
    /// `consent`.
    pub struct ConsentKeys {
        /// At each request, or once.
        ask: At<Ask> = "each-request",
        /// How long a grant holds.
        expires: At<Span> = "1y",
        /// What grants comprise: each bears one of these, by lot. Everything, for treatment and in emergencies, if left out.
        scopes: Option<List<ScopeKeys>>,
        /// How long delegates speak for patients and what they may grant; how long it takes until minors come of age. Nobody speaks for others if left out.
        delegation: Option<DelegationKeys>,
    }
    main "ask";
    later "source";
}

record! {
    /// `delegation`.
    pub struct DelegationKeys {
        /// How long a delegate speaks for a patient, and how long a guardian does before the minor comes of age.
        r#for: At<Span> = "1y",
        /// A delegate may grant access to records of these types alone.
        types: Option<Words>,
        /// A delegate may grant access for these purposes alone.
        purposes: Option<Words>,
    }
    main "for";
}

record! {
    /// What a grant comprises.
    pub struct ScopeKeys {
        /// Records of these types alone; the chain then states the types of records.
        types: Option<Words>,
        /// For these purposes; treatment and emergencies if left out.
        purposes: Option<Words>,
        /// For whom of the institution that asks.
        to: At<GrantedTo> = "institution",
        /// How long after it was given it begins.
        after: At<Span> = "0s",
        /// How long it holds from then on; `expires` if left out.
        r#for: Option<At<Span>>,
    }
    main "to";
}

words! {
    /// For whom of an institution a grant is.
    pub enum GrantedTo: "receiver of a grant" {
        /// Everybody there.
        Institution = "institution",
        /// Those of the role of who asks.
        Role = "role",
        /// Who asks alone.
        Person = "person",
    }
}

words! {
    /// When patients are asked.
    pub enum Ask: "way of asking" {
        /// At each request.
        EachRequest = "each-request",
        /// A standing grant is honoured until it expires.
        Standing = "standing",
    }
}

record! {
    /// `emergency`.
    pub struct Emergency {
        /// May an emergency read without a grant?
        allow: At<Switch> = "true",
        /// Within this supervision must have read of each of them in the audit trail, by `audits`; nobody need if left out.
        review_within: Option<At<Span>>,
    }
    main "allow";
}
