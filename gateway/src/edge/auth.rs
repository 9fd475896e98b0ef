//! Bearer tokens (RFC 6750): where it is on, a profile is shown only to its user.
//!
//! A token is a JWT (RFC 7519) that is signed as the settings say and in no other way, has not ended (`exp`, which it
//! must have), has begun (`nbf`), and comes from whom and is for whom the settings say (`iss`, `aud`). Its `sub` is the
//! user. Times are the host's. What it doesn't do: fetch keys, keep sessions, know roles.

use crate::{
    App,
    context::RequestContext,
    labels::TokenFault,
    problem::Problem,
    settings::{AuthSettings, Invalid},
    user_id::UserId,
};
use axum::{
    Extension,
    extract::{Path, Request, State, rejection::PathRejection},
    middleware::Next,
    response::Response,
};
use http::{HeaderMap, HeaderValue, header};
use jsonwebtoken::{DecodingKey, Validation, errors::ErrorKind};
use std::{sync::Arc, time::Duration};

/// The key, algorithm and claims that bearer tokens are judged by.
pub(crate) struct Auth {
    key: DecodingKey,
    validation: Validation,
    leeway: Duration,
}

/// Claims that are read of a token. Times are in seconds since the Unix epoch, and may have fractions.
#[derive(serde::Deserialize)]
struct Claims {
    sub: String,
    exp: f64,
    nbf: Option<f64>,
}

impl Auth {
    /// `None` where no token is asked for.
    pub(crate) fn new(settings: &AuthSettings) -> Result<Option<Self>, Invalid> {
        let Some((algorithm, key)) = settings.key()? else {
            if settings.auth_key.is_some() {
                tracing::warn!("GATEWAY_AUTH_KEY is set and GATEWAY_AUTH is off: anybody reads any profile");
            }
            return Ok(None);
        };
        // One algorithm, by the settings: what a token says of itself chooses nothing.
        let mut validation = Validation::new(algorithm);
        // The library would ask the machine's clock: `exp` and `nbf` are judged below, by the host's.
        (validation.validate_exp, validation.validate_nbf) = (false, false);
        let mut required = vec!["exp", "sub"];
        if let Some(issuer) = &settings.auth_issuer {
            validation.set_issuer(&[issuer]);
            required.push("iss");
        }
        if let Some(audience) = &settings.auth_audience {
            validation.set_audience(&[audience]);
            required.push("aud");
        }
        validation.set_required_spec_claims(&required);
        Ok(Some(Self { key, validation, leeway: settings.auth_leeway }))
    }

    /// The subject of the bearer token, judged at `now` (since the Unix epoch).
    fn subject(&self, headers: &HeaderMap, now: Duration) -> Result<String, TokenFault> {
        let token = bearer(headers)?;
        let token =
            jsonwebtoken::decode::<Claims>(token, &self.key, &self.validation).map_err(|error| match error.kind() {
                ErrorKind::InvalidAlgorithm => TokenFault::Algorithm,
                ErrorKind::InvalidSignature => TokenFault::Signature,
                ErrorKind::InvalidIssuer => TokenFault::Issuer,
                ErrorKind::InvalidAudience => TokenFault::Audience,
                ErrorKind::MissingRequiredClaim(claim) if claim == "iss" => TokenFault::Issuer,
                ErrorKind::MissingRequiredClaim(claim) if claim == "aud" => TokenFault::Audience,
                _ => TokenFault::Malformed,
            })?;
        // The library reads `crit` and passes over it; what it calls critical is nothing that is known here (RFC 7515,
        // 4.1.11).
        if token.header.crit.is_some() {
            return Err(TokenFault::Malformed);
        }
        let (Claims { sub, exp, nbf }, now, leeway) = (token.claims, now.as_secs_f64(), self.leeway.as_secs_f64());
        if now >= exp + leeway {
            Err(TokenFault::Expired)
        } else if nbf.is_some_and(|nbf| now + leeway < nbf) {
            Err(TokenFault::NotYetValid)
        } else {
            Ok(sub)
        }
    }
}

/// The one token that the client sent.
fn bearer(headers: &HeaderMap) -> Result<&str, TokenFault> {
    let mut sent = headers.get_all(header::AUTHORIZATION).iter();
    let value = match (sent.next(), sent.next()) {
        (None, _) => return Err(TokenFault::Missing),
        (Some(value), None) => value.to_str().map_err(|_| TokenFault::Malformed)?,
        (Some(_), Some(_)) => return Err(TokenFault::Malformed),
    };
    match value.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Ok(token.trim_start_matches(' ')),
        // Credentials of another kind are as good as none.
        _ => Err(TokenFault::Missing),
    }
}

/// The layer around the profiles.
pub(super) async fn require(
    State(app): State<Arc<App>>,
    Extension(context): Extension<RequestContext>,
    path: Result<Path<String>, PathRejection>,
    request: Request,
    next: Next,
) -> Response {
    let Some(auth) = &app.auth else { return next.run(request).await };
    // What is no id is nobody's: it gets its 400.
    let id = path.ok().and_then(|Path(id)| id.parse::<UserId>().ok());
    let mut response = match auth.subject(request.headers(), app.host.unix_now()) {
        Err(fault) => {
            app.metrics.edge.token_refused(fault);
            unauthenticated(fault, &context)
        }
        Ok(sub) if id.is_some_and(|id| id.to_string() != sub) => {
            app.metrics.edge.token_refused(TokenFault::OtherUser);
            Problem::Forbidden.response(&context, None, &[])
        }
        Ok(_) => next.run(request).await,
    };
    // A browser that two people use in turn keeps nothing of one for the other.
    response.headers_mut().append(header::VARY, header::AUTHORIZATION.into());
    response
}

/// 401 with what to do about it (RFC 6750, 3). Who sent no token isn't told of an error.
fn unauthenticated(fault: TokenFault, context: &RequestContext) -> Response {
    let challenge = match fault {
        TokenFault::Missing => "Bearer realm=\"gateway\"".to_owned(),
        _ => format!("Bearer realm=\"gateway\", error=\"invalid_token\", error_description=\"{}\"", description(fault)),
    };
    let mut response = Problem::Unauthenticated.response(context, Some(description(fault)), &[]);
    let challenge = HeaderValue::try_from(challenge).expect("words of ours make a header");
    response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    response
}

fn description(fault: TokenFault) -> &'static str {
    match fault {
        TokenFault::Missing => "a bearer token is needed",
        TokenFault::Malformed => "it is no token",
        TokenFault::Algorithm => "the token is not signed as it has to be",
        TokenFault::Signature => "the token's signature is wrong",
        TokenFault::Expired => "the token has expired",
        TokenFault::NotYetValid => "the token is not valid yet",
        TokenFault::Issuer => "the token is from another issuer",
        TokenFault::Audience => "the token is for another audience",
        TokenFault::OtherUser => "the token is another user's",
    }
}
