//! The registry macros: a key, a choice or a kind is written once, with its words; type, decoder,
//! shape, suggestions and lists follow from that line.

/// `Some(x)` of something, `None` of nothing.
macro_rules! maybe {
    () => {
        None
    };
    ($value:expr) => {
        Some($value)
    };
}
pub(crate) use maybe;

/// The version given, or the first.
macro_rules! since {
    () => {
        $crate::schema::shape::FIRST_VERSION
    };
    ($since:literal) => {
        $since
    };
}
pub(crate) use since;

/// The key of a field: its name, without the mark of a raw identifier.
pub(crate) const fn key(name: &'static str) -> &'static str {
    match name.as_bytes() {
        [b'r', b'#', ..] => name.split_at(2).1,
        _ => name,
    }
}

/// A map with fixed keys.
///
/// `key: Type = "text"` has the default that the text stands for; a key without one may be
/// missing if its type says what that means. A key that came later than the first version has that
/// version in front: `@"0.2.0" key: Type`. Keys after `beside` are read elsewhere.
macro_rules! record {
    (
        $(#[doc = $about:literal])+
        pub struct $name:ident {
            $( $(#[doc = $help:literal])+ $(@$since:literal)? $key:ident : $ty:ty $(= $default:literal)?, )*
        }
        $(main $main:literal;)?
        $(beside $($beside:literal)+;)?
        $(later $($later:literal)+;)?
    ) => {
        $(#[doc = $about])+
        #[derive(Clone, Debug)]
        pub(crate) struct $name {
            $( $(#[doc = $help])+ pub(crate) $key: $ty, )*
        }

        impl $name {
            pub(crate) const KEYS: $crate::schema::decode::Keys = $crate::schema::decode::Keys {
                main: $crate::schema::macros::maybe!($($main)?),
                known: &[$( $crate::schema::macros::key(stringify!($key)) ),*],
                beside: &[$($($beside),+)?],
                later: &[$($($later),+)?],
            };
            /// The common part of an entry, and any record.
            pub(crate) fn decode_fields(
                cx: &mut $crate::schema::decode::Cx,
                map: &$crate::tree::Node,
            ) -> Option<Self> {
                $(
                    let $key = cx.field::<$ty>(
                        map,
                        $crate::schema::macros::key(stringify!($key)),
                        $crate::schema::macros::maybe!($($default)?),
                    );
                )*
                Some(Self { $( $key: $key?, )* })
            }
            pub(crate) fn record() -> $crate::schema::shape::Record {
                $crate::schema::shape::Record {
                    main: Self::KEYS.main,
                    fields: vec![$(
                        $crate::schema::shape::Field {
                            name: $crate::schema::macros::key(stringify!($key)),
                            help: concat!($($help),+),
                            shape: <$ty as $crate::schema::decode::Decode>::shape(),
                            default: $crate::schema::macros::maybe!($($default)?),
                            required: <$ty as $crate::schema::decode::Decode>::absent().is_none()
                                && Option::<&str>::is_none(&$crate::schema::macros::maybe!($($default)?)),
                            since: $crate::schema::macros::since!($($since)?),
                        },
                    )*],
                    later: Self::KEYS.later,
                }
            }
        }

        impl $crate::schema::decode::Decode for $name {
            fn shape() -> $crate::schema::shape::Shape {
                $crate::schema::shape::Shape::Record(Self::record())
            }
            fn decode(
                cx: &mut $crate::schema::decode::Cx,
                node: &$crate::tree::Node,
            ) -> Option<Self> {
                let map = cx.open(node, &Self::KEYS)?;
                Self::decode_fields(cx, &map)
            }
        }
    };
}
pub(crate) use record;

/// One name out of a registry, with its options under it.
///
/// `main` names the variant that a bare value stands for which is no name itself. Names after
/// `later` are part of the language but not of this version; options after one are known to be its.
macro_rules! choice {
    (
        $(#[doc = $about:literal])+
        pub enum $name:ident: $noun:literal {
            $( $(#[doc = $help:literal])+ $(@$since:literal)? $variant:ident($ty:ty) = $word:literal $($code:literal)?, )*
        }
        $(main $main:literal;)?
        $(later $($later:literal)+;)?
    ) => {
        $(#[doc = $about])+
        #[derive(Clone, Debug)]
        #[allow(clippy::large_enum_variant, reason = "a scenario holds few of them")]
        pub(crate) enum $name {
            $( $(#[doc = $help])+ $variant($ty), )*
        }

        impl $name {
            const NAMES: $crate::schema::choose::Names = $crate::schema::choose::Names {
                noun: $noun,
                main: $crate::schema::macros::maybe!($($main)?),
                known: &[$($word),*],
                later: &[$($($later),+)?],
            };
            fn decode_variant(
                cx: &mut $crate::schema::decode::Cx,
                word: &str,
                node: &$crate::tree::Node,
            ) -> Option<Self> {
                match word {
                    $(
                        $word => <$ty as $crate::schema::decode::Decode>::decode(cx, node)
                            .map(Self::$variant),
                    )*
                    _ => None,
                }
            }
            fn choice() -> $crate::schema::shape::Choice {
                $crate::schema::shape::Choice {
                    main: Self::NAMES.main,
                    variants: vec![$(
                        $crate::schema::shape::Variant {
                            name: $word,
                            code: concat!($($code)?),
                            help: concat!($($help),+),
                            shape: <$ty as $crate::schema::decode::Decode>::shape(),
                            since: $crate::schema::macros::since!($($since)?),
                        },
                    )*],
                    later: Self::NAMES.later,
                }
            }
        }

        impl $crate::schema::decode::Decode for $name {
            fn shape() -> $crate::schema::shape::Shape {
                $crate::schema::shape::Shape::Choice(Self::choice())
            }
            fn decode(
                cx: &mut $crate::schema::decode::Cx,
                node: &$crate::tree::Node,
            ) -> Option<Self> {
                let (key, options) = cx.choose(node, &Self::NAMES)?;
                cx.chosen(&key, Self::choice, |cx| {
                    Self::decode_variant(cx, &key.text, &options)
                })
            }
        }
    };
}
pub(crate) use choice;

/// Common keys plus exactly one kind.
macro_rules! entry {
    (
        $(#[doc = $about:literal])+
        pub struct $name:ident { common: $common:ident, kind: $kind:ident }
    ) => {
        $(#[doc = $about])+
        #[derive(Clone, Debug)]
        pub(crate) struct $name {
            /// The keys that every kind has.
            pub(crate) common: $common,
            /// What it is.
            pub(crate) kind: $kind,
        }

        impl $crate::schema::decode::Decode for $name {
            fn shape() -> $crate::schema::shape::Shape {
                $crate::schema::shape::Shape::Entry($crate::schema::shape::Entry {
                    common: $common::record(),
                    kinds: $kind::choice(),
                })
            }
            fn decode(
                cx: &mut $crate::schema::decode::Cx,
                node: &$crate::tree::Node,
            ) -> Option<Self> {
                let kind = cx.kind(node, &$common::KEYS, &$kind::NAMES, $kind::choice);
                let common = matches!(node.value, $crate::tree::Value::Map(_))
                    .then(|| $common::decode_fields(cx, node))
                    .flatten();
                let (key, options) = kind?;
                let kind = cx.chosen(&key, $kind::choice, |cx| {
                    $kind::decode_variant(cx, &key.text, &options)
                })?;
                Some(Self {
                    common: common?,
                    kind,
                })
            }
        }
    };
}
pub(crate) use entry;

/// A closed list of words: a value, not a choice with options.
macro_rules! words {
    (
        $(#[doc = $about:literal])+
        pub enum $name:ident: $noun:literal {
            $( $(#[doc = $help:literal])+ $variant:ident = $word:literal, )*
        }
    ) => {
        $(#[doc = $about])+
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
        pub(crate) enum $name {
            $( $(#[doc = $help])+ $variant, )*
        }

        impl $name {
            /// The word.
            pub(crate) const fn word(self) -> &'static str {
                match self {
                    $( Self::$variant => $word, )*
                }
            }
        }

        impl consim_core::values::Value for $name {
            const FORM: &'static str = concat!("a ", $noun);
            const EXAMPLES: &'static str = concat!($($word, " "),*);
            const WORDS: &'static [&'static str] = &[$($word),*];
            fn parse(text: &str) -> Result<Self, consim_core::values::ValueError> {
                match text {
                    $( $word => Ok(Self::$variant), )*
                    _ => Err(consim_core::values::ValueError {
                        code: "E202",
                        message: format!("no {} is called `{text}`", $noun),
                        help: $crate::schema::shape::suggestion(text, &[$($word),*]),
                        part: None,
                    }),
                }
            }
            fn text(&self) -> String {
                self.word().to_owned()
            }
        }
    };
}
pub(crate) use words;
