//! Words out of a registry that are looked up later: an editor can offer them.

use super::decode::{At, Cx, Decode};
use super::lists::Words;
use super::shape::{Form, Lists, Shape};
use crate::profiles;
use crate::registries::check_names;
use crate::tree::Node;
use std::marker::PhantomData;
use std::ops::Deref;

/// A registry of words.
pub(crate) trait Registry {
    /// What its words look like.
    fn form() -> Form;
}

/// A value that consists of words of a registry.
#[derive(Clone, Debug)]
pub(crate) struct Registered<R, T = At<String>> {
    value: T,
    registry: PhantomData<R>,
}

impl<R, T> Deref for Registered<R, T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.value
    }
}

impl<R: Registry, T: Decode> Decode for Registered<R, T> {
    fn shape() -> Shape {
        Shape::Scalar(R::form())
    }
    fn decode(cx: &mut Cx, node: &Node) -> Option<Self> {
        Some(Self {
            value: T::decode(cx, node)?,
            registry: PhantomData,
        })
    }
}

/// Profiles of a key, or one in a file.
fn profile(folder: &str) -> Form {
    Form {
        name: "a profile",
        words: profiles::names(folder),
        pattern: "file:.+".into(),
        ..Form::of::<String>()
    }
}

/// Tables of delays between regions.
#[derive(Clone, Debug)]
pub(crate) enum RegionTables {}
impl Registry for RegionTables {
    fn form() -> Form {
        profile("regions")
    }
}

/// Profiles of the day.
#[derive(Clone, Debug)]
pub(crate) enum Days {}
impl Registry for Days {
    fn form() -> Form {
        profile("day")
    }
}

/// Names of checks, in a list.
#[derive(Clone, Debug)]
pub(crate) enum CheckNames {}
impl Registry for CheckNames {
    fn form() -> Form {
        Form {
            words: check_names(),
            ..Form::of::<String>().several("a list of checks", Lists::Only)
        }
    }
}

/// A list of names of checks.
pub(crate) type CheckList = Registered<CheckNames, Words>;
