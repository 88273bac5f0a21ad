//! The claims of the paper that this project judges (Guo and Tan, "Research on the Sustainability of Medical Services based on
//! Blockchain Technology"), in our words. What is expected of each stands in its scenario, scenarios/claims/.

/// A claim of the paper.
#[derive(Clone, Copy, Debug)]
pub struct PaperClaim {
    /// Its name.
    pub name: &'static str,
    /// The section that makes it.
    pub section: &'static str,
    /// What it says.
    pub says: &'static str,
}

macro_rules! claims {
    ($($name:literal $section:literal $says:literal;)*) => {
        &[$(PaperClaim { name: $name, section: $section, says: $says },)*]
    };
}

/// All of them, by number.
pub const PAPER_CLAIMS: &[PaperClaim] = claims![
    "claim-1" "5.1.1" "Where all data is in one place, one failure takes it; a chain does not lose it.";
    "claim-2" "5.1.1" "A cloud does not keep data from being tampered with.";
    "claim-3" "5.1.2.1" "What is recorded under mutual supervision cannot be changed unseen by a few.";
    "claim-4" "5.1.2.1" "A shared ledger makes reconciling the books of many parties simple.";
    "claim-5" "5.1.2.1" "Records are shared more accurately and more efficiently.";
    "claim-6" "5.1.2.1" "Contracts make sharing more convenient and secure.";
    "claim-7" "5.1.2.1" "A chain of many nodes makes the use of data much more efficient.";
    "claim-8" "5.1.2.1" "A hash shows whether a record is what was recorded.";
    "claim-9" "5.1.2.1" "When, where and by whom data was used can be traced quickly.";
    "claim-10" "5.1.2.1" "What one node enters does not affect the others.";
    "claim-11" "5.1.2.1" "Heterogeneous chains become one network.";
    "claim-12" "5.1.2.1" "Raw data may stay at home: little of it on the chain is enough.";
    "claim-13" "5.1.2.1" "A query is forwarded to the provider of the data, which answers.";
    "claim-14" "5.1.2.1" "Detailed data between two parties is safe if it is intercepted.";
    "claim-15" "5.1.2.1" "Plans of the provider restrict who gets data that is not open.";
    "claim-16" "5.1.2.2" "Only authenticated nodes take part.";
    "claim-17" "5.1.2.2" "Consensus keeps the ledger from being tampered with.";
    "claim-18" "5.1.2.2" "Nothing is done twice by being asked twice.";
    "claim-19" "5.1.2.2" "All authorised nodes share one ledger.";
    "claim-20" "5.1.2.2" "The platform relieves the back ends of overloaded systems.";
    "claim-21" "5.1.2.2" "Storage and maintenance become efficient.";
    "claim-22" "5.1.2.2" "Attacks by malicious nodes are resisted.";
    "claim-37" "5.1.2.4" "A patient consents before anything of theirs goes on the chain.";
    "claim-38" "5.1.2.4" "A patient takes an authorisation back at any time.";
    "claim-50" "5.2" "Sharing works across different medical alliances.";
    "claim-53" "1" "Islands of information are joined.";
];

/// The claim of the paper with this name.
pub fn paper_claim(name: &str) -> Option<&'static PaperClaim> {
    PAPER_CLAIMS.iter().find(|claim| claim.name == name)
}
