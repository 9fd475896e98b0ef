//! Cookies of one client (RFC 6265), who speaks to one host: a journey begins with none, and keeps what responses set.
//!
//! `Domain` says nothing then. `Secure` does not keep a cookie back: what ends TLS before the entry sets such cookies too.

use http::{HeaderMap, HeaderValue, header::SET_COOKIE};
use std::{
    cmp::Reverse,
    time::{Duration, UNIX_EPOCH},
};

/// The cookies of a client.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Jar(Vec<Cookie>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Cookie {
    name: String,
    value: String,
    path: String,
    /// The moment from which on it is gone, since the Unix epoch.
    expires: Option<Duration>,
}

impl Jar {
    /// Takes the cookies that the response to a request for `path` sets.
    pub(crate) fn take(&mut self, headers: &HeaderMap, path: &str, unix_now: Duration) {
        let fields = headers.get_all(SET_COOKIE).into_iter().filter_map(|field| field.to_str().ok());
        for cookie in fields.filter_map(|field| Cookie::parse(field, path, unix_now)) {
            self.0.retain(|other| (&other.name, &other.path) != (&cookie.name, &cookie.path));
            if !cookie.is_gone(unix_now) {
                self.0.push(cookie);
            }
        }
    }

    /// The field `cookie` of a request for `path`: `own` cookies, and those of the jar but for the ones that are among these.
    pub(crate) fn field(&self, own: Option<&HeaderValue>, path: &str, unix_now: Duration) -> Option<HeaderValue> {
        let own = own.and_then(|own| own.to_str().ok()).filter(|own| !own.is_empty());
        let names: Vec<&str> = own.iter().flat_map(|own| own.split(';')).map(name_of).collect();
        let is_sent = |cookie: &&Cookie| {
            cookie.is_for(path) && !cookie.is_gone(unix_now) && !names.contains(&cookie.name.as_str())
        };
        let mut sent: Vec<&Cookie> = self.0.iter().filter(is_sent).collect();
        // Those of longer paths first (5.4); of the same length, the older ones.
        sent.sort_by_key(|cookie| Reverse(cookie.path.len()));
        let pairs = sent.into_iter().map(|cookie| format!("{}={}", cookie.name, cookie.value));
        let all: Vec<String> = own.map(str::to_owned).into_iter().chain(pairs).collect();
        if all.is_empty() { None } else { HeaderValue::from_str(&all.join("; ")).ok() }
    }

    /// True if it has none.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn name_of(pair: &str) -> &str {
    pair.split_once('=').map_or(pair, |(name, _)| name).trim()
}

impl Cookie {
    /// As 5.2 reads it.
    fn parse(field: &str, path: &str, unix_now: Duration) -> Option<Self> {
        let mut parts = field.split(';');
        let (name, value) = parts.next()?.split_once('=')?;
        let (name, value) = (name.trim().to_owned(), value.trim().to_owned());
        let mut cookie = Self { name, value, path: default_path(path).to_owned(), expires: None };
        let mut max_age = None;
        for part in parts {
            let (key, value) = part.split_once('=').unwrap_or((part, ""));
            let value = value.trim();
            match key.trim().to_ascii_lowercase().as_str() {
                "path" if value.starts_with('/') => value.clone_into(&mut cookie.path),
                "max-age" => max_age = value.parse::<i64>().ok().or(max_age),
                "expires" => {
                    let date = httpdate::parse_http_date(value).ok();
                    let since = date.map(|date| date.duration_since(UNIX_EPOCH).unwrap_or_default());
                    cookie.expires = since.or(cookie.expires);
                }
                _ => {}
            }
        }
        // It counts more than a date.
        if let Some(seconds) = max_age {
            let lasts = Duration::from_secs(u64::try_from(seconds).unwrap_or_default());
            cookie.expires = Some(unix_now.saturating_add(lasts));
        }
        (!cookie.name.is_empty()).then_some(cookie)
    }

    fn is_gone(&self, unix_now: Duration) -> bool {
        self.expires.is_some_and(|expires| expires <= unix_now)
    }

    /// As 5.1.4 matches paths.
    fn is_for(&self, path: &str) -> bool {
        let rest = without_query(path).strip_prefix(self.path.as_str());
        rest.is_some_and(|rest| rest.is_empty() || self.path.ends_with('/') || rest.starts_with('/'))
    }
}

fn without_query(path: &str) -> &str {
    path.split_once('?').map_or(path, |(path, _)| path)
}

/// The path of a cookie that says none (5.1.4): that of its request up to the last slash.
fn default_path(path: &str) -> &str {
    match without_query(path).rsplit_once('/') {
        None | Some(("", _)) => "/",
        Some((folder, _)) => folder,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::from_secs(1_769_860_800);

    fn set(jar: &mut Jar, path: &str, fields: &[&'static str]) {
        let mut headers = HeaderMap::new();
        for field in fields {
            headers.append(SET_COOKIE, HeaderValue::from_static(field));
        }
        jar.take(&headers, path, NOW);
    }

    fn sent(jar: &Jar, own: Option<&'static str>, path: &str, after: u64) -> Option<String> {
        let own = own.map(HeaderValue::from_static);
        let field = jar.field(own.as_ref(), path, NOW + Duration::from_secs(after));
        field.map(|field| field.to_str().unwrap().to_owned())
    }

    #[test]
    fn what_is_set_is_sent_until_it_is_gone() {
        let mut jar = Jar::default();
        assert_eq!(sent(&jar, None, "/", 0), None);
        set(
            &mut jar,
            "/login",
            &["sid=abc; HttpOnly; Secure; SameSite=Lax", "lang = de ; Max-Age=60", "no pair", "=x"],
        );
        assert_eq!(sent(&jar, None, "/orders?x=1", 0).as_deref(), Some("sid=abc; lang=de"));
        assert_eq!(sent(&jar, None, "/orders", 60).as_deref(), Some("sid=abc"));
        set(&mut jar, "/", &["sid=def=", "lang=en; Expires=Wed, 21 Oct 2015 07:28:00 GMT"]);
        assert_eq!(sent(&jar, None, "/", 0).as_deref(), Some("sid=def="), "set anew, and taken away");
        set(&mut jar, "/", &["sid=; Max-Age=0; Expires=Wed, 21 Oct 2099 07:28:00 GMT"]);
        assert!(sent(&jar, None, "/", 0).is_none() && jar.is_empty());
    }

    #[test]
    fn cookies_are_of_a_path() {
        let mut jar = Jar::default();
        set(&mut jar, "/shop/login", &["here=1", "cart=2; Path=/shop/cart", "all=3; Path=/", "odd=4; Path=shop"]);
        assert_eq!(sent(&jar, None, "/shop/cart/7", 0).as_deref(), Some("cart=2; here=1; odd=4; all=3"));
        assert_eq!(sent(&jar, None, "/shop/carts", 0).as_deref(), Some("here=1; odd=4; all=3"));
        assert_eq!(sent(&jar, None, "/shops", 0).as_deref(), Some("all=3"));
        set(&mut jar, "/shop/login", &["here=5; Path=/"]);
        assert_eq!(
            sent(&jar, None, "/shop", 0).as_deref(),
            Some("here=1; odd=4; all=3; here=5"),
            "another path, another cookie"
        );
    }

    #[test]
    fn own_cookies_come_first_and_count_more() {
        let mut jar = Jar::default();
        set(&mut jar, "/", &["sid=abc", "lang=de"]);
        assert_eq!(sent(&jar, Some("lang=en; a=b"), "/", 0).as_deref(), Some("lang=en; a=b; sid=abc"));
        assert_eq!(sent(&Jar::default(), Some("lang=en"), "/", 0).as_deref(), Some("lang=en"));
    }
}
