//! The system as a picture: who uses whom, from clients on the left to what nobody else uses on the right, and where faults
//! acted.

use crate::text::{clean, html};
use chaos_model::{Fault, plan::PlannedSystem};
use std::collections::{BTreeMap, BTreeSet};

/// Size of a service's box, and what lies between two of them.
const BOX: (usize, usize) = (136, 34);
const GAP: (usize, usize) = (72, 20);
/// Characters that a box has room for.
const ROOM: usize = 17;

/// The load's own end of the first link.
const CLIENT: &str = "client";

/// A link by its two ends.
struct Edge<'a> {
    from: &'a str,
    to: &'a str,
    link: &'a str,
}

/// The picture. What faults act on is marked, and says by which.
pub(super) fn of(system: &PlannedSystem, faults: &[Fault]) -> String {
    let edges: Vec<Edge<'_>> = system.links.iter().filter_map(|planned| edge(&planned.link)).collect();
    let mut names: Vec<&str> = vec![CLIENT];
    names.extend(system.services.iter().map(|service| service.name.as_str()));
    names.extend(edges.iter().flat_map(|edge| [edge.from, edge.to]));
    let mut seen = BTreeSet::new();
    names.retain(|name| seen.insert(*name));
    let places = places(&names, &edges);
    let columns = places.values().map(|(column, _)| column + 1).max().unwrap_or(1);
    let rows = places.values().map(|(_, row)| row + 1).max().unwrap_or(1);
    let (width, height) = (columns * (BOX.0 + GAP.0) - GAP.0 + 8, rows * (BOX.1 + GAP.1) - GAP.1 + 8);
    let mut marked = BTreeMap::<String, Vec<&str>>::new();
    for fault in faults {
        let links: Vec<String> = fault.on.links().iter().map(ToString::to_string).collect();
        let on = if links.is_empty() { fault.on.services().to_vec() } else { links };
        on.into_iter().for_each(|on| marked.entry(on).or_default().push(&fault.name));
    }
    let mut svg = format!(
        "<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"the system\"><svg class=\"system\" viewBox=\"0 0 {width} {height}\" style=\"width:{width}px\" role=\"img\" aria-label=\"{}\">",
        html(&words(&edges, &marked))
    );
    for edge in &edges {
        if let (Some(from), Some(to)) = (places.get(edge.from), places.get(edge.to)) {
            svg += &arrow(*from, *to, edge.link, marked.get(edge.link).map(Vec::as_slice));
        }
    }
    for (name, (column, row)) in &places {
        svg += &service(name, at(*column, *row), marked.get(*name).map(Vec::as_slice));
    }
    svg + "</svg></div>"
}

/// The picture in words, for those who can't see it.
fn words(edges: &[Edge<'_>], marked: &BTreeMap<String, Vec<&str>>) -> String {
    let links: Vec<&str> = edges.iter().map(|edge| edge.link).collect();
    let faults: Vec<String> = marked.iter().map(|(on, names)| format!("{} on {on}", names.join(" and "))).collect();
    let faults = if faults.is_empty() { "no faults".to_owned() } else { format!("faults: {}", faults.join(", ")) };
    format!("links: {}; {faults}", links.join(", "))
}

/// `gateway -> redis`, also where it has a label behind it (`gateway -> redis#cache`).
fn edge(link: &str) -> Option<Edge<'_>> {
    let (from, rest) = link.split_once(" -> ")?;
    let to = rest.split('#').next().unwrap_or(rest);
    Some(Edge { from, to, link })
}

/// Column and row of each: the column is the number of links on the way from the client, the shortest.
fn places<'a>(names: &[&'a str], edges: &[Edge<'a>]) -> BTreeMap<&'a str, (usize, usize)> {
    let mut columns: BTreeMap<&str, usize> = BTreeMap::from([(CLIENT, 0)]);
    loop {
        let known = columns.len();
        for edge in edges {
            if let Some(from) = columns.get(edge.from).copied() {
                columns.entry(edge.to).or_insert(from + 1);
            }
        }
        if columns.len() == known {
            break;
        }
    }
    let mut rows: BTreeMap<usize, usize> = BTreeMap::new();
    let mut places = BTreeMap::new();
    for name in names {
        // What nobody is known to use stands beside the client.
        let column = columns.get(name).copied().unwrap_or(0);
        let row = rows.entry(column).or_default();
        places.insert(*name, (column, *row));
        *row += 1;
    }
    places
}

/// The upper left corner of a box.
fn at(column: usize, row: usize) -> (usize, usize) {
    (4 + column * (BOX.0 + GAP.0), 4 + row * (BOX.1 + GAP.1))
}

fn service(name: &str, (x, y): (usize, usize), faults: Option<&[&str]>) -> String {
    let shown: String = clean(name).chars().take(ROOM).collect();
    let shown = if clean(name).chars().count() > ROOM { format!("{shown}…") } else { shown };
    let (class, title) = match faults {
        Some(faults) => (" hit", format!("{name}: {}", faults.join(", "))),
        None => ("", name.to_owned()),
    };
    let (width, height) = BOX;
    let (middle, base) = (x + width / 2, y + height / 2 + 4);
    format!(
        "<g class=\"box{class}\"><title>{}</title><rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"5\"/><text x=\"{middle}\" y=\"{base}\">{}</text></g>",
        html(&title),
        html(&shown)
    )
}

fn arrow(from: (usize, usize), to: (usize, usize), link: &str, faults: Option<&[&str]>) -> String {
    let ((x, y), (to_x, to_y)) = (at(from.0, from.1), at(to.0, to.1));
    let half = BOX.1 / 2;
    let (y, to_y) = (y + half, to_y + half);
    // One that leads back, or stays in its column, leaves and enters on the same side.
    let forward = to.0 > from.0;
    let x = x + BOX.0;
    let to_x = if forward { to_x } else { to_x + BOX.0 };
    let (bend, to_bend) = if forward { ((x + to_x) / 2, (x + to_x) / 2) } else { (x + GAP.0 / 2, to_x + GAP.0 / 2) };
    let (class, title) = match faults {
        Some(faults) => (" hit", format!("{link}: {}", faults.join(", "))),
        None => ("", link.to_owned()),
    };
    let tip = if forward { (to_x.saturating_sub(7), to_x) } else { (to_x + 7, to_x) };
    format!(
        "<g class=\"link{class}\"><title>{}</title><path d=\"M{x} {y}C{bend} {y} {to_bend} {to_y} {} {to_y}\"/><path class=\"tip\" d=\"M{} {}L{} {to_y}L{} {}Z\"/></g>",
        html(&title),
        tip.0,
        tip.0,
        to_y.saturating_sub(4),
        tip.1,
        tip.0,
        to_y + 4
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use chaos_model::plan::{PlannedLink, PlannedService};

    fn system(services: &[&str], links: &[&str]) -> PlannedSystem {
        let service = |name: &&str| PlannedService {
            name: (*name).to_owned(),
            starts: String::new(),
            protocol: "http".to_owned(),
        };
        let link = |link: &&str| PlannedLink {
            link: (*link).to_owned(),
            protocol: None,
            transport: chaos_model::protocol::Transport::default(),
        };
        PlannedSystem {
            services: services.iter().map(service).collect(),
            links: links.iter().map(link).collect(),
            ..PlannedSystem::default()
        }
    }

    #[test]
    fn each_stands_right_of_who_uses_it() {
        let system = system(&["gateway", "redis", "users"], &["client -> gateway", "gateway -> redis", "gateway -> users"]);
        let edges: Vec<_> = system.links.iter().filter_map(|link| edge(&link.link)).collect();
        let places = places(&["client", "gateway", "redis", "users"], &edges);
        let expected = [("client", (0, 0)), ("gateway", (1, 0)), ("redis", (2, 0)), ("users", (2, 1))];
        assert_eq!(places, BTreeMap::from(expected));
    }

    #[test]
    fn circles_and_strange_names_are_drawn_too() {
        let system = system(&["a", "b", "<script>"], &["client -> a", "a -> b", "b -> a", "b -> <script>"]);
        let svg = of(&system, &[]);
        assert!(!svg.contains("<script>") && svg.contains("&lt;script&gt;"), "{svg}");
        assert_eq!(svg.matches("class=\"box\"").count(), 4, "{svg}");
        assert_eq!(svg.matches("class=\"link\"").count(), 4, "{svg}");
    }
}
