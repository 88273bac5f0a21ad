//! Selectors: which nodes are meant.

use super::number::split;
use super::quantity::{Name, RESERVED};
use super::{Count, MAX_VALUE, Share, Value, ValueError};
use std::fmt;
use std::ops::Range;

/// A word of a selector with its place in the text, in bytes.
#[derive(Clone, Debug)]
pub struct Word {
    /// The word.
    pub text: String,
    /// Where it stands.
    pub at: Range<usize>,
}

impl PartialEq for Word {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}
impl Eq for Word {}

/// How many of a set, and which.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Pick {
    /// All of it.
    All,
    /// The first, in node order.
    First(Counted),
    /// Drawn by the entry's own stream.
    Random(Counted),
    /// Who leads the chain when the window opens.
    Leader,
    /// Whoever leads the chain at each moment of the window.
    Leaders,
}

/// A number of nodes with its place in the text, in bytes.
#[derive(Clone, Debug)]
pub struct Counted {
    /// How many.
    pub quantity: Quantity,
    /// Where it stands.
    pub at: Range<usize>,
}

impl PartialEq for Counted {
    fn eq(&self, other: &Self) -> bool {
        self.quantity == other.quantity
    }
}
impl Eq for Counted {}

/// A number of nodes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Quantity {
    /// As many.
    Number(u64),
    /// This share of the set, rounded up.
    Share(Share),
    /// `f` of the chain that the set names, and more: `times * f + plus`.
    Faulty {
        /// How often f.
        times: u64,
        /// And so many more.
        plus: u64,
    },
    /// floor((n-1)/2).
    Minority,
    /// floor(n/2) + 1.
    Majority,
    /// What the chain's protocol needs.
    Quorum,
}

/// Where a selector chooses from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Set {
    /// Every node.
    All,
    /// No node.
    None,
    /// A group, an institution, a node, or a chain's members.
    Name(Word),
    /// From one institution to another of the same group.
    Span(Word, Word),
    /// All of one `tier`, `region`, `role`, `site`, `rack`, `power`, `relay`, `alliance` or `version`.
    Kind(Word, Word),
}

/// A selector: one pick of one set, in a region, without some.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Selector {
    /// How many and which.
    pub pick: Pick,
    /// Of what.
    pub set: Set,
    /// Only those in this region.
    pub region: Option<Word>,
    /// Without these.
    pub except: Option<Set>,
}

const KINDS: [&str; 9] = [
    "tier", "region", "role", "site", "rack", "power", "relay", "alliance", "version",
];

struct Words<'a> {
    text: &'a str,
    list: Vec<Word>,
    next: usize,
}

impl<'a> Words<'a> {
    fn new(text: &'a str) -> Self {
        let list = text
            .split_whitespace()
            .map(|word| {
                let from = word.as_ptr().addr() - text.as_ptr().addr();
                Word {
                    text: word.to_owned(),
                    at: from..from + word.len(),
                }
            })
            .collect();
        Self {
            text,
            list,
            next: 0,
        }
    }
    fn peek(&self, ahead: usize) -> Option<&str> {
        self.list.get(self.next + ahead).map(|w| w.text.as_str())
    }
    fn take(&mut self) -> Option<Word> {
        let word = self.list.get(self.next).cloned();
        self.next += 1;
        word
    }
    fn eat(&mut self, word: &str) -> bool {
        let here = self.peek(0) == Some(word);
        self.next += usize::from(here);
        here
    }
    fn wrong(&self, expected: &str) -> ValueError {
        let at = self.list.get(self.next).map_or_else(
            || self.text.len().saturating_sub(1)..self.text.len(),
            |w| w.at.clone(),
        );
        let found = self
            .peek(0)
            .map_or_else(|| "the end".to_owned(), |w| format!("`{w}`"));
        ValueError::new(
            "E111",
            format!("{expected} is expected here, not {found}"),
            "for example `leader of alliance`, `3 of community`, `random 2 of community in region shenzhen`, `all except supervision`",
        )
        .at(at)
    }
    fn set(&mut self) -> Result<Set, ValueError> {
        let Some(first) = self.peek(0).map(str::to_owned) else {
            return Err(self.wrong("a name"));
        };
        match first.as_str() {
            "all" => {
                self.next += 1;
                return Ok(Set::All);
            }
            "none" => {
                self.next += 1;
                return Ok(Set::None);
            }
            _ => {}
        }
        // `alliance`, `version`, `rack` and `power` are also names that a chain or a group may have.
        let named = !RESERVED.contains(&first.as_str())
            && matches!(self.peek(1), None | Some("in" | "except"));
        if KINDS.contains(&first.as_str()) && !named {
            let kind = self.take();
            return match (kind, self.take()) {
                (Some(kind), Some(name)) => Ok(Set::Kind(kind, name)),
                _ => Err(self.wrong("a name")),
            };
        }
        let plain = |text: &str| {
            let text = text.split_once('@').map_or(text, |(chain, _)| chain);
            let node = text
                .split_once('.')
                .map_or(text, |(institution, _)| institution);
            Name::parse(node).is_ok()
        };
        let Some(word) = self.take() else {
            return Err(self.wrong("a name"));
        };
        if let Some((from, to)) = word.text.split_once("..") {
            let middle = word.at.start + from.len();
            if plain(from) && plain(to) {
                let first = Word {
                    text: from.to_owned(),
                    at: word.at.start..middle,
                };
                let last = Word {
                    text: to.to_owned(),
                    at: middle + 2..word.at.end,
                };
                return Ok(Set::Span(first, last));
            }
        } else if plain(&word.text) {
            return Ok(Set::Name(word));
        }
        self.next -= 1;
        Err(self.wrong("a name"))
    }
    fn counted(&mut self) -> Option<Counted> {
        let word = self.list.get(self.next)?;
        let text = word.text.as_str();
        let quantity = match text {
            "one" => Quantity::Number(1),
            "f" => Quantity::Faulty { times: 1, plus: 0 },
            "f+1" => Quantity::Faulty { times: 1, plus: 1 },
            "2f+1" => Quantity::Faulty { times: 2, plus: 1 },
            "minority" => Quantity::Minority,
            "majority" => Quantity::Majority,
            "quorum" => Quantity::Quorum,
            _ if split(text).1.is_empty() => Quantity::Number(Count::parse(text).ok()?.0),
            _ => Quantity::Share(Share::parse(text).ok()?),
        };
        let at = word.at.clone();
        self.next += 1;
        Some(Counted { quantity, at })
    }
    fn pick(&mut self) -> Result<Pick, ValueError> {
        let pick = match (self.peek(0), self.peek(1)) {
            (Some("leader"), _) => {
                self.next += 1;
                Pick::Leader
            }
            (Some("leaders"), _) => {
                self.next += 1;
                Pick::Leaders
            }
            (Some("random"), _) => {
                self.next += 1;
                Pick::Random(self.counted().ok_or_else(|| self.wrong("a number"))?)
            }
            (Some(_), Some("of")) => {
                Pick::First(self.counted().ok_or_else(|| self.wrong("a number"))?)
            }
            _ => return Ok(Pick::All),
        };
        if self.eat("of") {
            Ok(pick)
        } else {
            Err(self.wrong("`of`"))
        }
    }
}

impl Value for Selector {
    const FORM: &'static str = "a selector";
    const EXAMPLES: &'static str = "leader of alliance, 3 of community or region guangzhou";
    fn parse(text: &str) -> Result<Self, ValueError> {
        if text.len() > MAX_VALUE {
            return Err(ValueError::new(
                "E107",
                format!("a selector of {} characters", text.len()),
                "a selector has at most 256 characters; write a list of several",
            ));
        }
        let mut words = Words::new(text);
        let pick = words.pick()?;
        let set = words.set()?;
        let region = if words.eat("in") {
            if !words.eat("region") {
                return Err(words.wrong("`region`"));
            }
            Some(words.take().ok_or_else(|| words.wrong("a region"))?)
        } else {
            None
        };
        let except = if words.eat("except") {
            Some(words.set()?)
        } else {
            None
        };
        if words.peek(0).is_some() {
            return Err(words.wrong("the end"));
        }
        Ok(Self {
            pick,
            set,
            region,
            except,
        })
    }
    fn text(&self) -> String {
        self.to_string()
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(n) => write!(f, "{n}"),
            Self::Share(share) => f.write_str(&share.text()),
            Self::Faulty { times, plus } => {
                if *times > 1 {
                    write!(f, "{times}")?;
                }
                f.write_str("f")?;
                if *plus > 0 {
                    write!(f, "+{plus}")?;
                }
                Ok(())
            }
            Self::Minority => f.write_str("minority"),
            Self::Majority => f.write_str("majority"),
            Self::Quorum => f.write_str("quorum"),
        }
    }
}

impl fmt::Display for Set {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all"),
            Self::None => f.write_str("none"),
            Self::Name(name) => f.write_str(&name.text),
            Self::Span(from, to) => write!(f, "{}..{}", from.text, to.text),
            Self::Kind(kind, name) => write!(f, "{} {}", kind.text, name.text),
        }
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.pick {
            Pick::All => {}
            Pick::First(n) => write!(f, "{} of ", n.quantity)?,
            Pick::Random(n) => write!(f, "random {} of ", n.quantity)?,
            Pick::Leader => f.write_str("leader of ")?,
            Pick::Leaders => f.write_str("leaders of ")?,
        }
        write!(f, "{}", self.set)?;
        if let Some(region) = &self.region {
            write!(f, " in region {}", region.text)?;
        }
        if let Some(except) = &self.except {
            write!(f, " except {except}")?;
        }
        Ok(())
    }
}
