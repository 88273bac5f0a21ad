//! What a grant comprises: of which types of resources, for which purposes, for whom at the
//! institution, and from when on. The institution is the [`Grantee`](super::ids::Grantee), the end
//! is the grant's own; a read is permitted if it lies within all of these.

use super::ids::Purpose;
use consim_core::{CodecError, Decoder, Encoder, NodeId};

macro_rules! coded {
    (
        $(#[doc = $about:literal])+
        pub enum $name:ident { $($(#[doc = $help:literal])+ $variant:ident = $code:literal $word:literal),* $(,)? }
    ) => {
        $(#[doc = $about])+
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
        pub enum $name { #[default] $($(#[doc = $help])+ $variant),* }

        impl $name {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// Its word.
            pub const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),* }
            }
            /// The byte on the wire, below 32.
            pub const fn code(self) -> u8 {
                match self { $(Self::$variant => $code),* }
            }
            /// What a byte stands for.
            pub fn of_code(code: u8) -> Result<Self, CodecError> {
                match code { $($code => Ok(Self::$variant),)* other => Err(CodecError::Tag(other)) }
            }
            /// What a word stands for.
            pub fn of_word(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.word() == word)
            }
        }
    };
}

coded! {
    /// The type of a record, as the chain states it: the commoner resource types of FHIR R4.
    pub enum ResourceType {
        /// The chain does not say: nobody's consent depends on it.
        Unstated = 0 "unstated",
        /// A measurement or finding.
        Observation = 1 "Observation",
        /// A problem or diagnosis.
        Condition = 2 "Condition",
        /// A report of the laboratory or radiology.
        DiagnosticReport = 3 "DiagnosticReport",
        /// A prescription.
        MedicationRequest = 4 "MedicationRequest",
        /// An operation or treatment.
        Procedure = 5 "Procedure",
        /// A visit or stay.
        Encounter = 6 "Encounter",
        /// An allergy.
        AllergyIntolerance = 7 "AllergyIntolerance",
        /// A vaccination.
        Immunization = 8 "Immunization",
        /// A document.
        DocumentReference = 9 "DocumentReference",
        /// Pictures.
        ImagingStudy = 10 "ImagingStudy",
        /// A plan of care.
        CarePlan = 11 "CarePlan",
        /// Any other type.
        Other = 12 "other",
    }
}

coded! {
    /// What somebody is at an institution.
    pub enum Role {
        /// A physician.
        Doctor = 0 "doctor",
        /// A nurse.
        Nurse = 1 "nurse",
        /// A pharmacist.
        Pharmacist = 2 "pharmacist",
        /// Somebody of the administration.
        Clerk = 3 "clerk",
        /// Somebody who does research.
        Researcher = 4 "researcher",
    }
}

impl ResourceType {
    /// The type that a JSON document of FHIR says it has: the text of `resourceType` of its outermost
    /// object.
    pub fn of_json(body: &[u8]) -> Self {
        const KEY: &[u8] = b"resourceType";
        let (mut depth, mut at) = (0u32, 0);
        // The last text at the outermost level, and whether a colon followed it.
        let mut key: Option<&[u8]> = None;
        let mut named = false;
        while let Some(&byte) = body.get(at) {
            at += 1;
            match byte {
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth = depth.saturating_sub(1),
                b':' if depth == 1 => named = key.take() == Some(KEY),
                b',' if depth == 1 => (key, named) = (None, false),
                b'"' => {
                    let from = at;
                    while let Some(&inner) = body.get(at)
                        && inner != b'"'
                    {
                        at += 1 + usize::from(inner == b'\\');
                    }
                    let text = body.get(from..at).unwrap_or_default();
                    at += 1;
                    if depth == 1 && named {
                        let word = std::str::from_utf8(text).unwrap_or_default();
                        return Self::of_word(word).unwrap_or(Self::Other);
                    }
                    if depth == 1 {
                        key = Some(text);
                    }
                }
                _ => {}
            }
        }
        Self::Other
    }
}

/// Somebody at an institution who wants to read.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Reader {
    /// What they are.
    pub role: Role,
    /// Their number among those of that role there.
    pub person: u16,
}

/// A mark in the byte of the purpose: who reads is told after it.
const NAMED: u8 = 0x80;

impl Reader {
    /// The length of purpose and reader.
    pub fn encoded_len(self) -> usize {
        if self == Self::default() { 1 } else { 4 }
    }
    /// Writes what somebody reads for, and who that is: the first doctor is not named.
    pub fn encode(self, purpose: Purpose, e: &mut Encoder<'_>) {
        if self == Self::default() {
            e.u8(purpose.code());
        } else {
            let code = NAMED | purpose.code();
            e.u8(code).u8(self.role.code()).u16(self.person);
        }
    }
    /// Reads that.
    pub fn decode(d: &mut Decoder<'_>) -> Result<(Purpose, Self), CodecError> {
        let code = d.u8()?;
        if code & NAMED == 0 {
            return Ok((Purpose::of_code(code)?, Self::default()));
        }
        let purpose = Purpose::of_code(code & !NAMED)?;
        let role = Role::of_code(d.u8()?)?;
        let person = d.u16()?;
        let reader = Self { role, person };
        if reader == Self::default() {
            return Err(CodecError::Invalid("reader"));
        }
        Ok((purpose, reader))
    }
}

/// A read as a consent looks at it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Use {
    /// Which institution asks.
    pub requester: NodeId,
    /// Who there.
    pub reader: Reader,
    /// What for.
    pub purpose: Purpose,
    /// Of which type the record is; `None` asks whether any may be read.
    pub of: Option<ResourceType>,
}

/// For whom at the institution a grant is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub enum Who {
    /// Everybody there.
    #[default]
    Anybody,
    /// Those of a role.
    Role(Role),
    /// One person.
    Person(Reader),
}

impl Who {
    fn comprises(self, reader: Reader) -> bool {
        match self {
            Self::Anybody => true,
            Self::Role(role) => role == reader.role,
            Self::Person(person) => person == reader,
        }
    }
}

/// What a grant comprises.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Scope {
    /// Types of resources: a bit for each, by its code.
    types: u32,
    /// Purposes: a bit for each, by its code.
    purposes: u32,
    /// For whom.
    pub who: Who,
    /// From when on, nanoseconds after the Unix epoch.
    pub from_ns: i64,
}

impl Default for Scope {
    /// All records, for treatment and in emergencies, by whoever is there, at once.
    fn default() -> Self {
        Self {
            types: u32::MAX,
            purposes: bits([Purpose::Treatment, Purpose::Emergency].map(Purpose::code)),
            who: Who::Anybody,
            from_ns: i64::MIN,
        }
    }
}

fn bits(codes: impl IntoIterator<Item = u8>) -> u32 {
    codes
        .into_iter()
        .fold(0, |set, code| set | 1 << (code & 31))
}

impl Scope {
    /// The same, of these types alone.
    #[must_use]
    pub fn of_types(mut self, types: &[ResourceType]) -> Self {
        self.types = bits(types.iter().map(|kind| kind.code()));
        self
    }
    /// The same, for these purposes.
    #[must_use]
    pub fn for_purposes(mut self, purposes: &[Purpose]) -> Self {
        self.purposes = bits(purposes.iter().map(|purpose| purpose.code()));
        self
    }
    /// The same, for these people.
    #[must_use]
    pub fn for_whom(self, who: Who) -> Self {
        Self { who, ..self }
    }
    /// The same, from then on.
    #[must_use]
    pub fn from(self, from_ns: i64) -> Self {
        Self { from_ns, ..self }
    }
    /// Is it narrowed to some types?
    pub fn has_types(&self) -> bool {
        self.types != u32::MAX
    }
    /// The types that it is narrowed to; none if it is not.
    pub fn types(&self) -> Vec<ResourceType> {
        let all = ResourceType::ALL.iter().copied();
        let narrowed = self.has_types();
        all.filter(|kind| narrowed && self.types & bits([kind.code()]) != 0)
            .collect()
    }
    /// Its purposes.
    pub fn purposes(&self) -> Vec<Purpose> {
        let all = Purpose::ALL.iter().copied();
        all.filter(|purpose| self.purposes & bits([purpose.code()]) != 0)
            .collect()
    }
    /// Does it comprise nothing that `outer` does not?
    pub fn lies_within(&self, outer: &Self) -> bool {
        let who = match (self.who, outer.who) {
            (_, Who::Anybody) => true,
            (Who::Person(one), Who::Role(role)) => one.role == role,
            (inner, outer) => inner == outer,
        };
        self.types & !outer.types == 0
            && self.purposes & !outer.purposes == 0
            && who
            && self.from_ns >= outer.from_ns
    }
    /// Does a use lie within it, whenever it is?
    pub fn comprises(&self, wanted: &Use) -> bool {
        wanted
            .of
            .is_none_or(|of| self.types & bits([of.code()]) != 0)
            && self.purposes & bits([wanted.purpose.code()]) != 0
            && self.who.comprises(wanted.reader)
    }
    /// The length of a scope that is written; nothing is written of the default.
    pub fn encoded_len(&self) -> usize {
        if *self == Self::default() {
            0
        } else {
            4 + 4 + 8 + 1 + 1 + 2
        }
    }
    /// Writes it at the end of something; nothing if it is the default.
    pub fn encode(&self, e: &mut Encoder<'_>) {
        if *self == Self::default() {
            return;
        }
        let (tag, reader) = match self.who {
            Who::Anybody => (0, Reader::default()),
            Who::Role(role) => (1, Reader { role, person: 0 }),
            Who::Person(reader) => (2, reader),
        };
        e.u32(self.types)
            .u32(self.purposes)
            .u64(self.from_ns as u64)
            .u8(tag)
            .u8(reader.role.code())
            .u16(reader.person);
    }
    /// Reads what is left of something.
    pub fn decode(d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        if d.remaining() == 0 {
            return Ok(Self::default());
        }
        let (types, purposes) = (d.u32()?, d.u32()?);
        let from_ns = d.u64()?.cast_signed();
        let (tag, role, person) = (d.u8()?, Role::of_code(d.u8()?)?, d.u16()?);
        let reader = Reader { role, person };
        let who = match tag {
            0 if reader == Reader::default() => Who::Anybody,
            1 if person == 0 => Who::Role(role),
            2 => Who::Person(reader),
            0 | 1 => return Err(CodecError::Invalid("scope")),
            tag => return Err(CodecError::Tag(tag)),
        };
        let scope = Self {
            types,
            purposes,
            who,
            from_ns,
        };
        if scope == Self::default() {
            return Err(CodecError::Invalid("scope"));
        }
        Ok(scope)
    }
}

impl ResourceType {
    /// Writes it at the end of something, if the chain is to say it.
    pub(super) fn encode(self, e: &mut Encoder<'_>) {
        if self != Self::Unstated {
            e.u8(self.code());
        }
    }
    /// Reads what is left of something.
    pub(super) fn decode(d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        if d.remaining() == 0 {
            return Ok(Self::Unstated);
        }
        match Self::of_code(d.u8()?)? {
            Self::Unstated => Err(CodecError::Invalid("resource type")),
            kind => Ok(kind),
        }
    }
}

#[cfg(test)]
mod tests;
