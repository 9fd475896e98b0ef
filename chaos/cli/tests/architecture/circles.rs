//! Circles between modules: two files that need each other can only be read together. A parent and its children may,
//! since a parent is there to put its children together.

use crate::root;
use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens as _;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};
use syn::{Attribute, Item, UseTree};

/// Crates without a circle. One that is free of them is added here, and stays so.
const FREE: [&str; 12] = [
    "gateway",
    "services",
    "chaos/cli",
    "chaos/explore",
    "chaos/inject",
    "chaos/links",
    "chaos/load",
    "chaos/report",
    "chaos/run",
    "chaos/sim",
    "chaos/supervise",
    "chaos/worlds",
];

/// A module's path within its crate; the crate's root is empty.
type Name = Vec<String>;

/// One module, as its file or its block has it.
#[derive(Default)]
struct Module {
    children: BTreeSet<String>,
    /// Names that its `use` lines bring in, private ones included, and the paths that they stand for.
    brought: BTreeMap<String, Name>,
    /// Modules of which it hands on everything.
    globs: Vec<Name>,
    /// Names that are defined here.
    defined: BTreeSet<String>,
    /// Paths that its code names, as they are written.
    named: BTreeSet<Name>,
}

/// The modules of a crate, and the paths that each names.
#[derive(Default)]
struct Crate(BTreeMap<Name, Module>);

impl Crate {
    fn read(folder: &Path) -> Self {
        let mut this = Self::default();
        this.file(&folder.join("src/lib.rs"), Name::new());
        this
    }

    fn file(&mut self, file: &Path, name: Name) {
        let text = std::fs::read_to_string(file).unwrap();
        let parsed = syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        self.items(file, name, parsed.items);
    }

    fn items(&mut self, file: &Path, name: Name, items: Vec<Item>) {
        self.0.entry(name.clone()).or_default();
        for item in items {
            match item {
                Item::Mod(item) if !is_test(&item.attrs) => {
                    let child = item.ident.to_string();
                    self.module(&name).children.insert(child.clone());
                    let below = [name.clone(), vec![child.clone()]].concat();
                    match item.content {
                        Some((_, items)) => self.items(file, below, items),
                        None => self.file(&beside(file, &child), below),
                    }
                }
                Item::Use(item) if !is_test(&item.attrs) => self.bring(&name, &mut Name::new(), &item.tree),
                item => self.item(&name, &item),
            }
        }
    }

    fn item(&mut self, name: &Name, item: &Item) {
        let (attributes, defined) = match item {
            Item::Const(item) => (&item.attrs, Some(&item.ident)),
            Item::Enum(item) => (&item.attrs, Some(&item.ident)),
            Item::Fn(item) => (&item.attrs, Some(&item.sig.ident)),
            Item::Static(item) => (&item.attrs, Some(&item.ident)),
            Item::Struct(item) => (&item.attrs, Some(&item.ident)),
            Item::Trait(item) => (&item.attrs, Some(&item.ident)),
            Item::Type(item) => (&item.attrs, Some(&item.ident)),
            Item::Impl(item) => (&item.attrs, None),
            Item::Macro(item) => (&item.attrs, item.ident.as_ref()),
            _ => return,
        };
        if !is_test(attributes) {
            self.module(name).defined.extend(defined.map(ToString::to_string));
            paths(item.to_token_stream(), &mut self.module(name).named);
        }
    }

    fn bring(&mut self, name: &Name, before: &mut Name, tree: &UseTree) {
        match tree {
            UseTree::Path(path) => {
                before.push(path.ident.to_string());
                self.bring(name, before, &path.tree);
                before.pop();
            }
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.bring(name, before, tree)),
            UseTree::Glob(_) => self.module(name).globs.push(before.clone()),
            UseTree::Name(_) | UseTree::Rename(_) => {
                let (told, called) = match tree {
                    UseTree::Rename(rename) => (&rename.ident, &rename.rename),
                    UseTree::Name(name) => (&name.ident, &name.ident),
                    _ => return,
                };
                let mut path = before.clone();
                // `use a::{self}` is `a`.
                path.extend(Some(told.to_string()).filter(|told| told != "self"));
                let called = if told == "self" { path.last().cloned() } else { Some(called.to_string()) };
                self.module(name).brought.extend(called.map(|called| (called, path.clone())));
                self.module(name).named.insert(path);
            }
        }
    }

    fn module(&mut self, name: &Name) -> &mut Module {
        self.0.entry(name.clone()).or_default()
    }

    /// The module in which the thing lies that `path` means in `from`; `None` where it is another crate's.
    fn find(&self, from: &Name, path: &[String], depth: usize) -> Option<Name> {
        let (first, rest) = path.split_first()?;
        let module = &self.0[from];
        if depth == 0 {
            return None;
        }
        match first.as_str() {
            "crate" => self.below(Name::new(), rest, depth),
            "self" => self.below(from.clone(), rest, depth),
            "super" => {
                let (mut above, mut rest) = (from.clone(), path);
                while let Some(("super", left)) = rest.split_first().map(|(first, left)| (first.as_str(), left)) {
                    above.pop()?;
                    rest = left;
                }
                self.below(above, rest, depth)
            }
            name if module.children.contains(name) || module.brought.contains_key(name) => {
                self.below(from.clone(), path, depth)
            }
            _ => None,
        }
    }

    /// The module in which the thing lies that this path means from `within` on: re-exports are followed to where it is.
    fn below(&self, within: Name, path: &[String], depth: usize) -> Option<Name> {
        let Some((first, rest)) = path.split_first() else { return Some(within) };
        let module = &self.0[&within];
        if module.children.contains(first) {
            return self.below([within, vec![first.clone()]].concat(), rest, depth);
        }
        if let Some(path) = module.brought.get(first).filter(|_| !module.defined.contains(first)) {
            let found = self.find(&within, path, depth - 1);
            // What another crate defines lies nowhere here.
            return found.and_then(|found| {
                let is_module = path.last().is_some_and(|last| found.last() == Some(last));
                if is_module { self.below(found, rest, depth - 1) } else { Some(found) }
            });
        }
        let handed_on = module.globs.iter().filter_map(|glob| self.find(&within, glob, depth - 1));
        let through = handed_on.filter(|_| !module.defined.contains(first)).find(|name| {
            let module = &self.0[name];
            module.defined.contains(first) || module.children.contains(first) || module.brought.contains_key(first)
        });
        match through {
            Some(name) => self.below(name, path, depth - 1),
            None => Some(within),
        }
    }

    /// From module to module, parents and children left out, and what stands in one file's blocks counted as the file's.
    fn arrows(&self) -> BTreeMap<Name, BTreeSet<Name>> {
        let mut arrows = BTreeMap::new();
        for (from, module) in &self.0 {
            let named = module.named.iter().filter_map(|path| self.find(from, path, 16));
            let apart = named.filter(|to| !from.starts_with(to) && !to.starts_with(from));
            arrows.insert(from.clone(), apart.collect());
        }
        arrows
    }
}

fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let text = attribute.to_token_stream().to_string().replace(' ', "");
        text.starts_with("#[cfg(") && text.contains("test") && !text.contains("not(test")
    })
}

/// The file of a child that is a `mod` line in `file`.
fn beside(file: &Path, child: &str) -> PathBuf {
    let stem = file.file_stem().unwrap();
    let folder = file.parent().unwrap();
    let folder =
        if ["lib", "main", "mod"].iter().any(|own| stem == *own) { folder.to_owned() } else { folder.join(stem) };
    let plain = folder.join(format!("{child}.rs"));
    if plain.is_file() { plain } else { folder.join(child).join("mod.rs") }
}

/// Every path of two or more names in these tokens, macros and attributes included.
fn paths(tokens: TokenStream, found: &mut BTreeSet<Name>) {
    let mut path = Name::new();
    let mut colons = 0;
    for token in tokens {
        match token {
            TokenTree::Ident(ident) => {
                if colons != 2 {
                    keep(&mut path, found);
                }
                path.push(ident.to_string());
                colons = 0;
            }
            TokenTree::Punct(punct) if punct.as_char() == ':' => colons += 1,
            TokenTree::Group(group) => {
                keep(&mut path, found);
                paths(group.stream(), found);
                colons = 0;
            }
            _ => {
                keep(&mut path, found);
                colons = 0;
            }
        }
    }
    keep(&mut path, found);
}

fn keep(path: &mut Name, found: &mut BTreeSet<Name>) {
    if path.len() > 1 {
        found.insert(std::mem::take(path));
    }
    path.clear();
}

/// The largest set of modules of which each leads to each other, smallest sets included: one alone is no circle.
fn largest_circle(arrows: &BTreeMap<Name, BTreeSet<Name>>) -> BTreeSet<Name> {
    let reached = |from: &Name| {
        let mut reached = BTreeSet::new();
        let mut next = vec![from.clone()];
        while let Some(name) = next.pop() {
            let further = arrows.get(&name).into_iter().flatten().filter(|to| reached.insert((*to).clone()));
            next.extend(further.cloned().collect::<Vec<_>>());
        }
        reached
    };
    let all: BTreeMap<&Name, BTreeSet<Name>> = arrows.keys().map(|name| (name, reached(name))).collect();
    let circle = |from: &Name| {
        let back = all[from].iter().filter(|to| all.get(to).is_some_and(|theirs| theirs.contains(from)));
        back.chain([from]).cloned().collect::<BTreeSet<_>>()
    };
    arrows.keys().map(circle).max_by_key(BTreeSet::len).unwrap_or_default()
}

/// The circle and its arrows, for whoever has to break it.
fn told(circle: &BTreeSet<Name>, arrows: &BTreeMap<Name, BTreeSet<Name>>) -> String {
    let lines = circle.iter().flat_map(|from| {
        let to = arrows[from].iter().filter(|to| circle.contains(*to));
        to.map(|to| format!("\n  {} -> {}", from.join("::"), to.join("::")))
    });
    lines.collect()
}

fn circle_in(folder: &Path) -> (usize, String) {
    let arrows = Crate::read(folder).arrows();
    assert!(arrows.values().map(BTreeSet::len).sum::<usize>() > 0, "{}: it has arrows", folder.display());
    let circle = largest_circle(&arrows);
    (circle.len(), told(&circle, &arrows))
}

#[test]
fn modules_that_are_not_parent_and_child_form_no_circle() {
    for name in FREE {
        let (size, told) = circle_in(&root().join(name));
        assert!(size <= 1, "{name}: a circle of {size} modules:{told}");
    }
}

/// A made-up crate: what it shows, its files without `.rs`, and the size of its largest circle.
type MadeUp = (&'static str, &'static [(&'static str, &'static str)], usize);

const MADE_UP: [MadeUp; 7] = [
    (
        "use lines",
        &[("lib", "mod a; mod b;"), ("a", "use crate::b::B; pub struct A;"), ("b", "use super::a::A; pub struct B;")],
        2,
    ),
    (
        "paths",
        &[
            ("lib", "mod a; mod b;"),
            ("a", "pub fn a() { crate::b::b() }"),
            ("b", "use crate::a; pub fn b() { a::a() }"),
        ],
        2,
    ),
    (
        "re-exports",
        &[
            ("lib", "mod a; mod c;"),
            ("a", "mod b; pub use b::B; use crate::c::C;"),
            ("a/b", "use crate::c; pub struct B(c::C);"),
            ("c", "pub struct C; fn c(_: crate::a::B) {}"),
        ],
        2,
    ),
    (
        "attributes and macros",
        &[
            ("lib", "mod a; mod b;"),
            ("a", "#[x(y(crate::b::B))] pub struct A;"),
            ("b", "pub struct B; y! { crate::a::A }"),
        ],
        2,
    ),
    (
        "globs",
        &[
            ("lib", "mod a; mod c;"),
            ("a", "mod b; pub use b::*;"),
            ("a/b", "use crate::c::C; pub struct B;"),
            ("c", "use crate::a::B; pub struct C;"),
        ],
        2,
    ),
    (
        "parent and child",
        &[
            ("lib", "mod a; mod b; pub struct L;"),
            ("a", "mod c; use c::C; use crate::L; pub struct A;"),
            ("a/c", "use super::A; pub struct C;"),
            ("b", "use crate::a::A;"),
        ],
        1,
    ),
    (
        "tests",
        &[
            ("lib", "mod a; mod b;"),
            ("a", "use crate::b::B; pub struct A;"),
            ("b", "pub struct B; #[cfg(test)] mod tests { use crate::a::A; }"),
        ],
        1,
    ),
];

/// Made-up crates, so that the test above is known to see what it looks for.
#[test]
fn circles_are_seen_through_use_lines_paths_re_exports_macros_and_globs() {
    for (name, files, size) in MADE_UP {
        let folder = tempfile::tempdir().unwrap();
        for (file, text) in files {
            let path = folder.path().join("src").join(file).with_extension("rs");
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let (found, told) = circle_in(folder.path());
        assert_eq!(found, size, "{name}:{told}");
    }
}
