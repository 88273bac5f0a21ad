//! `workloads`.

use super::decode::{At, Named};
use super::lists::{Targets, Words};
use super::load::{Burst, Load};
use super::macros::{choice, entry, record, words};
use super::organisations::Plain;
use super::registered::{Days, Registered};
use consim_core::Span;
use consim_core::values::{Bytes, Count, Instant, Name, Share};

entry! {
    /// A workload.
    pub struct Workload { common: WorkloadCommon, kind: WorkloadKind }
}

record! {
    /// What all workloads have.
    pub struct WorkloadCommon {
        /// How much.
        load: Option<Load>,
        /// The profile of the day, which multiplies the load and keeps its mean.
        day: Option<Registered<Days>>,
        /// Times of more: by name.
        bursts: Named<Burst>,
        /// Who submits.
        from: Option<Targets>,
        /// Which node receives the operations.
        entry: EntryPoint = "nearest",
        /// First instant.
        at: Option<At<Instant>>,
        /// Length of the window.
        r#for: Option<At<Span>>,
        /// What counts as available.
        deadline: Option<At<Span>>,
        /// What users do without an answer.
        retry: Retry = "{}",
    }
    later "priority";
}

choice! {
    /// Where operations enter a chain.
    pub enum EntryPoint: "entry" {
        /// The client's own server or the nearest; where clients ask the members themselves, the one that leads.
        Nearest(Plain) = "nearest",
        /// The member that leads: clients ask who does.
        Leader(Plain) = "leader",
        /// All members.
        All(Plain) = "all",
        /// One member after the other.
        RoundRobin(Plain) = "round-robin",
        /// These, one after the other.
        Fixed(Targets) = "fixed",
    }
}

record! {
    /// `retry`.
    pub struct Retry {
        /// Wait for an answer.
        after: At<Span> = "2s",
        /// Repetitions.
        times: At<Count> = "3",
    }
    later "same_id";
}

choice! {
    /// The kind of a workload.
    pub enum WorkloadKind: "workload" {
        /// Patients see doctors, who write and read records.
        Visits(Visits) = "visits",
        /// Patients change standing consents.
        Consents(Consents) = "consents",
        /// Supervision reads the audit trail.
        Audits(Audits) = "audits",
        /// Clients set and read keys.
        Transactions(Transactions) = "transactions",
        /// Units of `custody` are commissioned, move from hand to hand and end; now and then two want the same one.
        Movements(Movements) = "movements",
        /// Devices hand numbered samples over to `device-samples`; now and then twice, out of order, or with a gap.
        Samples(Samples) = "samples",
    }
    later "erasures" "disputes" "referrals" "supply" "trace-queries" "recall" "vitals" "training";
}

record! {
    /// Options of `transactions`.
    pub struct Transactions {
        /// A service of `key-value`, or a chain that has one.
        service: At<Name> = "key-value",
        /// Length of a command that sets a key, its own head included.
        size: At<Bytes> = "512B",
        /// Share of reads, which are ordered like writes.
        read_share: At<Share> = "0%",
        /// Those that come at one place at nearly the same time travel as one that stands for all. In a closed loop they stay together. What a machine pays for each message it pays once for all.
        cohort: Option<CohortKeys>,
    }
    main "service";
    later "value" "skew";
}

record! {
    /// Options of `cohort`.
    pub struct CohortKeys {
        /// Within this they travel together.
        span: At<Span>,
        /// Share of those that travel alone all the same: what is said of single operations is judged by these. If left out 1%, and more where that is less than 100,000 operations and the load is a rate.
        individual: Option<At<Share>>,
    }
    main "span";
}

record! {
    /// Options of `movements`.
    pub struct Movements {
        /// A service of `custody`.
        service: At<Name> = "custody",
        /// Share of attempts at what must not be: hand-overs by two at once, a serial commissioned twice, a unit sold again.
        conflicts: At<Share> = "5%",
        /// Share of looking units up and counting them.
        queries: At<Share> = "20%",
    }
    main "service";
}

record! {
    /// Options of `samples`.
    pub struct Samples {
        /// A service of `device-samples`.
        service: At<Name> = "device-samples",
        /// Devices of each institution.
        devices: At<Count> = "4",
        /// Samples of a batch.
        batch: At<Count> = "8",
        /// Share of reads and of questions after gaps.
        read_share: At<Share> = "30%",
        /// Share of batches that come twice, altered, out of order, after a gap or under a wrong root.
        odd: At<Share> = "5%",
    }
    main "service";
}

record! {
    /// Options of `visits`.
    pub struct Visits {
        /// A service of `data-sharing`.
        service: At<Name> = "data-sharing",
        /// Reads for each record written.
        reads_per_write: At<Count> = "5",
        /// Records written per visit.
        resources: At<Count> = "8",
        /// How long a record is.
        size: RecordSize = "{ log-normal: { median: 800B, p99: 3900B } }",
        /// Share of reads that want another institution's records.
        elsewhere: At<Share> = "10%",
        /// Share of visits that are emergencies.
        emergency: At<Share> = "1%",
        /// Who reads, and for what.
        readers: ReaderKeys = "{}",
        /// Types of the records that are written, by lot; observations if left out. Recorded ones have their own.
        types: Option<Words>,
        /// Recorded visits to replay.
        source: Option<SourceRef>,
    }
    main "service";
    later "detailed";
}

record! {
    /// `readers`: who reads is drawn for each visit.
    pub struct ReaderKeys {
        /// What they are; doctors if left out.
        roles: Option<Words>,
        /// How many people of each role there are at an institution.
        each: At<Count> = "1",
        /// What they read for, if it is no emergency; treatment if left out.
        purposes: Option<Words>,
    }
    main "roles";
}

record! {
    /// Options of `consents`: the weights of the three.
    pub struct Consents {
        /// A service of `data-sharing`.
        service: At<Name> = "data-sharing",
        /// Grants without a request.
        grant: At<Share> = "50%",
        /// Denials without a request.
        deny: At<Share> = "20%",
        /// Revocations.
        revoke: At<Share> = "30%",
        /// Share of the operations by which patients appoint and dismiss delegates, and these speak for them.
        delegate: At<Share> = "0%",
        /// The same of guardians of minors.
        guardian: At<Share> = "0%",
    }
    main "service";
    later "opt_out" "source";
}

record! {
    /// Options of `audits`.
    pub struct Audits {
        /// A service of `data-sharing`.
        service: At<Name> = "data-sharing",
    }
    main "service";
}

choice! {
    /// A distribution of sizes.
    pub enum RecordSize: "distribution of sizes" {
        /// Always the same.
        Constant(At<Bytes>) = "constant",
        /// Log-normal by median and 99th percentile.
        LogNormal(LogNormalSize) = "log-normal",
    }
    main "constant";
}

record! {
    /// `log-normal` of sizes.
    pub struct LogNormalSize {
        /// Half of the draws are below.
        median: At<Bytes>,
        /// 99 % of the draws are below.
        p99: At<Bytes>,
    }
}

words! {
    /// How recorded visits are spread over the run.
    pub enum Spacing: "spacing" {
        /// In their order, spread over the day profile.
        Ranked = "ranked",
        /// In proportion to their recorded distances.
        Scaled = "scaled",
    }
}

record! {
    /// A data source.
    pub struct SourceRef {
        /// Which.
        path: At<String>,
        /// How recorded visits are spread.
        spacing: At<Spacing> = "ranked",
    }
    main "path";
    later "speed" "repeat" "limit" "assign";
}
