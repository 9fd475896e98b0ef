//! Pages as readers see them: headings with their anchors, links, and rows of tables.

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

pub(crate) fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Every page: those of the root, and those in `docs` and beside a crate's manifest. Paths from the root.
pub(crate) fn pages() -> Vec<String> {
    let mut pages = vec!["gateway/SETTINGS.md".to_owned()];
    for folder in [".", "docs"] {
        for entry in std::fs::read_dir(root().join(folder)).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            if Path::new(&name).extension().is_some_and(|end| end == "md") {
                pages.push(if folder == "." { name } else { format!("{folder}/{name}") });
            }
        }
    }
    pages.sort();
    pages
}

/// Links and anchors of a page.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Page {
    pub(crate) anchors: Vec<String>,
    pub(crate) links: Vec<String>,
}

impl Page {
    pub(crate) fn parse(text: &str) -> Self {
        let mut page = Self::default();
        let mut heading: Option<String> = None;
        let mut uses = BTreeMap::<String, usize>::new();
        for event in Parser::new_ext(text, Options::ENABLE_TABLES) {
            match event {
                Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
                Event::End(TagEnd::Heading(_)) => {
                    let anchor = anchor(&heading.take().unwrap_or_default());
                    let earlier = uses.entry(anchor.clone()).or_default();
                    page.anchors.push(if *earlier == 0 { anchor } else { format!("{anchor}-{earlier}") });
                    *earlier += 1;
                }
                Event::Text(text) | Event::Code(text) => {
                    if let Some(heading) = &mut heading {
                        heading.push_str(&text);
                    }
                }
                Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                    page.links.push(dest_url.into_string());
                }
                _ => {}
            }
        }
        page
    }
}

/// The anchor of a heading, as GitHub and mdBook make it.
fn anchor(heading: &str) -> String {
    let kept = heading.trim().chars().filter(|c| c.is_alphanumeric() || [' ', '-', '_'].contains(c));
    kept.flat_map(char::to_lowercase).map(|c| if c == ' ' { '-' } else { c }).collect()
}

/// The words in backticks.
pub(crate) fn names(text: &str) -> Vec<String> {
    text.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// The blocks of code whose fence says `language`.
pub(crate) fn blocks(text: &str, language: &str) -> Vec<String> {
    let opening = format!("\n```{language}\n");
    let blocks = text.split(opening.as_str()).skip(1);
    blocks.map(|rest| rest.split("\n```").next().unwrap().to_owned() + "\n").collect()
}

#[test]
fn a_page_has_anchors_and_links() {
    let text = "# The `docker` world, and more\n\n[a](x.md#y) and `[no](link)`\n\n## Two\n\n```md\n[no](code)\n```\n\n## Two\n";
    let page = Page::parse(text);
    assert_eq!(page.anchors, ["the-docker-world-and-more", "two", "two-1"]);
    assert_eq!(page.links, ["x.md#y"]);
}

#[test]
fn a_page_has_blocks() {
    assert_eq!(blocks("a\n```sh\nb\nc\n```\n```console\nd\n```\n", "sh"), ["b\nc\n"]);
}
