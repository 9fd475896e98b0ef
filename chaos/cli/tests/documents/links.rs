//! Each link within the project leads to a file or a folder, and to a heading where it names one.

use super::page::{Page, pages, read, root};
use std::path::{Component, Path, PathBuf};

/// The path without `..`, from the root. None if it leads out.
fn within(page: &str, link: &str) -> Option<PathBuf> {
    let mut path = PathBuf::new();
    for part in Path::new(page).parent()?.join(link).components() {
        match part {
            Component::Normal(name) => path.push(name),
            Component::ParentDir => path.pop().then_some(())?,
            Component::CurDir => {}
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(path)
}

/// The reason why a link leads nowhere, if it does.
fn dead(page: &str, link: &str, text: &str) -> Option<String> {
    if link.starts_with("https://") || link.starts_with("http://") {
        return None;
    }
    let (path, anchor) = link.split_once('#').map_or((link, None), |(path, anchor)| (path, Some(anchor)));
    let target = if path.is_empty() { PathBuf::from(page) } else { within(page, path)? };
    if !root().join(&target).exists() {
        return Some(format!("{page}: [{link}] leads to no file"));
    }
    let anchor = anchor?;
    let there = if path.is_empty() { text.to_owned() } else { read(target.to_str()?) };
    let known = Page::parse(&there).anchors;
    (!known.iter().any(|one| one == anchor)).then(|| format!("{page}: [{link}] leads to none of {known:?}"))
}

#[test]
fn each_link_leads_somewhere() {
    let (mut links, mut lost) = (0, Vec::new());
    for page in pages() {
        let text = read(&page);
        for link in Page::parse(&text).links {
            links += 1;
            lost.extend(dead(&page, &link, &text));
        }
    }
    assert!(links > 60, "only {links} links were found");
    assert_eq!(lost, Vec::<String>::new());
}

#[test]
fn dead_links_are_found() {
    assert_eq!(dead("docs/run.md", "../README.md", ""), None);
    assert_eq!(dead("docs/run.md", "#here", "# Here\n"), None);
    assert!(dead("docs/run.md", "ROAD.md", "").is_some_and(|why| why.contains("no file")));
    assert!(dead("docs/run.md", "../README.md#nowhere", "").is_some_and(|why| why.contains("none of")));
    assert!(dead("docs/run.md", "#there", "# Here\n").is_some_and(|why| why.contains("none of")));
}
