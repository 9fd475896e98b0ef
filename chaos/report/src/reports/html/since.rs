//! Changes since earlier runs, and the margins of expectations over these.

use crate::{
    against::{self, Against, Compared, MarginHistory, Partner},
    text::{html, prose},
};
use chaos_model::Margin;
use std::fmt::Write as _;

/// Differences to an earlier run, and margins.
pub(super) fn section(compared: Option<&Compared>) -> String {
    let Some(compared) = compared else { return String::new() };
    let mut text = String::new();
    match &compared.partner {
        Err(why) => text += &format!("<p class=\"faint\">{}.</p>\n", prose(&sentence_case(&against::unpaired(why)))),
        Ok(partner) => text += &told(compared, partner),
    }
    text
}

fn told(compared: &Compared, partner: &Partner) -> String {
    let mut text = format!("<p class=\"faint\">Compared with {}.</p>\n", prose(&against::earlier_run(partner)));
    if compared.changes.is_empty() {
        text += "<p>Nothing differs beyond chance.</p>\n";
    } else {
        let items = compared.changes.iter().map(|change| format!("<li>{}</li>", prose(&against::sentence(change))));
        text += &format!("<ul>{}</ul>\n", items.collect::<String>());
    }
    let rows: String = compared.margins.iter().map(row).collect();
    if rows.is_empty() {
        return text;
    }
    text + "<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"margins\"><table><caption>Margins, and those of \
            earlier runs</caption><thead><tr><th scope=\"col\">expectation</th><th scope=\"col\">now</th><th \
            scope=\"col\">earlier</th></tr></thead><tbody>\n"
        + &rows
        + "</tbody></table></div>\n"
}

fn row(margin: &MarginHistory) -> String {
    let place = &margin.place;
    let what = format!("{} ({})", place.that, place.when);
    let earlier = margin.earlier_in_words().unwrap_or_else(|| "none".to_owned());
    format!(
        "<tr><td>{}<br><code>{}</code></td><td>{}</td><td>{}{}</td></tr>\n",
        html(&what),
        html(&place.expected),
        html(&margin.now.to_string()),
        sparkline(margin),
        html(&earlier)
    )
}

/// The size of a small chart.
const WIDTH: f64 = 120.0;
const HEIGHT: f64 = 28.0;

/// The margins of earlier runs and of this one as a small line, with the bound as a dashed one: the higher, the nearer to it. Its
/// numbers stand beside it.
fn sparkline(margin: &MarginHistory) -> String {
    if margin.earlier.len() < 2 {
        return String::new();
    }
    let all: Vec<Margin> = margin.earlier.iter().map(|(_, margin)| *margin).chain([margin.now]).collect();
    // What is far beyond the bound would press all else flat.
    let most = all.iter().map(|margin| margin.used()).fold(1.0, f64::max).clamp(1.0, 2.0);
    let y = |used: f64| 2.0 + (HEIGHT - 4.0) * (1.0 - used.min(most) / most);
    #[expect(clippy::cast_precision_loss, reason = "at most some hundred")]
    let x = |nth: usize| 3.0 + (WIDTH - 6.0) * nth as f64 / (all.len() - 1) as f64;
    let mut points = String::new();
    for (nth, margin) in all.iter().enumerate() {
        let _ = write!(points, "{:.1},{:.1} ", x(nth), y(margin.used()));
    }
    let percents: Vec<String> = all.iter().map(|margin| margin.percent()).collect();
    let words = format!("used of the room, run by run: {}", percents.join(", "));
    let (bound, last) = (y(1.0), (x(all.len() - 1), y(margin.now.used())));
    format!(
        "<svg class=\"spark\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{words}\"><title>{words}</title>\
         <path d=\"M0 {bound:.1}H{WIDTH}\"/><polyline points=\"{}\"/><circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"2.5\"/></svg>",
        points.trim_end(),
        last.0,
        last.1
    )
}

/// Earlier runs that have no partner, for the page as a whole.
pub(super) fn without_partner(against: Option<&Against>) -> String {
    let Some(against) = against else { return String::new() };
    let gone = against.gone.iter().map(against::no_longer);
    let items: Vec<String> = gone.chain(against.passed_over.iter().map(against::passed_over)).collect();
    if items.is_empty() {
        return String::new();
    }
    let items: String = items.iter().map(|item| format!("<li>{}</li>", prose(item))).collect();
    format!("<section class=\"run\"><h2 class=\"title\">Earlier runs without a partner</h2><ul>{items}</ul></section>\n")
}

fn sentence_case(words: &str) -> String {
    let mut chars = words.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}
