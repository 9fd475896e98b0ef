//! JSONPaths that are looked up in one pass over a body, which keeps nothing but what they find: responses are many, and
//! most of a body is not what a path is after. Paths of names and wildcards are such; the others take the whole body.
//!
//! Of members that are there twice, each counts. A body that is no JSON has nothing.

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::value::RawValue;
use std::fmt;

/// Paths, as a tree of their steps.
#[derive(Debug)]
pub(super) struct Paths {
    /// The root first. Positions in a body are sets of these, as bits.
    nodes: Vec<Node>,
    count: usize,
}

/// Steps that lead on from a value.
#[derive(Debug, Default)]
struct Node {
    names: Vec<(String, usize)>,
    any: Option<usize>,
    /// Paths that end here.
    ends: Vec<usize>,
}

/// Nodes that a value is at, all at once: a name and a wildcard may both lead to it.
type At = u64;

const ROOT: At = 1;

/// A step of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The member of this name.
    Name(String),
    /// Every member or element.
    Any,
}

impl Default for Paths {
    fn default() -> Self {
        Self { nodes: vec![Node::default()], count: 0 }
    }
}

impl Paths {
    /// Adds a path, and gives its place among what is found; none where there are too many steps to look at together.
    pub(super) fn add(&mut self, steps: &[Step]) -> Option<usize> {
        if self.nodes.len() + steps.len() > At::BITS as usize {
            return None;
        }
        let mut at = 0;
        for step in steps {
            let new = self.nodes.len();
            let node = &mut self.nodes[at];
            let next = match step {
                Step::Any => *node.any.get_or_insert(new),
                Step::Name(name) => match node.names.iter().find(|(known, _)| known == name) {
                    Some((_, next)) => *next,
                    None => {
                        node.names.push((name.clone(), new));
                        new
                    }
                },
            };
            if next == new {
                self.nodes.push(Node::default());
            }
            at = next;
        }
        let path = self.count;
        self.nodes[at].ends.push(path);
        self.count += 1;
        Some(path)
    }

    /// True if there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Values that each path finds in a body, by its place, as they came; none if it is no JSON.
    pub(super) fn look<'b>(&self, body: &'b [u8]) -> Option<Vec<Vec<&'b RawValue>>> {
        let mut found = vec![Vec::new(); self.count];
        if self.count > 0 {
            let mut json = serde_json::Deserializer::from_slice(body);
            let look = Look { paths: self, at: ROOT, found: &mut found };
            look.deserialize(&mut json).and_then(|()| json.end()).ok()?;
        }
        Some(found)
    }

    fn nodes(&self, at: At) -> impl Iterator<Item = &Node> {
        self.nodes.iter().enumerate().filter(move |(n, _)| at & (1 << n) != 0).map(|(_, node)| node)
    }

    fn member(&self, at: At, name: &str) -> At {
        self.nodes(at).fold(0, |to, node| {
            let named = node.names.iter().find(|(known, _)| known == name).map(|(_, next)| *next);
            [named, node.any].into_iter().flatten().fold(to, |to, next| to | 1 << next)
        })
    }

    fn element(&self, at: At) -> At {
        self.nodes(at).filter_map(|node| node.any).fold(0, |to, next| to | 1 << next)
    }

    fn ends(&self, at: At) -> bool {
        self.nodes(at).any(|node| !node.ends.is_empty())
    }

    fn leads_on(&self, at: At) -> bool {
        self.nodes(at).any(|node| node.any.is_some() || !node.names.is_empty())
    }
}

/// The steps of a path that takes one pass; none where it takes more: an index, a slice, a filter, a descent.
pub(super) fn steps(path: &str) -> Option<Vec<Step>> {
    let mut rest = path.strip_prefix('$')?;
    let mut steps = Vec::new();
    while !rest.is_empty() {
        let (step, after) = step(rest)?;
        steps.push(step);
        rest = after;
    }
    Some(steps)
}

fn step(text: &str) -> Option<(Step, &str)> {
    if let Some(rest) = text.strip_prefix(".*").or_else(|| text.strip_prefix("[*]")) {
        return Some((Step::Any, rest));
    }
    if let Some(rest) = text.strip_prefix('.') {
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || !c.is_ascii())).unwrap_or(rest.len());
        let (name, rest) = rest.split_at(end);
        return (!name.is_empty()).then(|| (Step::Name(name.to_owned()), rest));
    }
    let inner = text.strip_prefix('[')?;
    let quote = inner.chars().next().filter(|c| ['\'', '"'].contains(c))?;
    let (name, rest) = inner[1..].split_once(quote)?;
    let rest = rest.strip_prefix(']')?;
    (!name.contains('\\')).then(|| (Step::Name(name.to_owned()), rest))
}

/// A path of which the last step asks for members with a text, `$.parts[?@.state == 'stale']`: the steps to what is
/// compared, and the text. Some member has it where any value there is equal.
pub(super) fn filtered(path: &str) -> Option<(Vec<Step>, String)> {
    let (before, filter) = path.strip_suffix(']')?.rsplit_once("[?")?;
    let (name, text) = filter.trim().strip_prefix("@.")?.split_once("==")?;
    let (name, text) = (name.trim(), text.trim());
    let quote = text.chars().next().filter(|c| ['\'', '"'].contains(c))?;
    let text = text[1..].strip_suffix(quote)?;
    let plain = |part: &str| !part.contains(['\\', '\'', '"', '[', ']', '@', '&', '|', '(', ')', '?']);
    if !plain(name) || !plain(text) {
        return None;
    }
    let mut all = steps(before)?;
    all.push(Step::Any);
    all.extend(steps(&format!("$.{name}"))?);
    Some((all, text.to_owned()))
}

/// A value to be read.
struct Look<'s, 'b> {
    paths: &'s Paths,
    at: At,
    found: &'s mut Vec<Vec<&'b RawValue>>,
}

impl<'de> DeserializeSeed<'de> for Look<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        if self.at == 0 {
            return IgnoredAny::deserialize(json).map(|_| ());
        }
        if !self.paths.ends(self.at) {
            return json.deserialize_any(self);
        }
        let value = <&RawValue>::deserialize(json)?;
        for path in self.paths.nodes(self.at).flat_map(|node| &node.ends) {
            self.found[*path].push(value);
        }
        if self.paths.leads_on(self.at) {
            // A path ends here, and others lead on into the same value.
            let mut inner = serde_json::Deserializer::from_str(value.get());
            return inner.deserialize_any(self).map_err(Error::custom);
        }
        Ok(())
    }
}

impl<'de> Visitor<'de> for Look<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        while let Some(at) = members.next_key_seed(Member { paths: self.paths, at: self.at })? {
            members.next_value_seed(Look { paths: self.paths, at, found: self.found })?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<(), A::Error> {
        let at = self.paths.element(self.at);
        while values.next_element_seed(Look { paths: self.paths, at, found: self.found })?.is_some() {}
        Ok(())
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }
}

/// The name of a member of what stands here.
struct Member<'s> {
    paths: &'s Paths,
    at: At,
}

impl<'de> DeserializeSeed<'de> for Member<'_> {
    type Value = At;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<At, D::Error> {
        json.deserialize_str(self)
    }
}

impl Visitor<'_> for Member<'_> {
    type Value = At;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a member")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<At, E> {
        Ok(self.paths.member(self.at, name))
    }
}

#[cfg(test)]
mod tests;
