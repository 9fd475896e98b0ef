//! Settings of the check of bearer tokens.

use super::{Invalid, values};
use jsonwebtoken::{Algorithm, DecodingKey};
use std::{fmt, time::Duration};

/// Tokens, and who is believed.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct AuthSettings {
    /// A profile is shown only to who sends a bearer token (JWT) of its user, signed so; off: to anybody
    #[arg(long, value_name = "off|hs256|rs256|es256", default_value = "off", value_parser = signing, help_heading = "Tokens")]
    pub(crate) auth: Signing,
    /// Key that tokens are checked with: for hs256 the shared secret, else the public key in PEM (a line's end may be
    /// written as \n)
    #[arg(long, value_name = "SECRET", help_heading = "Tokens")]
    pub(crate) auth_key: Option<Secret>,
    /// File that has the key, in place of --auth-key, as a secret of Compose or Kubernetes; line ends at its end don't count
    #[arg(long, value_name = "FILE", help_heading = "Tokens")]
    pub(crate) auth_key_file: Option<String>,
    /// Tokens have to be issued by this one (iss); where it isn't set, by anybody with the key
    #[arg(long, value_name = "ISSUER", help_heading = "Tokens")]
    pub(crate) auth_issuer: Option<String>,
    /// Tokens have to be meant for this audience (aud); where it isn't set, only those are taken that name none
    #[arg(long, value_name = "AUDIENCE", help_heading = "Tokens")]
    pub(crate) auth_audience: Option<String>,
    /// The clock of who issues tokens may differ by this much
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = values::duration_or_zero, help_heading = "Tokens")]
    pub(crate) auth_leeway: Duration,
}

/// Algorithms of signatures. One is set: a token's own word chooses nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signing {
    Off,
    By(Algorithm),
}

fn signing(text: &str) -> Result<Signing, String> {
    match text {
        "off" => Ok(Signing::Off),
        "hs256" => Ok(Signing::By(Algorithm::HS256)),
        "rs256" => Ok(Signing::By(Algorithm::RS256)),
        "es256" => Ok(Signing::By(Algorithm::ES256)),
        _ => Err("it is `off`, `hs256`, `rs256` or `es256`".to_owned()),
    }
}

/// Shown nowhere.
#[derive(Clone)]
pub(crate) struct Secret(String);

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

/// Bytes of a shared secret (RFC 7518, 3.2: as many as the hash has).
const SHORTEST_SECRET: usize = 32;
/// Bytes of the modulus of an RSA key (RFC 7518, 3.3: 2048 bits); its DER has a few more.
const SHORTEST_MODULUS: usize = 256;

impl AuthSettings {
    /// The algorithm and the key; `None` where no token is asked for.
    pub(crate) fn key(&self) -> Result<Option<(Algorithm, DecodingKey)>, Invalid> {
        let Signing::By(algorithm) = self.auth else { return Ok(None) };
        let key = self.auth_key.as_ref().map_or("", |Secret(text)| text);
        match read(algorithm, key) {
            Ok(key) => Ok(Some((algorithm, key))),
            Err(what) => Err(Invalid::Together {
                problem: format!("GATEWAY_AUTH asks for {algorithm:?} and GATEWAY_AUTH_KEY is no {what}"),
                advice: "set the key that belongs to those who issue the tokens, or GATEWAY_AUTH=off".to_owned(),
            }),
        }
    }
}

/// Else what it should be.
fn read(algorithm: Algorithm, text: &str) -> Result<DecodingKey, &'static str> {
    let pem = text.replace("\\n", "\n");
    let public = pem.contains("-----BEGIN PUBLIC KEY-----") || pem.contains("-----BEGIN RSA PUBLIC KEY-----");
    match algorithm {
        Algorithm::HS256 if text.len() >= SHORTEST_SECRET => Ok(DecodingKey::from_secret(text.as_bytes())),
        Algorithm::HS256 => Err("secret of 32 bytes or more"),
        Algorithm::RS256 => {
            let long = |key: &DecodingKey| key.try_get_as_bytes().is_ok_and(|der| der.len() > SHORTEST_MODULUS);
            let key = DecodingKey::from_rsa_pem(pem.as_bytes()).ok();
            key.filter(|key| public && long(key)).ok_or("public RSA key of 2048 bits or more in PEM")
        }
        _ => {
            // Whether it is a point of the right curve shows when it is used.
            let usable = |key: &DecodingKey| jsonwebtoken::crypto::verify("", b"", key, algorithm).is_ok();
            let key = DecodingKey::from_ec_pem(pem.as_bytes()).ok();
            key.filter(|key| public && usable(key)).ok_or("public key of the curve P-256 in PEM")
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::Settings;

    const RSA: &str = include_str!("../../tests/it/keys/rsa.pub.pem");
    const RSA_PRIVATE: &str = include_str!("../../tests/it/keys/rsa.pem");
    const EC: &str = include_str!("../../tests/it/keys/ec.pub.pem");

    fn from(auth: &str, key: &str) -> Result<Settings, String> {
        let map = [("GATEWAY_AUTH", auth), ("GATEWAY_AUTH_KEY", key)].into_iter().collect();
        Settings::from_map(&map).map_err(|error| error.to_string())
    }

    #[test]
    fn keys_that_fit_are_taken_and_shown_nowhere() {
        let secret = "a secret that is long enough, just";
        for (auth, key) in [("hs256", secret), ("rs256", RSA), ("es256", EC), ("off", ""), ("off", secret)] {
            let shown = format!("{:?}", from(auth, key).unwrap());
            assert!(!shown.contains("long enough") && !shown.contains("BEGIN"), "{shown}");
        }
        assert!(from("es256", &EC.replace('\n', "\\n")).is_ok());
    }

    #[test]
    fn keys_that_dont_fit_are_refused_and_not_shown() {
        for (auth, key, what) in [
            ("hs256", "", "secret of 32 bytes"),
            ("hs256", "short-and-sweet", "secret of 32 bytes"),
            ("rs256", "", "public RSA key"),
            ("rs256", EC, "public RSA key"),
            ("rs256", RSA_PRIVATE, "public RSA key"),
            ("es256", RSA, "public key of the curve"),
            ("es256", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----", "public key of the curve"),
        ] {
            let error = from(auth, key).unwrap_err();
            assert!(error.contains(&format!("GATEWAY_AUTH_KEY is no {what}")), "{error}");
            assert!(key.is_empty() || !error.contains(key), "{error}");
        }
        assert!(from("none", "").unwrap_err().contains("`off`, `hs256`"));
    }
}
