//! Settings of cross-origin requests.

use super::values;
use http::{HeaderValue, Uri};
use std::time::Duration;

/// Web pages that may read responses.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct CorsSettings {
    /// Origins whose pages may read responses in a browser, as `https://app.example`, separated by commas; *: any; off:
    /// none
    #[arg(long, value_name = "ORIGINS", default_value = "off", value_parser = origins, help_heading = "Browsers")]
    pub(crate) cors_origins: Origins,
    /// Time for which a browser may remember what it was allowed
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = values::duration, help_heading = "Browsers")]
    pub(crate) cors_max_age: Duration,
}

/// Origins of pages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origins {
    None,
    Any,
    These(Vec<HeaderValue>),
}

fn origins(text: &str) -> Result<Origins, String> {
    match text {
        "off" => Ok(Origins::None),
        "*" => Ok(Origins::Any),
        _ => text.split(',').map(|origin| self::origin(origin.trim())).collect::<Result<_, _>>().map(Origins::These),
    }
}

/// An origin, written as browsers write it: else it would never match.
fn origin(text: &str) -> Result<HeaderValue, String> {
    let shape = || format!("`{text}` is no origin, as `https://app.example` or `http://localhost:3000`");
    let uri: Uri = text.parse().map_err(|_| shape())?;
    let (Some(scheme @ ("http" | "https")), Some(host)) = (uri.scheme_str(), uri.host()) else { return Err(shape()) };
    let usual = if scheme == "http" { 80 } else { 443 };
    let port = uri.port_u16().filter(|port| *port != usual).map_or_else(String::new, |port| format!(":{port}"));
    let written = format!("{scheme}://{}{port}", host.to_lowercase());
    if written == text {
        HeaderValue::try_from(written).map_err(|_| shape())
    } else {
        Err(format!("a browser says `{written}` for `{text}`"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_written_as_browsers_do() {
        assert_eq!((origins("off"), origins("*")), (Ok(Origins::None), Ok(Origins::Any)));
        let Ok(Origins::These(list)) = origins("https://app.example, http://localhost:3000,http://[::1]:8080") else {
            panic!("they are refused");
        };
        assert_eq!(list, ["https://app.example", "http://localhost:3000", "http://[::1]:8080"]);
    }

    #[test]
    fn what_would_never_match_is_refused() {
        for bad in ["", "app.example", "null", "https://", "ftp://a", "https://a,,https://b", "*,https://a", "a b"] {
            assert!(origins(bad).unwrap_err().contains("is no origin"), "{bad}");
        }
        for (bad, right) in [
            ("https://a/", "https://a"),
            ("https://a/x", "https://a"),
            ("https://A.example", "https://a.example"),
            ("https://a:443", "https://a"),
            ("https://u:p@a", "https://a"),
        ] {
            assert!(origins(bad).unwrap_err().starts_with(&format!("a browser says `{right}`")), "{bad}");
        }
    }
}
